internal import Diff
internal import GroupSPI
internal import Store
internal import Terminal

/// What differs between two states of all groups.
struct ConfigurationDiff {
    /// A group that is not written alike in both.
    private struct Pair: Sendable {
        let group: Identifier
        let before: GlobalConfig.Entry?
        let after: GlobalConfig.Entry?

        var views: (before: JSONView?, after: JSONView?) {
            (before.map { JSONView($0.spec.properties) }, after.map { JSONView($0.spec.properties) })
        }

        var changesPlugin: Bool { before != nil && after != nil && before?.plugin != after?.plugin }
    }

    /// A group that differs, and how.
    private struct Difference: Sendable {
        let pair: Pair
        let lines: UnifiedDiff
    }

    private let differences: [Difference]
    private let limit: ValueLimit
    private let labels: (before: String, after: String)

    /// - Parameters:
    ///   - labels: what the two states are called.
    ///   - context: how many equal lines the text shows before and after different ones.
    init(
        before: [GroupState],
        after: [GroupState],
        labels: (before: String, after: String),
        context: Int = 3
    ) async {
        let then = Dictionary(before.entries.map { ($0.spec.id, $0) }, uniquingKeysWith: { _, last in last })
        let now = Dictionary(after.entries.map { ($0.spec.id, $0) }, uniquingKeysWith: { _, last in last })
        self.labels = labels
        let pairs = Set(then.keys).union(now.keys).sorted().compactMap { group in
            let pair = Pair(group: group, before: then[group], after: now[group])
            return pair.before == pair.after ? nil : pair
        }
        limit = ValueLimit(sharedBy: pairs.map(\.views))
        differences = await Self.differences(pairs, context, limit)
    }

    /// Of many groups a part at a time, on all cores.
    private static func differences(_ pairs: [Pair], _ context: Int, _ limit: ValueLimit) async -> [Difference] {
        let size = 50
        return await withTaskGroup(of: (start: Int, differences: [Difference]).self) { tasks in
            for start in stride(from: 0, to: pairs.count, by: size) {
                tasks.addTask {
                    (start, pairs[start..<min(start + size, pairs.count)].compactMap { difference($0, context, limit) })
                }
            }
            var parts: [(start: Int, differences: [Difference])] = []
            for await part in tasks { parts.append(part) }
            return parts.sorted { $0.start < $1.start }.flatMap(\.differences)
        }
    }

    /// Nil when only the spelling differs.
    private static func difference(_ pair: Pair, _ context: Int, _ limit: ValueLimit) -> Difference? {
        let views = pair.views
        let lines = UnifiedDiff(before: views.before, after: views.after, context: context, limit: limit)
        return lines.isEmpty && !pair.changesPlugin ? nil : Difference(pair: pair, lines: lines)
    }

    var isEmpty: Bool { differences.isEmpty }

    func text(colored: Bool = false) -> TerminalText {
        differences.map { difference -> TerminalText in
            let pair = difference.pair
            var text = TerminalText(
                exact: difference.lines.text(
                    before: pair.before == nil ? "/dev/null" : "\(pair.group) (\(labels.before))",
                    after: pair.after == nil ? "/dev/null" : "\(pair.group) (\(labels.after))",
                    isColoured: colored
                )
            )
            if difference.lines.isCoarse, !difference.lines.isEmpty {
                text +=
                    "\(pair.group): too many values to compare one by one; those shown with a SHA-256 are compared "
                    + "as text\n"
            }
            if let before = pair.before, let after = pair.after, before.plugin != after.plugin {
                text += "\(pair.group): plugin changed from '\(before.plugin)' to '\(after.plugin)'\n"
            }
            return text
        }.joined()
    }

    /// A list of changes: `[{"group", "path", "kind", "before", "after"}]`, with `"coarse": true` where a value has too many
    /// parts to compare each. A change of the plugin has the path `null`.
    var json: JSON {
        .array(
            differences.map(\.pair).flatMap { pair -> [JSON] in
                let views = pair.views
                var list = JSONDiff(before: views.before, after: views.after, limit: limit).changes.map { change in
                    JSON.object([.init("group", .string(pair.group))] + Self.members(change.json))
                }
                if let before = pair.before, let after = pair.after, before.plugin != after.plugin {
                    list.append([
                        "group": .string(pair.group), "path": nil, "kind": "changed",
                        "before": .string(before.plugin), "after": .string(after.plugin),
                    ])
                }
                return list
            }
        )
    }

    private static func members(_ json: JSON) -> [JSON.Member] {
        guard case .object(let members) = json else { return [] }
        return members
    }
}
