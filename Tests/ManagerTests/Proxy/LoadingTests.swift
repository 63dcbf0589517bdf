import GroupSPI
import Logging
import Store
import Testing

@testable import Manager

/// A term whose states cannot be read.
struct LoadingTests {
    /// Its election has not heard of it yet: nothing is judged against a world without groups.
    @Test func aTermThatKnowsNoGroupsJudgesNothing() async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        let plugin = FakePlugin(clock: clock)
        let claimant = Replica.claimant("one")
        store.put(Change(group: "a", action: .set(GroupSpec.named("a").properties, plugin: "p"), status: .applied))
        store.seize(by: claimant)
        let gate = LeadershipGate(clock: clock)
        gate.open(epoch: 1, until: clock.now() + .seconds(60))
        let settings = KeeperSettings(
            election: try ElectionSettings(
                ttl: .seconds(90),
                renewDeadline: .seconds(60),
                pollInterval: .milliseconds(1500)
            ),
            pluginName: "p"
        )
        let keeper = GroupKeeper(
            store: store,
            plugin: plugin,
            gate: gate,
            board: StandingBoard(),
            clock: clock,
            settings: settings,
            claimant: claimant,
            heritage: { () throws(StoreError) in [] },
            orphanGuard: NoGuard(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            report: { _ in }
        )
        store.trouble(.fail(.io), at: .states)
        await keeper.assume(epoch: 1)
        store.trouble(nil, at: .states)
        let user = Caller(user: "ann", uid: 7, host: "here")
        for request in [GroupRequest.setSize(id: "a", 3), .free(id: "a"), .update(.named("a", 2))] {
            await #expect(
                performing: {
                    _ = try await keeper.carryOut(request, from: user)
                },
                throws: { error in
                    (error as? GroupError)?.code == .notLeader
                }
            )
        }
        #expect(store.revisions.count == 1 && plugin.calls.isEmpty)
        // The next term reads them.
        _ = await keeper.resign(epoch: 1, isOrderly: false)
        store.seize(by: claimant)
        gate.open(epoch: 2, until: clock.now() + .seconds(60))
        await keeper.assume(epoch: 2)
        _ = try await keeper.carryOut(.setSize(id: "a", 3), from: user)
        #expect(store.revisions.count == 2)
        await keeper.end()
    }
}
