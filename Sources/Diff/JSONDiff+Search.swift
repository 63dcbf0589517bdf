import GroupSPI

extension JSONDiff {
    /// Walks two documents with a stack of its own: depth never costs call stack.
    struct Search {
        private struct Work {
            var before: Int?
            var after: Int?
            var beforePath: JSONPath
            var afterPath: JSONPath
        }

        private var comparison: Comparison
        private(set) var changes: [JSONChange] = []
        private var stack: [Work] = []

        init(comparison: Comparison) {
            self.comparison = comparison
        }

        mutating func run() {
            guard !comparison.isEqual(0, 0) else { return }
            stack = [Work(before: 0, after: 0, beforePath: .root, afterPath: .root)]
            while let work = stack.popLast() {
                if let before = work.before, let after = work.after, comparison.canDescend(before, after) {
                    descend(work, before, after)
                } else {
                    append(work)
                }
            }
        }

        private mutating func descend(_ work: Work, _ before: Int, _ after: Int) {
            let isObject = comparison.before.firstByte(before) == UInt8(ascii: "{")
            for pair in comparison.pairs(before, after).reversed() {
                if let before = pair.before, let after = pair.after, comparison.isEqual(before, after) { continue }
                var child = Work(
                    before: pair.before,
                    after: pair.after,
                    beforePath: work.beforePath,
                    afterPath: work.afterPath
                )
                if let before = pair.before {
                    let component: JSONPath.Component =
                        isObject ? .name(comparison.before.name(before)) : .index(pair.beforeIndex)
                    child.beforePath = work.beforePath.appending(component)
                }
                if let after = pair.after {
                    let component: JSONPath.Component =
                        isObject ? .name(comparison.after.name(after)) : .index(pair.afterIndex)
                    child.afterPath = work.afterPath.appending(component)
                }
                stack.append(child)
            }
        }

        private mutating func append(_ work: Work) {
            let kind: JSONChange.Kind =
                work.before == nil ? .added : work.after == nil ? .removed : .changed
            var change = JSONChange(
                kind: kind,
                path: kind == .removed ? work.beforePath : work.afterPath,
                before: work.before.map { RawJSON(checked: Array(comparison.before.bytes($0))) },
                after: work.after.map { RawJSON(checked: Array(comparison.after.bytes($0))) }
            )
            if let before = work.before, let after = work.after {
                change.isCoarse = comparison.isCoarse(before, after)
            }
            changes.append(change)
        }
    }
}
