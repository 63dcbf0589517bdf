public import GroupSPI

/// A name that stands for a revision, and keeps it from being removed.
public struct Tag: Hashable, Sendable {
    public let name: Identifier
    public let revision: Int
    public let author: Author
    /// Milliseconds since 1970.
    public let time: Int

    public init(name: Identifier, revision: Int, author: Author, time: Int) {
        self.name = name
        self.revision = revision
        self.author = author
        self.time = time
    }

    /// Whether a text can name a tag: it begins with a letter, so that no tag passes for a number.
    public static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || [45, 46, 95].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
}
