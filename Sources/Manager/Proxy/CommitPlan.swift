public import GroupSPI
public import Store

/// What has to change so that groups stand as somebody declares them.
public enum CommitPlan {
    /// - Parameters:
    ///   - entries: the groups with their specs; a group that names no plugin keeps its own.
    ///   - current: every group as it stands.
    ///   - defaultPlugin: for new groups that name none.
    ///   - unsettled: the groups of which the newest change was refused, or that nobody can say to stand: see
    ///     `Swift/Array/unsettled(refused:unconfirmed:)`. To commit what stands is a decision then, which the history has and the
    ///     plugin is told.
    /// - Returns: one change for each group that differs. Groups that are not named stay as they are.
    public static func changes(
        from current: [GroupState],
        to entries: [GlobalConfig.Entry],
        defaultPlugin: Identifier,
        unsettled: Set<Identifier>
    ) -> [Change] {
        let now = Dictionary(current.map { ($0.group, $0.change.action) }, uniquingKeysWith: { _, last in last })
        return entries.compactMap { entry in
            var plugin = entry.plugin
            if plugin.isEmpty, case .set(_, let present) = now[entry.spec.id] { plugin = present }
            if plugin.isEmpty { plugin = defaultPlugin }
            let action = Change.Action.set(entry.spec.properties, plugin: plugin)
            guard now[entry.spec.id] != action || unsettled.contains(entry.spec.id) else { return nil }
            return Change(group: entry.spec.id, action: action)
        }
    }
}

extension [GroupState] {
    /// The groups that do not stand for good as their states say: the plugin has not agreed yet, and may refuse it; or it is undone
    /// unless somebody confirms it.
    ///
    /// - Parameters:
    ///   - refused: groups of which something else was refused since.
    ///   - unconfirmed: the revisions that wait for somebody to confirm them.
    public func unsettled(refused: some Sequence<Identifier>, unconfirmed: some Sequence<Int>) -> Set<Identifier> {
        let unconfirmed = Set(unconfirmed)
        let open = filter { $0.change.status == .pending || unconfirmed.contains($0.revision) }
        return Set(refused).union(open.map(\.group))
    }
}
