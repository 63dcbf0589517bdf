import GroupSPI
import Store
import Testing

@testable import Manager

/// What becomes of a follower whose leader ends on the same host.
struct HolderEndTests {
    private func withFollower(_ body: (Replica) async throws -> Void) async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        store.seize(by: Replica.candidate("two"))
        let replica = try Replica(store: store, plugin: FakePlugin(clock: clock))
        try await withReplicas(replica) {
            try await eventually("it watches the leader") { replica.holderMonitor.lease?.holder == "two" }
            try await body(replica)
        }
    }

    @Test func itTakesOverLongBeforeTheNextLook() async throws {
        try await withFollower { replica in
            let (start, looks) = (replica.clock.now(), replica.store.count(.lease))
            replica.holderMonitor.end()
            try await eventually("it leads", on: replica.clock, step: .milliseconds(1)) {
                replica.standing.role == .leader
            }
            // All but the time over which followers spread is none that passes here.
            #expect(replica.clock.now() - start < .milliseconds(1000))
            #expect(replica.store.count(.lease) == looks + 1)
            try await eventually("it watches nobody") { replica.holderMonitor.lease == nil }
        }
    }

    @Test func itIsTheLookThatTells() async throws {
        try await withFollower { replica in
            let looks = replica.store.count(.lease)
            replica.holderMonitor.end()
            // Whoever has taken over meanwhile lives.
            replica.store.seize(by: Replica.candidate("three"))
            try await eventually("it has looked", on: replica.clock, step: .milliseconds(1)) {
                replica.holderMonitor.lease?.holder == "three"
            }
            #expect(replica.store.count(.lease) == looks + 1)
            #expect(replica.store.count(.acquire) == 0)
            #expect(replica.standing.role == .follower)
        }
    }

    @Test func whoLeadsWatchesNobodyAndTheWatchEndsWithTheManager() async throws {
        var watch: FakeLeaseHolderMonitor?
        try await withReplica { replica in
            try await replica.leads()
            watch = replica.holderMonitor
            #expect(replica.holderMonitor.lease == nil)
            replica.runtime.stop()
            try await eventually("it has stopped", on: replica.clock) { replica.isOver }
        }
        #expect(watch?.isStopped == true)
    }
}
