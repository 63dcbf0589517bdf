public import GroupSPI

/// That somebody has looked at a rejected revision: nobody is warned of it any more.
public struct Acknowledgement: Hashable, Sendable {
    public let revision: Int
    public let author: Author
    /// Milliseconds since 1970.
    public let time: Int
    public let message: String

    public init(revision: Int, author: Author, time: Int, message: String) {
        self.revision = revision
        self.author = author
        self.time = time
        self.message = message
    }
}

/// A change that the plugin refused, that nothing has followed, and that asked for something else than what stands.
public struct OpenRejection: Hashable, Sendable {
    public let revision: Int
    public let group: Identifier

    package init(revision: Int, group: Identifier) {
        self.revision = revision
        self.group = group
    }
}
