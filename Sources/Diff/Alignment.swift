/// Which elements of two lists stay: a longest common subsequence, or near it when that would take too long.
struct Alignment {
    /// Elements that are equal one by one.
    struct Run: Hashable {
        let before: Int
        let after: Int
        var count: Int
    }

    /// What stands between two runs; never empty on both sides.
    struct Gap: Hashable {
        let before: Range<Int>
        let after: Range<Int>
    }

    /// In order, none empty, and no two of them adjacent on both sides.
    private(set) var runs: [Run] = []
    private let counts: (before: Int, after: Int)

    init(_ before: [UInt32], _ after: [UInt32], effort: inout Effort) {
        counts = (before.count, after.count)
        let shorter = min(before.count, after.count)
        var prefix = 0
        while prefix < shorter, before[prefix] == after[prefix] { prefix += 1 }
        var suffix = 0
        while suffix < shorter - prefix, before[before.count - 1 - suffix] == after[after.count - 1 - suffix] {
            suffix += 1
        }
        add(before: 0, after: 0, count: prefix)
        addMiddle(before, prefix..<(before.count - suffix), after, prefix..<(after.count - suffix), &effort)
        add(before: before.count - suffix, after: after.count - suffix, count: suffix)
    }

    /// What the runs leave, in order.
    var gaps: [Gap] {
        var result: [Gap] = []
        var before = 0
        var after = 0
        for run in runs + [Run(before: counts.before, after: counts.after, count: 0)] {
            if before < run.before || after < run.after {
                result.append(Gap(before: before..<run.before, after: after..<run.after))
            }
            before = run.before + run.count
            after = run.after + run.count
        }
        return result
    }

    private mutating func addMiddle(
        _ before: [UInt32],
        _ beforeRange: Range<Int>,
        _ after: [UInt32],
        _ afterRange: Range<Int>,
        _ effort: inout Effort
    ) {
        guard !beforeRange.isEmpty, !afterRange.isEmpty else { return }
        // What only one side has is in no common subsequence. Without it, a list whose every element has changed is
        // as cheap as one in which none has.
        let inBefore = Set(before[beforeRange])
        let inAfter = Set(after[afterRange])
        let beforeIndices = beforeRange.filter { inAfter.contains(before[$0]) }
        let afterIndices = afterRange.filter { inBefore.contains(after[$0]) }
        let matches = ShortestEdit.matches(
            beforeIndices.map { before[$0] },
            afterIndices.map { after[$0] },
            effort: &effort
        )
        if let matches {
            for match in matches {
                add(before: beforeIndices[match.before], after: afterIndices[match.after], count: 1)
            }
        } else {
            for (index, other) in zip(beforeRange, afterRange) where before[index] == after[other] {
                add(before: index, after: other, count: 1)
            }
        }
    }

    private mutating func add(before: Int, after: Int, count: Int) {
        guard count > 0 else { return }
        if let last = runs.last, last.before + last.count == before, last.after + last.count == after {
            runs[runs.count - 1].count += count
        } else {
            runs.append(Run(before: before, after: after, count: count))
        }
    }
}
