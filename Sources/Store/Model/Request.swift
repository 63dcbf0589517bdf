/// Something that a command on any host asks of the leader, through the database.
public struct Request: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Restore the state of a revision: of all groups, or of one.
        case rollback(to: Int, group: String?, expectedCurrent: Int?)
        /// Give leadership up.
        case stepDown
    }

    public enum State: Int, Sendable {
        case waiting = 0
        /// The leader has stored the revision and is applying it.
        case accepted = 1
        /// Carried out; the revision tells how it went.
        case done = 2
        /// Refused; ``Request/error`` says why.
        case refused = 3
        /// Taken back by the one who asked, before a leader saw it.
        case cancelled = 4
    }

    /// A UUID.
    public let id: String
    public let kind: Kind
    public let author: Author
    public let message: String
    public let state: State
    /// The revision that carries it out; nil when nothing had to change.
    public let revision: Int?
    public let error: String?

    public init(
        id: String,
        kind: Kind,
        author: Author,
        message: String,
        state: State = .waiting,
        revision: Int? = nil,
        error: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.author = author
        self.message = message
        self.state = state
        self.revision = revision
        self.error = error
    }
}
