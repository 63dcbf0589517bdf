import Testing

@testable import Diff

@Suite struct AlignmentTests {
    private static let seed: UInt64 = 20_240_611

    /// The textbook's table.
    private func longest(_ before: [UInt32], _ after: [UInt32]) -> Int {
        var row = [Int](repeating: 0, count: after.count + 1)
        for element in before {
            var diagonal = 0
            for (index, other) in after.enumerated() {
                let above = row[index + 1]
                row[index + 1] = element == other ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return row[after.count]
    }

    private func check(_ alignment: Alignment, _ before: [UInt32], _ after: [UInt32]) {
        var ends = (before: 0, after: 0)
        for run in alignment.runs {
            #expect(run.count > 0 && run.before >= ends.before && run.after >= ends.after)
            for offset in 0..<run.count { #expect(before[run.before + offset] == after[run.after + offset]) }
            ends = (run.before + run.count, run.after + run.count)
        }
        let matched = alignment.runs.reduce(0) { $0 + $1.count }
        #expect(alignment.gaps.reduce(0) { $0 + $1.before.count } + matched == before.count)
        #expect(alignment.gaps.reduce(0) { $0 + $1.after.count } + matched == after.count)
        #expect(alignment.gaps.allSatisfy { !$0.before.isEmpty || !$0.after.isEmpty })
    }

    @Test func isALongestCommonSubsequence() {
        var generator = Generator(seed: Self.seed)
        for round in 0..<2000 {
            let alphabet = 1 + generator.below(6)
            let before = (0..<generator.below(14)).map { _ in UInt32(generator.below(alphabet)) }
            let after = (0..<generator.below(14)).map { _ in UInt32(generator.below(alphabet)) }
            var effort = Effort()
            let alignment = Alignment(before, after, effort: &effort)
            check(alignment, before, after)
            let matched = alignment.runs.reduce(0) { $0 + $1.count }
            #expect(matched == longest(before, after), "seed \(Self.seed), round \(round): \(before) \(after)")
        }
    }

    @Test(arguments: [(1, 1 << 20), (4096, 3), (0, 0)])
    func goesPositionByPositionWhenItTakesTooLong(_ edits: Int, _ steps: Int) {
        let before: [UInt32] = [0, 1, 2, 3, 4, 5, 9]
        let after: [UInt32] = [0, 2, 1, 3, 5, 4, 8, 9]
        var effort = Effort(maximumEdits: edits, steps: steps)
        let alignment = Alignment(before, after, effort: &effort)
        check(alignment, before, after)
        #expect(alignment.runs.map(\.before) == [0, 3, 6])
        #expect(alignment.gaps.map(\.before) == [1..<3, 4..<6])
        #expect(alignment.gaps.map(\.after) == [1..<3, 4..<7])
    }

    @Test func stepsAreShared() {
        var effort = Effort()
        let all = effort.steps
        _ = Alignment([1, 2, 3], [3, 2, 1], effort: &effort)
        #expect(effort.steps < all)
    }

    @Test(.timeLimit(.minutes(1)))
    func endsOnHopelessLists() {
        // Two shuffles of the same elements: a full search would be some 10^10 steps.
        var generator = Generator(seed: Self.seed)
        let before = (0..<100_000).map { UInt32($0) }.shuffled(using: &generator)
        let after = before.shuffled(using: &generator)
        var effort = Effort(steps: 1 << 20)
        check(Alignment(before, after, effort: &effort), before, after)
        #expect(effort.steps > -(1 << 20))
    }

    @Test(.timeLimit(.minutes(1)))
    func findsOneInsertionAndOneRemovalInALongList() {
        let before = (0..<100_000).map { UInt32($0 % 1000) }
        var after = before
        after.insert(7, at: 10)
        after.remove(at: 99_000)
        var effort = Effort()
        let alignment = Alignment(before, after, effort: &effort)
        #expect(alignment.gaps.count == 2)
        #expect(alignment.gaps.reduce(0) { $0 + $1.before.count + $1.after.count } == 2)
    }
}
