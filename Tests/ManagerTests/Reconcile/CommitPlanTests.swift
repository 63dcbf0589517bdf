import GroupSPI
import Store
import Testing

@testable import Manager

struct CommitPlanTests {
    private func state(_ group: Identifier, _ action: Change.Action) -> GroupState {
        GroupState(group: group, change: Change(group: group, action: action, status: .applied), revision: 3)
    }

    private func set(_ version: Int, plugin: Identifier = "p") -> Change.Action {
        .set(GroupSpec.named("x", version).properties, plugin: plugin)
    }

    private func entry(_ group: Identifier, _ version: Int, plugin: Identifier = "") -> GlobalConfig.Entry {
        GlobalConfig.Entry(spec: .named(group, version), plugin: plugin)
    }

    @Test func changesOnlyWhatDiffers() {
        let current = [
            state("same", set(1)), state("changed", set(1)), state("freed", .free), state("destroyed", .destroy),
            state("not named", set(1)), state("other plugin", set(1, plugin: "q")),
            state("its plugin", set(1, plugin: "q")), state("moved", set(1, plugin: "q")),
        ]
        let entries = [
            entry("same", 1), entry("changed", 2), entry("freed", 1), entry("destroyed", 1), entry("new", 1),
            entry("other plugin", 1), entry("its plugin", 1, plugin: "q"), entry("moved", 1, plugin: "p"),
        ]
        #expect(
            CommitPlan.changes(from: current, to: entries, defaultPlugin: "p", unsettled: []) == [
                Change(group: "changed", action: set(2)), Change(group: "freed", action: set(1)),
                Change(group: "destroyed", action: set(1)), Change(group: "new", action: set(1)),
                Change(group: "moved", action: set(1)),
            ]
        )
    }

    @Test func aGroupThatNamesAPluginKeepsIt() {
        #expect(
            CommitPlan.changes(
                from: [],
                to: [entry("a", 1, plugin: "q"), entry("b", 1)],
                defaultPlugin: "p",
                unsettled: []
            ) == [
                Change(group: "a", action: set(1, plugin: "q")), Change(group: "b", action: set(1, plugin: "p")),
            ]
        )
    }

    /// The history keeps users' bytes: another spelling of the same is another configuration.
    @Test func aSpecThatDiffersInOneByteDiffers() {
        let properties = RawJSON(checked: Array(#"{"Allocation":{"Size":1.0}}"#.utf8))
        let entries = [GlobalConfig.Entry(spec: GroupSpec(id: "a", properties: properties), plugin: "p")]
        #expect(
            CommitPlan.changes(from: [state("a", set(1))], to: entries, defaultPlugin: "p", unsettled: []).count == 1
        )
    }

    /// Whoever commits what stands, after the plugin has refused something else, has decided.
    @Test func whatStandsIsCommittedAgainAfterARefusal() {
        let current = [state("a", set(1)), state("b", set(1))]
        let entries = [entry("a", 1), entry("b", 1)]
        #expect(
            CommitPlan.changes(from: current, to: entries, defaultPlugin: "p", unsettled: ["b", "c"]) == [
                Change(group: "b", action: set(1))
            ]
        )
    }

    /// Nobody can say yet that it stands.
    @Test func whatIsPendingOrWaitsToBeConfirmedIsUnsettled() {
        var current = [state("a", set(1)), state("b", set(1))]
        current.append(
            GroupState(group: "c", change: Change(group: "c", action: set(1), status: .pending), revision: 7)
        )
        #expect(current.unsettled(refused: [], unconfirmed: []) == ["c"])
        #expect(current.unsettled(refused: ["a"], unconfirmed: [current[1].revision]) == ["a", "b", "c"])
        #expect(
            CommitPlan.changes(from: current, to: [entry("c", 1)], defaultPlugin: "p", unsettled: ["c"]) == [
                Change(group: "c", action: set(1))
            ]
        )
    }

    @Test func nothingIsAskedForNothing() {
        #expect(CommitPlan.changes(from: [state("a", set(1))], to: [], defaultPlugin: "p", unsettled: []) == [])
    }
}
