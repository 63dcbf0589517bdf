package import Store

/// What a register held at one moment.
package struct RegisterState: Sendable {
    /// The id of what the register is a part of: another one's history is none of this one's.
    package let cluster: String
    /// Rises with every write, and may rise by itself: a write that names an older one cannot take place any more.
    package let version: UInt64
    package var content: RegisterContent
    package var tag: ContentTag
    /// What the content takes, in bytes.
    package var size: Int
    /// Whether the content lies where only an older kind of manager writes.
    package var isLegacy: Bool
    package var requests: RequestReading

    package init(
        cluster: String,
        version: UInt64,
        content: RegisterContent,
        tag: ContentTag,
        size: Int,
        isLegacy: Bool = false,
        requests: RequestReading
    ) {
        self.cluster = cluster
        self.version = version
        self.content = content
        self.tag = tag
        self.size = size
        self.isLegacy = isLegacy
        self.requests = requests
    }
}

/// What a register holds beside its requests. None, one that cannot be read and one without groups are three things: only a person
/// turns one into another.
package enum RegisterContent: Sendable {
    case absent
    /// Why, for a person.
    case unreadable(String)
    /// Another kind of manager's, or a person's: groups without a history. It is *empty* when there are none.
    case foreign([GlobalConfig.Entry])
    case ours(Snapshot)
}

/// The requests that a register holds.
package struct RequestReading: Sendable {
    /// Nil when they cannot be read.
    package var queue: RequestQueue?
    /// Why not, for a person.
    package let trouble: String?
    package var tag: ContentTag

    package init(_ queue: RequestQueue?, trouble: String? = nil, tag: ContentTag) {
        self.queue = queue
        self.trouble = trouble
        self.tag = tag
    }
}
