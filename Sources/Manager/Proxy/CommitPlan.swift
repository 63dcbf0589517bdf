public import GroupSPI
public import Store

/// What has to change so that groups stand as somebody declares them.
public enum CommitPlan {
    /// - Parameters:
    ///   - entries: the groups with their specs; a group that names no plugin keeps its own.
    ///   - current: every group as it stands.
    ///   - defaultPlugin: for new groups that name none.
    ///   - refused: the groups of which the newest change was refused. To commit what stands is a decision then, which the history
    ///     has and the plugin is told.
    /// - Returns: one change for each group that differs. Groups that are not named stay as they are.
    public static func changes(
        from current: [GroupState],
        to entries: [GlobalConfig.Entry],
        defaultPlugin: Identifier,
        refused: Set<Identifier>
    ) -> [Change] {
        let now = Dictionary(current.map { ($0.group, $0.change.action) }, uniquingKeysWith: { _, last in last })
        return entries.compactMap { entry in
            var plugin = entry.plugin
            if plugin.isEmpty, case .set(_, let present) = now[entry.spec.id] { plugin = present }
            if plugin.isEmpty { plugin = defaultPlugin }
            let action = Change.Action.set(entry.spec.properties, plugin: plugin)
            guard now[entry.spec.id] != action || refused.contains(entry.spec.id) else { return nil }
            return Change(group: entry.spec.id, action: action)
        }
    }
}
