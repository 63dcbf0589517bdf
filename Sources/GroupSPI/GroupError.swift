/// Why a call of the Group interface gave no result.
public struct GroupError: Error, Hashable, Sendable {
    /// What kind of trouble. More cases may come: switch with a default.
    public enum Code: String, Sendable {
        /// The plugin answered, and its answer was an error. The message is the plugin's own.
        case rejected
        /// The call does not exist in the generation that the plugin speaks.
        case unsupported
        /// The request has the wrong shape.
        case badRequest
        /// This replica does not lead; the message names the one that does.
        case notLeader
        /// Stored, but not known to be in effect as a whole; the message names the revision and says what becomes of it.
        case pending
        /// Nobody listens at the plugin's socket: it does not run, and a plugin keeps no group over its end.
        case notRunning
        /// The plugin may run, but the call was not delivered.
        case unreachable
        /// The connection was lost, or the time ran out, after the call was sent: nobody knows whether it was carried out.
        case unknownOutcome
        /// The plugin answered, and its answer cannot be read: nobody knows whether the call was carried out.
        case unreadable
        /// The manager's store cannot be used; nothing was stored if the message says so, else nobody knows.
        case storeUnavailable

        /// What was asked is neither done nor refused: it may be so later, or at another place.
        public var isNoAnswer: Bool {
            switch self {
            case .rejected, .unsupported, .badRequest: false
            case .notLeader, .pending, .notRunning, .unreachable, .unknownOutcome, .unreadable, .storeUnavailable: true
            }
        }

        /// What such an answer of a manager means to whoever has it as their plugin.
        public var ofPlugin: Code {
            switch self {
            case .rejected, .unsupported, .badRequest: .rejected
            // It was not done, and its groups may run all the same.
            case .notLeader, .notRunning, .unreachable: .unreachable
            case .pending, .unknownOutcome, .unreadable, .storeUnavailable: .unknownOutcome
            }
        }
    }

    public let code: Code
    /// One sentence for a person.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension GroupError: CustomStringConvertible {
    public var description: String { message }
}

extension GroupError {
    // The texts that InfraKit's programs compare with; other spellings would break them.

    public static func notWatched(_ id: Identifier) -> GroupError {
        GroupError(.rejected, "Group '\(id)' is not being watched")
    }

    public static func alreadyWatched(_ id: Identifier) -> GroupError {
        GroupError(.rejected, "Already watching group '\(id)'")
    }

    /// The plugin does not know the group: for a free, that is as good as done.
    public var saysNotWatched: Bool { code == .rejected && message.hasSuffix("is not being watched") }

    /// The plugin is still at work on an earlier change of the group: not a refusal of this one, ask again later.
    public var saysUpdating: Bool {
        let words = message.lowercased()
        return code == .rejected && words.contains("updat")
            && (words.contains("already") || words.contains("in progress"))
    }

    public var saysAlreadyWatched: Bool { code == .rejected && message.hasPrefix("Already watching group") }
}
