public import GroupSPI

/// The differences between two documents, value by value.
///
/// - Objects are compared by member name, in any order. Names are compared exactly; of several members of one name the
///   last counts, as in Go.
/// - Arrays are aligned by their equal elements. What is left between those is compared one by one: an object that took
///   the place of an object is not one removed and one added, but the members that changed.
/// - Numbers are equal when their decimal values are (`1.0` and `1`, `0` and `-0`), strings when they decode to the same
///   text. A lone surrogate decodes to U+FFFD, as in Go. White space never counts.
public struct JSONDiff: Sendable {
    /// In the order of the earlier document; an addition stands where the later document has it. None is inside
    /// another.
    public let changes: [JSONChange]

    /// - Parameters:
    ///   - before: the earlier document, or nil when there was none.
    ///   - after: the later document, or nil when there is none.
    ///   - limit: of more values some are compared as a whole (``JSONChange/isCoarse``).
    public init(before: JSONView?, after: JSONView?, limit: ValueLimit = .standard) {
        self.init(before: before, after: after, effort: Effort(mostValues: limit.most))
    }

    init(before: JSONView?, after: JSONView?, effort: Effort) {
        guard let before, let after else {
            var changes: [JSONChange] = []
            if let before { changes = [JSONChange(kind: .removed, path: .root, before: before.raw, after: nil)] }
            if let after { changes = [JSONChange(kind: .added, path: .root, before: nil, after: after.raw)] }
            self.changes = changes
            return
        }
        var search = Search(comparison: Comparison(before, after, effort: effort))
        search.run()
        changes = search.changes
    }
}
