import GroupSPI
import Store
import Testing

@testable import Manager

/// The end of a manager.
struct StopTests {
    private func ends(_ replica: Replica) async throws {
        try await eventually("it has ended", on: replica.clock) { replica.isOver }
    }

    @Test func letsItsGroupsGoAndGivesTheLeaseBack() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group: Identifier in ["a", "b"] { _ = try await replica.commit(group) }
            replica.runtime.stop()
            try await ends(replica)
            #expect(replica.plugin.watched.isEmpty)
            #expect(!replica.plugin.calls.contains { if case .destroy = $0 { true } else { false } })
            // The epoch stays, the holder empties: the next one takes over at once.
            #expect(replica.store.lease.epoch == 1 && !replica.store.lease.isHeld)
            #expect(replica.orphanGuard.orders.suffix(2) == [.disarm, .stop])
            #expect(await replica.error(.watch(.named("c")))?.code == .notLeader)
            #expect(replica.store.revisions.count == 2)
        }
    }

    @Test func refusesWritesAtOnce() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            let gate = Gate()
            replica.plugin.script { $0.isFree ? .hang(gate) : nil }
            replica.runtime.stop()
            try await eventually("it frees") { gate.waiting == 1 }
            #expect(await replica.error(.watch(.named("b")))?.code == .notLeader)
            #expect(!replica.isOver)
            #expect(replica.store.lease.isHeld)
            gate.open()
            try await ends(replica)
        }
    }

    @Test func aFollowerEndsAtOnce() async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        store.seize(by: Replica.candidate("two"))
        let replica = try Replica(store: store, plugin: FakePlugin(clock: clock))
        try await withReplicas(replica) {
            try await eventually("it follows") { replica.standing.role == .follower }
            replica.runtime.stop()
            try await ends(replica)
            #expect(store.lease.holder == "two")
        }
    }

    @Test func endsAlsoWithoutAStore() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            let gate = Gate()
            replica.store.trouble(.hang(gate), at: .renew, .release, .lease, .requests, .outcomes)
            replica.runtime.stop()
            try await ends(replica)
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    /// A guard that never obeys must not keep the manager from ending.
    @Test func endsAlsoWithoutAGuard() async throws {
        let guardian = FakeGuard(isReady: false)
        try await withReplica(orphanGuard: guardian) { replica in
            try await eventually("it holds the lease") { replica.holdsLease }
            try await eventually("the guard is asked") { guardian.waiting == 1 }
            replica.runtime.stop()
            try await ends(replica)
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    /// When its time is up it ends, whatever hangs: then the guard, which is still armed, does the rest.
    @Test func endsWhenItIsCancelled() async throws {
        let clock = TestClock()
        let (store, plugin) = (MemoryStore(clock: clock), FakePlugin(clock: clock))
        let replica = try Replica(store: store, plugin: plugin)
        let run = Task { await replica.run() }
        try await replica.leads()
        _ = try await replica.commit("a")
        let gate = Gate()
        plugin.script { _ in .hang(gate) }
        replica.runtime.stop()
        try await eventually("it frees") { gate.waiting > 0 }
        run.cancel()
        await run.value
        #expect(replica.orphanGuard.orders.last == .stop)
        #expect(!replica.orphanGuard.orders.contains(.disarm))
        #expect(store.lease.isHeld)
    }

    @Test func nothingGoesOnAfterTheEnd() async throws {
        let clock = TestClock()
        let (store, plugin) = (MemoryStore(clock: clock), FakePlugin(clock: clock))
        let replica = try Replica(store: store, plugin: plugin)
        let run = Task { await replica.run() }
        try await replica.leads()
        _ = try await replica.commit("a")
        // In the middle of a term.
        run.cancel()
        await run.value
        #expect(await replica.error(.watch(.named("b")))?.code == .notLeader)
        let calls = store.calls + plugin.calls.count
        try await pass(.seconds(200), on: clock, step: .seconds(5))
        #expect(store.calls + plugin.calls.count == calls)
        #expect(clock.sleepers == 0)
    }

    @Test func anotherTakesOverWithinOnePoll() async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        let one = try Replica("one", store: store, plugin: FakePlugin(clock: clock))
        let two = try Replica("two", store: store, plugin: FakePlugin(clock: clock))
        try await withReplicas(one, two) {
            try await eventually("one of them leads", on: clock) { store.lease.isHeld }
            let (first, second) = store.lease.holder == "one" ? (one, two) : (two, one)
            try await first.leads()
            for group: Identifier in ["a", "b"] { _ = try await first.commit(group) }
            try await eventually("the other follows", on: clock) { second.standing.role == .follower }
            first.runtime.stop()
            try await ends(first)
            #expect(first.plugin.watched.isEmpty)
            let end = clock.now()
            try await eventually("the other leads", on: clock) { store.lease.epoch == 2 }
            #expect(clock.now() - end <= .milliseconds(1700))
            try await eventually("it has the groups") { second.plugin.watched == ["a", "b"] }
            #expect(second.plugin.groups == ["a": .named("a"), "b": .named("b")])
        }
    }
}
