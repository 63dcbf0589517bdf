internal import GroupSPI

/// How many instances a group wants, and whether they have names of their own.
enum Allocation: Hashable, Sendable {
    /// So many instances, each as good as another.
    case size(Int)
    /// One instance per logical ID; two of one ID never run at the same time.
    case logicalIDs([Identifier])

    var count: Int {
        switch self {
        case .size(let size): size
        case .logicalIDs(let ids): ids.count
        }
    }
}
