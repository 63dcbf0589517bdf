import GroupSPI

extension UnifiedDiff {
    /// Differences that are near one another, with the lines around them.
    struct Hunk: Sendable {
        enum Kind: Sendable {
            case both, before, after
        }

        struct Line: Sendable {
            let kind: Kind
            let depth: Int
            let content: ArraySlice<UInt8>
        }

        /// Lines of each document, counted from zero.
        let before: Range<Int>
        let after: Range<Int>
        /// The innermost container around the first line that differs.
        let path: JSONPath
        let lines: [Line]
    }

    static func hunks(_ old: TextLayout, _ new: TextLayout, context: Int, effort: Effort) -> [Hunk] {
        var effort = effort
        var table = ValueTable(bytes: 16 * (old.lines.count + new.lines.count))
        let oldIDs = old.lines.indices.map { id(of: $0, in: old, &table) }
        let newIDs = new.lines.indices.map { id(of: $0, in: new, &table) }
        let gaps = Alignment(oldIDs, newIDs, effort: &effort).gaps
        // No more than there are lines: twice the context must fit into an Int.
        let context = min(max(context, 0), old.lines.count)
        var result: [Hunk] = []
        var group: [Alignment.Gap] = []
        for (index, gap) in gaps.enumerated() {
            group.append(gap)
            let isNear =
                index + 1 < gaps.count && gaps[index + 1].before.lowerBound - gap.before.upperBound <= 2 * context
            if !isNear {
                result.append(hunk(group, old, new, context))
                group = []
            }
        }
        return result
    }

    /// Lines are equal when their text and their depth are.
    private static func id(of line: Int, in layout: TextLayout, _ table: inout ValueTable) -> ValueTable.ID {
        var key: [UInt8] = []
        var depth = layout.lines[line].depth
        for _ in 0..<4 {
            key.append(UInt8(truncatingIfNeeded: depth))
            depth >>= 8
        }
        key.append(contentsOf: layout.content(line))
        return table.id(scalar: key)
    }

    private static func hunk(
        _ gaps: [Alignment.Gap],
        _ old: TextLayout,
        _ new: TextLayout,
        _ context: Int
    ) -> Hunk {
        var lines: [Hunk.Line] = []
        func append(_ kind: Hunk.Kind, _ layout: TextLayout, _ range: Range<Int>) {
            for line in range {
                lines.append(.init(kind: kind, depth: layout.lines[line].depth, content: layout.content(line)))
            }
        }
        let first = gaps[0]
        let last = gaps[gaps.count - 1]
        let lead = min(context, first.before.lowerBound)
        let trail = min(context, old.lines.count - last.before.upperBound)
        var position = first.before.lowerBound - lead
        for gap in gaps {
            append(.both, old, position..<gap.before.lowerBound)
            append(.before, old, gap.before)
            append(.after, new, gap.after)
            position = gap.before.upperBound
        }
        append(.both, old, position..<(position + trail))
        let path =
            first.before.isEmpty
            ? new.lines[first.after.lowerBound].container : old.lines[first.before.lowerBound].container
        return Hunk(
            before: (first.before.lowerBound - lead)..<(last.before.upperBound + trail),
            after: (first.after.lowerBound - lead)..<(last.after.upperBound + trail),
            path: path,
            lines: lines
        )
    }
}
