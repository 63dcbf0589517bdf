public import GroupSPI

/// Who asked for a change: the caller of the socket, or the user of a command.
public typealias Author = Caller
