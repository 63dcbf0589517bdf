public import GroupSPI

/// Something that a command, or another replica, asks of the leader, through the database and from any host.
public struct Request: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Restore the state of a revision: of all groups, or of one.
        case rollback(to: Int, group: Identifier?, expectedCurrent: Int?)
        /// Set several groups in one revision; undone unless confirmed within so many milliseconds.
        case commit([GlobalConfig.Entry], expectedCurrent: Int?, confirmWithin: Int?)
        /// Take groups over that another manager has kept, in one revision.
        case `import`([GlobalConfig.Entry])
        /// Note something in the history, where commands cannot do so themselves.
        case mark(MetadataChange)
        /// Ask the plugin what it would do to groups, all at once; ``PlannedChanges`` is the answer.
        case preview([GroupSpec])
        /// A user's call that another replica passes on.
        case write(GroupRequest)
        /// Give leadership up.
        case stepDown
    }

    /// Stored as the raw value: append only. 1 was once in use.
    public enum State: Int, Sendable {
        case waiting = 0
        /// Taken up; the revision tells how it went, or goes on.
        case done = 2
        /// Refused; ``Request/error`` says why.
        case refused = 3
        /// Taken back by the one who asked, before a leader saw it.
        case cancelled = 4
        /// On its way to a leader that does not see this database: whoever asked cannot take it back alone.
        case forwarded = 5
        /// It was passed on, and nobody can tell any more whether it was carried out.
        case lost = 6

        /// Whether something may still become of it.
        public var isOpen: Bool { self == .waiting || self == .forwarded }
    }

    /// See ``makeID()``.
    public let id: String
    public let kind: Kind
    public let author: Author
    public let message: String
    /// When it was made, in milliseconds since 1970, by the clock of who asks. For people; no decision compares it.
    public let time: Int
    /// How long the one who asks waits, in milliseconds; 0 when that is not known.
    public let patience: Int
    /// The epoch in which the one who asks was last heard of, as the store counts it; nil in a message of a program that did
    /// not tell.
    public let epoch: Int?
    public let state: State
    /// The revision that carries it out; nil when nothing had to change.
    public let revision: Int?
    public let error: String?
    /// What it waits for at the leader, for people; nil when nothing is known to be in its way.
    public let waitsFor: String?
    /// What a ``Kind/write(_:)`` or ``Kind/preview(_:)`` came to, once the plugin has answered.
    public let answer: Result<GroupReply, GroupError>?

    public init(
        id: String,
        kind: Kind,
        author: Author,
        message: String = "",
        time: Int = Store.wallClock(),
        patience: Int = 0,
        epoch: Int? = nil,
        state: State = .waiting,
        revision: Int? = nil,
        error: String? = nil,
        waitsFor: String? = nil,
        answer: Result<GroupReply, GroupError>? = nil
    ) {
        self.id = id
        self.kind = kind
        self.author = author
        self.message = message
        self.time = time
        self.patience = patience
        self.epoch = epoch
        self.state = state
        self.revision = revision
        self.error = error
        self.waitsFor = waitsFor
        self.answer = answer
    }

    /// 128 random bits, in hexadecimal.
    public static func makeID() -> String { RevisionDraft.makeToken().hexadecimal }
}
