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
        let candidate = Replica.candidate("one")
        store.put(Change(group: "a", action: .set(GroupSpec.named("a").properties, plugin: "p"), status: .applied))
        store.seize(by: candidate)
        let settings = TermSettings(
            election: try ElectionSettings(
                ttl: .seconds(90),
                renewDeadline: .seconds(60),
                pollInterval: .milliseconds(1500)
            ),
            pluginName: "p"
        )
        let reports = Shared(0)
        let supervisor = TermSupervisor(
            TermDependencies(
                store: store,
                plugin: plugin,
                board: RoleObserver(),
                clock: clock,
                settings: settings,
                candidate: candidate,
                orphanGuard: NoGuard(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                report: { _ in reports.update { $0 += 1 } }
            ),
            leaseClock: clock,
            legacyConfig: { () throws(StoreError) in [] }
        )
        let running = Task { await supervisor.run() }
        store.trouble(.fail(.io), at: .states)
        supervisor.assume(epoch: 1, until: clock.now() + .seconds(60))
        try await eventually("the election is told") { reports.value == 1 }
        store.trouble(nil, at: .states)
        let user = Caller(user: "ann", uid: 7, host: "here")
        for request in [GroupRequest.setSize(id: "a", 3), .free(id: "a"), .update(.named("a", 2))] {
            await #expect(
                performing: {
                    _ = try await supervisor.carryOut(request, from: user)
                },
                throws: { error in
                    (error as? GroupError)?.code == .notLeader
                }
            )
        }
        #expect(store.revisions.count == 1 && plugin.calls.isEmpty)
        // The next term reads them.
        supervisor.end(isOrderly: false)
        _ = await supervisor.resign(epoch: 1, isOrderly: false)
        store.seize(by: candidate)
        supervisor.assume(epoch: 2, until: clock.now() + .seconds(60))
        try await eventually("the term has begun") { await supervisor.term() != nil }
        _ = try await supervisor.carryOut(.setSize(id: "a", 3), from: user)
        #expect(store.revisions.count == 2)
        await supervisor.close()
        await running.value
        #expect(await supervisor.term() == nil)
    }
}
