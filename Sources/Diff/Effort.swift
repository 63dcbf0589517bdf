/// How much work may go into finding the shortest way from one list to another.
///
/// The steps are shared by all the lists of a comparison, so that many lists cost no more than one.
struct Effort {
    /// Most insertions and deletions that are looked for in one list; memory grows with its square, to 34 MB.
    var maximumEdits = 4096
    /// Most values that are looked at one by one, in both documents together.
    var mostValues = ValueLimit.total
    /// Comparisons that are left.
    var steps = 1 << 26
}
