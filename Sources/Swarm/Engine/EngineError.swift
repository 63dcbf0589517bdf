/// Why the Docker Engine did not do, or did not say, what was asked.
public struct EngineError: Error, Hashable, Sendable {
    /// What kind of trouble. More cases may come: switch with a default.
    public enum Code: String, Sendable {
        /// A flag or a variable of the environment that cannot be followed.
        case settings
        /// The Engine runs, and its node is in no swarm.
        case notInSwarm
        /// The node is a worker, which may see and change nothing of the swarm.
        case worker
        /// The swarm's key is missing since the Engine started.
        case locked
        /// The managers have no leader.
        case noQuorum
        /// The socket, or a proxy before the Engine, refuses this user.
        case noRights
        /// No socket, or nobody who listens.
        case notRunning
        /// No connection for another reason: no route, an unknown host, or one that went silent.
        case unreachable
        /// No answer in time.
        case timeout
        /// The connection broke before the answer was complete.
        case lost
        /// Somebody else's update of the swarm came first.
        case lostRace
        /// The Engine runs, and is still on its way into its swarm.
        case starting
        /// More than the swarm carries.
        case tooLarge
        /// The Engine speaks no version of its interface that has what is needed.
        case tooOld
        /// No trust, no certificate, or one side alone speaks TLS.
        case tls
        /// An answer that cannot be understood.
        case malformed
        /// The caller gave up.
        case cancelled
        /// The Engine's own no, for a reason of which nothing is known here.
        case other
    }

    public let code: Code
    /// One or two sentences for a person: what is wrong, and what to do.
    public let message: String
    /// The HTTP status, where there was an answer.
    public let status: Int?
    /// The Engine's own words, where it had any.
    public let words: String?

    public init(_ code: Code, _ message: String, status: Int? = nil, words: String? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.words = words
    }

    /// May a write that ended so have taken place, or still take place?
    ///
    /// A manager that does not lead passes a write on; what it says when the leader is lost on the way does not tell
    /// whether the write went along. So only an error known to come before the write is a clear no.
    public var leavesOutcomeOpen: Bool {
        switch code {
        case .timeout, .lost, .unreachable, .malformed, .noQuorum, .cancelled: true
        case .other: (status ?? 500) >= 500
        default: false
        }
    }
}

extension EngineError: CustomStringConvertible {
    public var description: String { message }
}
