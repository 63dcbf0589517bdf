import GroupSPI
import Store
import Testing

@testable import Manager

struct RollbackPlanTests {
    private func state(_ group: Identifier, _ action: Change.Action, _ revision: Int = 1) -> GroupState {
        GroupState(group: group, change: Change(group: group, action: action, status: .applied), revision: revision)
    }

    private func set(_ version: Int, plugin: Identifier = "p") -> Change.Action {
        .set(GroupSpec.named("x", version).properties, plugin: plugin)
    }

    @Test func changesOnlyWhatDiffers() {
        let current = [
            state("same", set(1), 7), state("changed", set(2)), state("new", set(1)), state("freed", .free),
            state("destroyed", .destroy), state("both freed", .free), state("other plugin", set(1, plugin: "q")),
        ]
        let target = [
            state("same", set(1)), state("changed", set(1)), state("freed", set(3)), state("destroyed", set(4)),
            state("both freed", .destroy), state("other plugin", set(1)), state("missing", set(5)),
        ]
        #expect(
            RollbackPlan.changes(from: current, to: target, unconfirmed: []) == [
                Change(group: "changed", action: set(1)), Change(group: "destroyed", action: set(4)),
                Change(group: "freed", action: set(3)), Change(group: "missing", action: set(5)),
                // The target did not have it: let go, never destroyed.
                Change(group: "new", action: .free), Change(group: "other plugin", action: set(1)),
            ]
        )
        #expect(RollbackPlan.changes(from: current, to: current, unconfirmed: []) == [])
    }

    /// As nobody can say that it stands: a user who asks for it wants it to stay.
    @Test func whatDoesNotStandForGoodIsSetAgain() {
        let pending = GroupState(
            group: "pending",
            change: Change(group: "pending", action: set(1), status: .pending),
            revision: 4
        )
        let current = [pending, state("unconfirmed", set(1), 5), state("confirmed", set(1), 6)]
        let again = ["pending", "unconfirmed"].map { Change(group: Identifier($0), action: set(1)) }
        #expect(RollbackPlan.changes(from: current, to: current, unconfirmed: [5]) == again)
        #expect(RollbackPlan.changes(from: current, to: current, group: "confirmed", unconfirmed: [5]) == [])
    }

    /// The plugin may refuse it yet, or it is undone for want of a confirmation: then the group would be back.
    @Test func whatDoesNotStandForGoodIsChangedAgain() {
        let current = [
            state("freed", .free, 2), state("destroyed", .destroy, 3), state("same", set(1), 4), state("gone", .free),
        ]
        let target = [state("same", set(1)), state("destroyed", .free)]
        #expect(
            RollbackPlan.changes(from: current, to: target, unconfirmed: [2, 3, 4]) == [
                Change(group: "destroyed", action: .free), Change(group: "freed", action: .free),
                Change(group: "same", action: set(1)),
            ]
        )
    }

    @Test func aSpecThatDiffersInOneByteDiffers() {
        let one = Change.Action.set(RawJSON(checked: Array(#"{"a":1}"#.utf8)), plugin: "p")
        let other = Change.Action.set(RawJSON(checked: Array(#"{"a":1.0}"#.utf8)), plugin: "p")
        #expect(RollbackPlan.changes(from: [state("a", one)], to: [state("a", other)], unconfirmed: []).count == 1)
    }

    @Test func oneGroupAlone() {
        let current = [state("a", set(2)), state("b", set(2)), state("c", set(2))]
        let target = [state("a", set(1)), state("b", set(1))]
        #expect(
            RollbackPlan.changes(from: current, to: target, group: "a", unconfirmed: []) == [
                Change(group: "a", action: set(1))
            ]
        )
        #expect(
            RollbackPlan.changes(from: current, to: target, group: "c", unconfirmed: []) == [
                Change(group: "c", action: .free)
            ]
        )
        #expect(RollbackPlan.changes(from: current, to: target, group: "d", unconfirmed: []) == [])
    }
}
