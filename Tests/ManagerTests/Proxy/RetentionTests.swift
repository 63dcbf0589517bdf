import GroupSPI
import Store
import Testing

@testable import Manager

/// The leader removes what the policy does not keep.
struct RetentionTests {
    private let policy = RetentionPolicy(limit: 5, maximumAge: 3_600_000)

    private func adjust(_ settings: inout TermSettings) {
        settings.retention = policy
        settings.tidyInterval = .seconds(60)
    }

    /// - Parameter trouble: with every step, from the start.
    private func withPolicy(
        _ trouble: MemoryStore.Trouble? = nil,
        _ body: (Replica) async throws -> Void
    ) async throws {
        let prepare = { (store: MemoryStore, _: FakePlugin) in store.trouble(trouble, at: .prune) }
        try await withReplica(adjust: adjust, prepare: prepare) { try await body($0) }
    }

    /// The store in memory has three steps' work for each time.
    private func steps(_ epoch: Int) -> [MemoryStore.Pruning] {
        [0, 200, 400].map { MemoryStore.Pruning(policy: policy, position: $0, epoch: epoch) }
    }

    @Test func atTheStartAndAgainAndAgainUntilNothingIsLeft() async throws {
        try await withPolicy { replica in
            try await replica.leads()
            let start = replica.clock.now()
            try await eventually("it is done", on: replica.clock, step: .milliseconds(20)) {
                replica.store.prunings.count == 3
            }
            #expect(replica.clock.now() - start < .seconds(20), "not at the start")
            #expect(replica.store.prunings == steps(1))
            let first = replica.clock.now()
            try await eventually("it is done again", on: replica.clock) { replica.store.prunings.count == 6 }
            #expect(replica.clock.now() - first > .seconds(50), "too often")
            #expect(replica.clock.now() - first < .seconds(75), "too seldom")
            #expect(replica.store.prunings == steps(1) + steps(1))
            // The next term does it under its own fence.
            try await replica.leadAgain()
            try await eventually("it is done in the next term", on: replica.clock, step: .milliseconds(20)) {
                replica.store.prunings.last?.epoch == 2 && replica.store.prunings.count % 3 == 0
            }
            #expect(Array(replica.store.prunings.suffix(3)) == steps(2))
        }
    }

    @Test func stopsWhenTheTermEnds() async throws {
        let gate = Gate()
        try await withPolicy(.late(gate)) { replica in
            try await eventually("a step is under way", on: replica.clock, step: .milliseconds(20)) {
                gate.waiting == 1
            }
            replica.orphanGuard.inhibit("not now")
            try await eventually("it does not lead") { replica.store.count(.release) == 1 }
            #expect(replica.store.count(.prune) == 1)
            replica.store.trouble(nil, at: .prune)
            gate.open()
            try await pass(.seconds(5), on: replica.clock)
            #expect(replica.store.count(.prune) == 1, "it went on after its term")
        }
    }

    @Test func aStoreThatFailsIsAskedAgainNextTime() async throws {
        try await withPolicy(.fail(.busy)) { replica in
            try await replica.leads()
            try await eventually("it was tried", on: replica.clock) { replica.store.count(.prune) == 1 }
            replica.store.trouble(nil, at: .prune)
            try await eventually("it is done", on: replica.clock) { replica.store.prunings.count == 3 }
            #expect(replica.store.prunings == steps(1))
            #expect(replica.store.lease.epoch == 1 && replica.standing.role == .leader)
        }
    }

    @Test func withoutAPolicyNothingIsRemoved() async throws {
        try await withReplica { replica in
            try await replica.leads()
            try await eventually("it has tidied twice", on: replica.clock) { replica.store.count(.forget) == 2 }
            #expect(replica.store.count(.prune) == 0)
        }
    }

    /// Counted by what this leader has seen pass: the times are of clocks that are ten years off.
    @Test(arguments: [0, -315_360_000_000, 315_360_000_000])
    func requestsThatEndedAreForgottenAfterMinutesOfThisLeader(_ off: Int) async throws {
        try await withReplica { replica in
            try await replica.leads()
            let time = Store.wallClock() + off
            for id in ["one", "two"] {
                replica.store.submit(
                    Request(id: id, kind: .stepDown, author: MemoryStore.author, time: time, patience: 1000)
                )
            }
            replica.store.cancel("one")
            replica.store.cancel("two")
            let start = replica.clock.now()
            try await eventually("they are forgotten", on: replica.clock, step: .seconds(1)) {
                replica.store.requests.isEmpty
            }
            #expect(replica.clock.now() - start > .seconds(240), "whoever asked could not read it any more")
            #expect(replica.clock.now() - start < .seconds(480))
        }
    }
}
