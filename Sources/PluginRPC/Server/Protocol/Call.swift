internal import GroupSPI

/// One request, understood: whichever generation asked, this is what it wants.
enum Call: Sendable {
    case group(GroupRequest, Address?)
    case handshake(Handshake)
    case manager(ManagerCall)
    case metadata(MetadataCall)
    case controller(ControllerCall, Address)
}

/// How the four generations ask what a socket serves.
enum Handshake: Sendable {
    /// `Plugin.Implements` (v0.1).
    case plugin
    /// `Handshake.Implements` (v0.5).
    case implements
    /// `Handshake.Types` (v0.5).
    case types
    /// `Handshake.Hello` (head).
    case hello
}

enum ManagerCall: Sendable {
    case findLoop([Identifier])
    case isLeader, leaderLocation, specs, inspect, status, lookForRequests, storeOutcomes, enforce, terminate
}

/// `Metadata.*` and `Updatable.*`: a small tree to read, never to write.
enum MetadataCall: Sendable {
    case list(path: String)
    case get(path: String)
    case change
}

/// `Controller.*` for specs of the kind `group`.
enum ControllerCall: Sendable {
    case commit(ControllerChange)
    case plan(ControllerChange)
    case describe(name: Identifier?)
    case free(name: Identifier?)
}

struct ControllerChange: Sendable {
    enum Operation: Sendable { case enforce, destroy }

    let operation: Operation
    let kind: String
    let version: String
    /// The spec's `metadata`, as sent, to be echoed.
    let metadata: RawJSON
    let spec: GroupSpec
}

extension Call {
    /// What its reply is long with; nil: it is short.
    var replyKind: ReplyMemory.Kind? {
        switch self {
        case .group(.inspect, _): .groups
        case .group(.describe(let id), _): .description(id)
        case .group(.describeUpdate(let spec), _), .group(.commit(let spec, pretend: true), _): .description(spec.id)
        case .group, .handshake: nil
        case .manager(.specs), .manager(.inspect), .metadata: .stored
        case .manager: nil
        case .controller(.describe(let name), _): .description(name ?? "")
        case .controller(.plan(let change), _): .description(change.spec.id)
        case .controller: nil
        }
    }
}
