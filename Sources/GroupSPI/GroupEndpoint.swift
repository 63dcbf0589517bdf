/// Who sent a request: the process at the other end of the socket.
public struct Caller: Hashable, Sendable {
    /// The user's name on this host, when the user database has one.
    public let user: Identifier?
    public let uid: Int?
    public let host: Identifier
    /// Who logged in, where that is another user, as with sudo. The caller says so, and nobody has checked it.
    public let login: Identifier?

    public init(user: Identifier?, uid: Int?, host: Identifier, login: Identifier? = nil) {
        self.user = user
        self.uid = uid
        self.host = host
        self.login = login == user ? nil : login.flatMap { Self.isLogin($0) ? $0 : nil }
    }

    /// Whether it can be a user's name. It is somebody's claim: nothing that could be taken for something else.
    private static func isLogin(_ name: Identifier) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.numericType != nil || "._-@\\$+".unicodeScalars.contains($0)
            }
    }
}

/// Login and user as one text, `alice (root)`: how histories keep them.
extension Caller {
    /// `root`, or `alice (root)`; nil when neither is known.
    public var account: Identifier? {
        login.map { "\($0) (\(user ?? ""))" } ?? user
    }

    /// - Parameters:
    ///   - account: as ``account`` gives it.
    ///   - uid: of the user, as the kernel tells it.
    ///   - host: where the user's program runs.
    public init(account: Identifier?, uid: Int?, host: Identifier) {
        if let text = account?.text, text.hasSuffix(")"), let blank = text.firstRange(of: " (") {
            let user = text[blank.upperBound...].dropLast()
            let caller = Caller(
                user: user.isEmpty ? nil : Identifier(String(user)),
                uid: uid,
                host: host,
                login: Identifier(String(text[..<blank.lowerBound]))
            )
            // Anything else that looks like it stays as it is.
            if caller.account == account {
                self = caller
                return
            }
        }
        self.init(user: account, uid: uid, host: host)
    }

    /// The same caller, who says who has logged in.
    public func claiming(_ login: Identifier?) -> Caller { Caller(user: user, uid: uid, host: host, login: login) }
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
    /// Whether the calls of these managers, each of which has the next one as its plugin, come back to one of them.
    ///
    /// - Returns: nil when that cannot be told now.
    func findLoop(through managers: [Identifier]) async -> Bool?
    /// Somebody is about to read the history: what users were told already is stored first, and not a moment later.
    ///
    /// - Returns: whether the history has all of it now; false of a replica that does not lead.
    func storeOutcomes() async -> Bool
}
