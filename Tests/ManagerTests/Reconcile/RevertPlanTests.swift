import GroupSPI
import Testing

@testable import Manager
@testable import Store

struct RevertPlanTests {
    private func state(_ group: Identifier, _ action: Change.Action, _ revision: Int) -> GroupState {
        GroupState(group: group, change: Change(group: group, action: action, status: .applied), revision: revision)
    }

    private func set(_ version: Int, plugin: Identifier = "p") -> Change.Action {
        .set(GroupSpec.named("x", version).properties, plugin: plugin)
    }

    private func revision(_ changes: Change...) -> Revision {
        Revision(
            number: 5,
            time: 0,
            epoch: 1,
            manager: "one",
            author: MemoryStore.author,
            operation: .commit,
            target: nil,
            message: "",
            changes: changes,
            hash: [],
            tags: [],
            confirmation: nil
        )
    }

    @Test func restoresWhatStoodAndFreesWhatIsNew() {
        let undone = revision(
            Change(group: "changed", action: set(2)),
            Change(group: "destroyed before", action: set(2)),
            Change(group: "freed before", action: set(2)),
            Change(group: "new", action: set(2)),
            Change(group: "plugin", action: set(1, plugin: "q"))
        )
        let before = [
            state("changed", set(1), 1), state("destroyed before", .destroy, 2), state("freed before", .free, 3),
            state("other", set(1), 4), state("plugin", set(1), 4),
        ]
        let current = undone.changes.map { state($0.group, $0.action, 5) } + [state("other", set(1), 4)]
        #expect(
            RevertPlan.changes(undoing: undone, current: current, before: before) == [
                Change(group: "changed", action: set(1)), Change(group: "destroyed before", action: .free),
                Change(group: "freed before", action: .free), Change(group: "new", action: .free),
                Change(group: "plugin", action: set(1)),
            ]
        )
    }

    @Test func leavesWhatIsNotItsOwnAnyMore() {
        let undone = revision(
            Change(group: "again", action: set(2)),
            Change(group: "gone", action: set(2)),
            Change(group: "refused", action: set(2)),
            Change(group: "same words", action: set(2))
        )
        let before = undone.changes.map { state($0.group, set(1), 1) }
        let current = [
            state("again", set(3), 6), state("gone", .free, 7), state("refused", set(1), 1),
            // Somebody has asked for it themselves.
            state("same words", set(2), 8),
        ]
        #expect(RevertPlan.changes(undoing: undone, current: current, before: before) == [])
    }
}
