import Store
import Testing

@testable import Manager

/// What the service manager's watchdog goes by.
struct HeartbeatTests {
    @Test func theLoopTurnsInTimeAlsoWhileTheStoreHangs() async throws {
        try await withReplica { replica in
            try await replica.leads()
            let gate = Gate()
            replica.store.trouble(.hang(gate), at: .lease, .acquire, .renew, .release, .requests, .outcomes, .states)
            let end = replica.clock.now() + .seconds(600)
            while replica.clock.now() < end {
                try await pass(.seconds(5), on: replica.clock, step: .seconds(1))
                #expect(replica.runtime.isTurning)
            }
            #expect(replica.standing.role != .leader)
            gate.open()
        }
    }

    @Test func aLoopThatStandsStillDoesNotTurn() async throws {
        let clock = TestClock()
        let replica = try Replica(store: MemoryStore(clock: clock), plugin: FakePlugin(clock: clock))
        // Nobody runs it.
        clock.advance(by: .seconds(180))
        #expect(replica.runtime.isTurning)
        clock.advance(by: .milliseconds(1))
        #expect(!replica.runtime.isTurning)
    }
}
