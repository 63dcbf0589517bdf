public import GroupSPI
public import Store

/// What has to change so that one revision is undone.
public enum RevertPlan {
    /// - Parameters:
    ///   - revision: what is undone.
    ///   - current: every group as it stands.
    ///   - before: every group as it stood at the revision before it, but for what nobody has confirmed either.
    ///   - restored: by group, the revision that has restored what this one had set, by undoing what came after.
    /// - Returns: one change for each group that still stands as the revision set it. What later ones have changed stays.
    public static func changes(
        undoing revision: Revision,
        current: [GroupState],
        before: [GroupState],
        restored: [Identifier: Int] = [:]
    ) -> [Change] {
        let standing = Set(
            current.filter { $0.revision == revision.number || $0.revision == restored[$0.group] }.map(\.group)
        )
        let earlier = Dictionary(before.map { ($0.group, $0.change.action) }, uniquingKeysWith: { _, last in last })
        return revision.groups.filter(standing.contains).map { group in
            guard case .set(let properties, let plugin) = earlier[group] else {
                return Change(group: group, action: .free)
            }
            return Change(group: group, action: .set(properties, plugin: plugin))
        }
    }
}
