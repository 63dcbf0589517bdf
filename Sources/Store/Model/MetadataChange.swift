public import GroupSPI

/// What is noted in the history without changing a group.
public enum MetadataChange: Hashable, Sendable {
    /// Give a revision a name; `moving` allows one that stands for another revision.
    case tag(Identifier, revision: Int, moving: Bool)
    case untag(Identifier)
    /// Keep a revision that would be undone.
    case confirm(Int)
    /// Warn no more of a rejected revision.
    case acknowledge(Int, message: String)
}
