public import GroupSPI

/// The differences between two documents, line by line, as `diff -U` prints them.
///
/// Both are laid out alike first: two spaces a level, numbers and strings as they were written, the members of the later
/// document in the order of the earlier one. What is equal by the rules of ``JSONDiff`` is shown as the earlier document
/// has it, so that equal documents have no differences here either.
public struct UnifiedDiff: Sendable {
    let hunks: [Hunk]
    /// The documents have too many values to compare each: some objects or arrays are shown as one line that tells their
    /// length and a checksum, and differ also when only the order or spelling of what is in them does.
    public let isCoarse: Bool

    /// Whether the documents are equal.
    public var isEmpty: Bool { hunks.isEmpty }

    /// - Parameters:
    ///   - before: the earlier document, or nil when there was none.
    ///   - after: the later document, or nil when there is none.
    ///   - context: how many equal lines to show before and after different ones.
    ///   - limit: of more values some are compared as a whole (``isCoarse``).
    public init(before: JSONView?, after: JSONView?, context: Int = 3, limit: ValueLimit = .standard) {
        self.init(before: before, after: after, context: context, effort: Effort(mostValues: limit.most))
    }

    init(before: JSONView?, after: JSONView?, context: Int, effort: Effort) {
        var old = TextLayout()
        var new = TextLayout()
        var isCoarse = false
        if let some = before ?? after {
            var writer = TextLayoutWriter(comparison: Comparison(before ?? some, after ?? some, effort: effort))
            isCoarse = writer.isCoarse
            if before != nil { old = writer.layoutBefore() }
            if after != nil { new = writer.layoutAfter() }
        }
        self.isCoarse = isCoarse
        hunks = Self.hunks(old, new, context: context, effort: effort)
    }
}
