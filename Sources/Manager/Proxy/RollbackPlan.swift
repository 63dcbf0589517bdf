public import GroupSPI
public import Store

/// What has to change so that the groups stand again as they stood at an earlier revision.
public enum RollbackPlan {
    /// Compares two states.
    ///
    /// - Parameters:
    ///   - current: every group as it stands, as `StateStore/states(at:within:)` gives it.
    ///   - target: every group as it stood. Groups that stand alike in both may be left out of both.
    ///   - group: only this one; nil for all.
    ///   - unconfirmed: the revisions that wait for somebody to confirm them. What one of them has set, or what is pending, does not
    ///     stand for good: it is set again. States of such groups may not be left out.
    /// - Returns: one change for each group that differs, in the order of their names. Groups that the target did not
    ///   have are freed, never destroyed.
    public static func changes(
        from current: [GroupState],
        to target: [GroupState],
        group: Identifier? = nil,
        unconfirmed: some Sequence<Int>
    ) -> [Change] {
        let unsettled = current.unsettled(refused: [], unconfirmed: unconfirmed)
        let now = index(current, group)
        let then = index(target, group)
        return Set(now.keys).union(then.keys).sorted().compactMap { name in
            switch (now[name], then[name]) {
            case (let now, .set(let properties, let plugin)):
                now == .set(properties, plugin: plugin) && !unsettled.contains(name)
                    ? nil : Change(group: name, action: .set(properties, plugin: plugin))
            case (.set, _): Change(group: name, action: .free)
            case (.some, _) where unsettled.contains(name): Change(group: name, action: .free)
            default: nil
            }
        }
    }

    private static func index(_ states: [GroupState], _ group: Identifier?) -> [Identifier: Change.Action] {
        let chosen = states.filter { group == nil || $0.group == group }
        return Dictionary(chosen.map { ($0.group, $0.change.action) }, uniquingKeysWith: { _, last in last })
    }
}
