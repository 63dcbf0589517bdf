/// Who sent a request: the process at the other end of the socket.
public struct Caller: Hashable, Sendable {
    /// The user's name on this host, when the user database has one.
    public let user: Identifier?
    public let uid: Int?
    public let host: Identifier

    public init(user: Identifier?, uid: Int?, host: Identifier) {
        self.user = user
        self.uid = uid
        self.host = host
    }
}

/// Something that answers calls of the Group interface on a socket: a plugin, or the manager in front of one.
public protocol GroupEndpoint: Sendable {
    /// - Parameters:
    ///   - request: the call.
    ///   - caller: who asks.
    /// - Throws: ``GroupError``.
    func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply
}

/// A group plugin as its caller sees it: somewhere else, perhaps slow, perhaps gone.
public protocol GroupPlugin: Sendable {
    /// - Parameters:
    ///   - request: the call.
    ///   - timeout: when it has passed without an answer, the call ends with `unknownOutcome` (or `unreachable` when
    ///     it was never sent). A call never outlives it: the manager's lease may be shorter than the plugin's patience.
    /// - Throws: ``GroupError``.
    func call(_ request: GroupRequest, within timeout: Duration) async throws(GroupError) -> GroupReply
}

/// What a manager tells about itself over the wire (`Manager.*`, and the head generation's `Controller.*`).
public protocol ManagerEndpoint: Sendable {
    func isLeader() async -> Bool
    /// Where the leader is, as a URL or a name; nil when nobody leads or nobody knows.
    func leaderLocation() async -> String?
    /// The current configuration of every group.
    ///
    /// - Parameter limit: how long the caller waits for a store that does not answer; nil for as long as the manager would.
    func specs(within limit: Duration?) async throws(GroupError) -> [GroupSpec]
    /// What this replica is and why, for people: `{"id", "role", "reason", "plugin": {"name", "reachable", "error"}}`.
    func status() async -> JSON
    /// Somebody has left a request in the store: the leader looks for it now, and not at its next look.
    ///
    /// - Returns: whether this replica leads; only then is it of any use.
    func lookForRequests() async -> Bool
}
