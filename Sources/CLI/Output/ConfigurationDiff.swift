internal import Diff
internal import GroupSPI
internal import Store

/// What differs between two states of all groups.
struct ConfigurationDiff {
    private struct Pair {
        let group: String
        let before: GlobalConfig.Entry?
        let after: GlobalConfig.Entry?

        var views: (before: JSONView?, after: JSONView?) {
            (before.map { JSONView($0.spec.properties) }, after.map { JSONView($0.spec.properties) })
        }

        var changesPlugin: Bool { before != nil && after != nil && before?.plugin != after?.plugin }
    }

    private let pairs: [Pair]
    private let labels: (before: String, after: String)

    /// - Parameter labels: what the two states are called.
    init(before: [GroupState], after: [GroupState], labels: (before: String, after: String)) {
        let then = Dictionary(before.entries.map { ($0.spec.id, $0) }, uniquingKeysWith: { _, last in last })
        let now = Dictionary(after.entries.map { ($0.spec.id, $0) }, uniquingKeysWith: { _, last in last })
        self.labels = labels
        pairs = Set(then.keys).union(now.keys).sorted().compactMap { group in
            let pair = Pair(group: group, before: then[group], after: now[group])
            guard pair.before != pair.after else { return nil }
            let views = pair.views
            let isSame = JSONDiff(before: views.before, after: views.after).changes.isEmpty
            return isSame && !pair.changesPlugin ? nil : pair
        }
    }

    var isEmpty: Bool { pairs.isEmpty }

    func text(context: Int = 3, colored: Bool = false) -> String {
        pairs.map { pair in
            let views = pair.views
            var text = UnifiedDiff(before: views.before, after: views.after, context: context).text(
                before: pair.before == nil ? "/dev/null" : "\(pair.group) (\(labels.before))",
                after: pair.after == nil ? "/dev/null" : "\(pair.group) (\(labels.after))",
                isColoured: colored
            )
            if let before = pair.before, let after = pair.after, before.plugin != after.plugin {
                text += "\(pair.group): plugin '\(before.plugin)' is now '\(after.plugin)'\n"
            }
            return text
        }.joined()
    }

    /// A list of changes: `[{"group", "path", "kind", "before", "after"}]`. A change of the plugin has the path `null`.
    var json: JSON {
        .array(
            pairs.flatMap { pair -> [JSON] in
                let views = pair.views
                var list = JSONDiff(before: views.before, after: views.after).changes.map { change in
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
