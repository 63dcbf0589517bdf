/// What is noted in the history without changing a group.
public enum HistoryMark: Hashable, Sendable {
    /// Give a revision a name; `moving` allows one that stands for another revision.
    case tag(String, revision: Int, moving: Bool)
    case untag(String)
    /// Keep a revision that would be undone.
    case confirm(Int)
}
