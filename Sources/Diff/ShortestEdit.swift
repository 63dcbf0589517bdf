/// Myers' greedy algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986).
enum ShortestEdit {
    /// The elements of a longest common subsequence, or nil when it takes more than `effort`.
    static func matches(
        _ before: [UInt32],
        _ after: [UInt32],
        effort: inout Effort
    ) -> [(before: Int, after: Int)]? {
        let edits = min(before.count + after.count, effort.maximumEdits)
        // furthest[k + edits + 1] is how far into `before` the best way on diagonal k (before - after) has come.
        var furthest = [Int32](repeating: 0, count: 2 * edits + 3)
        // For every number of edits, what `furthest` was after it: diagonals -d, -d + 2 ... d.
        var trace: [[Int32]] = []
        for count in 0...edits {
            var round: [Int32] = []
            round.reserveCapacity(count + 1)
            for diagonal in stride(from: -count, through: count, by: 2) {
                let middle = diagonal + edits + 1
                let isInsertion =
                    diagonal == -count || (diagonal != count && furthest[middle - 1] < furthest[middle + 1])
                var x = count == 0 ? 0 : Int(isInsertion ? furthest[middle + 1] : furthest[middle - 1] + 1)
                let start = x
                while x < before.count, x - diagonal < after.count, before[x] == after[x - diagonal] { x += 1 }
                effort.steps -= x - start + 1
                furthest[middle] = Int32(x)
                round.append(Int32(x))
                if x >= before.count, x - diagonal >= after.count {
                    return backtrack(trace, from: before.count, after.count)
                }
            }
            guard effort.steps > 0 else { return nil }
            trace.append(round)
        }
        return nil
    }

    /// Follows the trace from the end to the start, and collects the diagonal steps.
    private static func backtrack(_ trace: [[Int32]], from before: Int, _ after: Int) -> [(before: Int, after: Int)] {
        var result: [(before: Int, after: Int)] = []
        var x = before
        var y = after
        for (last, round) in trace.enumerated().reversed() {
            let count = last + 1
            let diagonal = x - y
            func furthest(_ diagonal: Int) -> Int { Int(round[(diagonal + last) / 2]) }
            let isInsertion =
                diagonal == -count || (diagonal != count && furthest(diagonal - 1) < furthest(diagonal + 1))
            let previous = isInsertion ? diagonal + 1 : diagonal - 1
            let start = furthest(previous)
            // After the edit, the way went on along the diagonal from here.
            let edited = isInsertion ? start : start + 1
            while x > edited {
                x -= 1
                y -= 1
                result.append((x, y))
            }
            x = start
            y = start - previous
        }
        while x > 0, y > 0 {
            x -= 1
            y -= 1
            result.append((x, y))
        }
        result.reverse()
        return result
    }
}
