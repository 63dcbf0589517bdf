internal import GroupSPI

/// What a call gave, before it is written in the client's dialect.
enum Response: Sendable {
    case group(GroupReply, Address?)
    case json(JSON)
}
