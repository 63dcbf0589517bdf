import GroupSPI

/// Two documents side by side: which part of one belongs to which part of the other.
struct Comparison {
    /// Children of two containers that belong together, or one that has no counterpart; the numbers are nodes.
    struct Pair {
        var before: Int?
        var after: Int?
        /// Positions among the children.
        var beforeIndex = 0
        var afterIndex = 0
    }

    let before: JSONTree
    let after: JSONTree
    /// Some parts are compared as a whole.
    let isCoarse: Bool
    private var effort: Effort

    init(_ before: JSONView, _ after: JSONView, effort: Effort) {
        var values = ValueTable(bytes: before.bytes.count + after.bytes.count)
        let depth = ComparisonDepth([before.bytes, after.bytes], mostValues: effort.mostValues)
        isCoarse = depth.isLimited
        self.before = JSONTree(before, depth: depth, values: &values)
        self.after = JSONTree(after, depth: depth, values: &values)
        self.effort = effort
    }

    func isEqual(_ before: Int, _ after: Int) -> Bool { self.before.id(before) == self.after.id(after) }

    /// Whether both are objects or both are arrays, so that they can be compared part by part.
    func canDescend(_ before: Int, _ after: Int) -> Bool {
        haveParts(before, after) && !self.before.isWhole(before) && !self.after.isWhole(after)
    }

    /// Whether they could be compared part by part if they were not too large.
    func isCoarse(_ before: Int, _ after: Int) -> Bool {
        haveParts(before, after) && (self.before.isWhole(before) || self.after.isWhole(after))
    }

    private func haveParts(_ before: Int, _ after: Int) -> Bool {
        let byte = self.before.firstByte(before)
        return (byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")) && byte == self.after.firstByte(after)
    }

    /// The children of two objects or two arrays, equal ones included.
    mutating func pairs(_ before: Int, _ after: Int) -> [Pair] {
        let old = self.before.children(before)
        let new = self.after.children(after)
        return self.before.firstByte(before) == UInt8(ascii: "{") ? members(old, new) : elements(old, new)
    }

    /// In the order of `old`; what is only in `new` comes behind the member that it follows there.
    private func members(_ old: [Int], _ new: [Int]) -> [Pair] {
        var positions: [ValueTable.ID: Int] = [:]
        for (position, node) in old.enumerated() { positions[before.nameID(node)] = position }
        var counterparts: [Int?] = Array(repeating: nil, count: old.count)
        var added: [(behind: Int, node: Int)] = []
        var behind = -1
        for node in new {
            if let position = positions[after.nameID(node)] {
                counterparts[position] = node
                behind = position
            } else {
                added.append((behind, node))
            }
        }
        added.sort { ($0.behind, $0.node) < ($1.behind, $1.node) }
        var result: [Pair] = []
        var next = added.startIndex
        for position in -1..<old.count {
            if position >= 0 { result.append(Pair(before: old[position], after: counterparts[position])) }
            while next < added.endIndex, added[next].behind == position {
                result.append(Pair(after: added[next].node))
                next += 1
            }
        }
        return result
    }

    /// Equal elements belong together, and what stands between them one by one from the front.
    private mutating func elements(_ old: [Int], _ new: [Int]) -> [Pair] {
        let alignment = Alignment(old.map(before.id), new.map(after.id), effort: &effort)
        var result: [Pair] = []
        func append(_ beforeRange: Range<Int>, _ afterRange: Range<Int>) {
            for offset in 0..<max(beforeRange.count, afterRange.count) {
                var pair = Pair()
                if offset < beforeRange.count {
                    pair.beforeIndex = beforeRange.lowerBound + offset
                    pair.before = old[pair.beforeIndex]
                }
                if offset < afterRange.count {
                    pair.afterIndex = afterRange.lowerBound + offset
                    pair.after = new[pair.afterIndex]
                }
                result.append(pair)
            }
        }
        var start = (before: 0, after: 0)
        for run in alignment.runs {
            append(start.before..<run.before, start.after..<run.after)
            start = (run.before + run.count, run.after + run.count)
            append(run.before..<start.before, run.after..<start.after)
        }
        append(start.before..<old.count, start.after..<new.count)
        return result
    }
}
