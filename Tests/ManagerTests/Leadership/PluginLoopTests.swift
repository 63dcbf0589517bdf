import GroupSPI
import Synchronization
import Testing

@testable import Manager

/// Managers that name each other as their plugins.
struct PluginLoopTests {
    private final class Answer: Sendable {
        let isLoop = Mutex<Bool?>(true)
        let asked = Mutex<[[Identifier]]>([])

        func set(_ isLoop: Bool?) { self.isLoop.withLock { $0 = isLoop } }

        func answer(_ managers: [Identifier]) -> Bool? {
            asked.withLock { $0.append(managers) }
            return isLoop.withLock(\.self)
        }
    }

    @Test func aManagerWhosePluginLeadsBackToItDoesNotLead() async throws {
        let answer = Answer()
        let clock = TestClock()
        let replica = try Replica(
            store: MemoryStore(clock: clock),
            plugin: FakePlugin(clock: clock),
            findLoop: { managers, _ in answer.answer(managers) }
        )
        try await withReplicas(replica) {
            try await eventually("it says why", on: clock) {
                replica.standing.reason.contains("forwards to this one")
            }
            let refusal = try #require(await replica.error(.watch(.named("a"))))
            #expect(
                refusal.message.contains("'group-stateless' is a manager that forwards to this one"),
                "\(refusal)"
            )
            #expect(await !replica.proxy.isLeader())
            // It is mended: found without a restart.
            answer.set(false)
            try await eventually("it leads", on: clock) { await replica.proxy.isLeader() }
            _ = try await replica.commit("a")
            // What cannot be told says nothing.
            answer.set(nil)
            try await pass(.seconds(60), on: clock)
            #expect(await replica.proxy.isLeader())
            answer.set(true)
            try await eventually("it has let go", on: clock) { replica.store.count(.release) > 0 }
            #expect(await !replica.proxy.isLeader())
            #expect(answer.asked.withLock { $0.allSatisfy { $0 == ["one-instance"] } })
        }
    }

    @Test func whoIsAskedPassesTheQuestionOn() async throws {
        let answer = Answer()
        let clock = TestClock()
        let replica = try Replica(
            store: MemoryStore(clock: clock),
            plugin: FakePlugin(clock: clock),
            findLoop: { managers, _ in answer.answer(managers) }
        )
        for isLoop in [true, false, nil] {
            answer.set(isLoop)
            #expect(await replica.proxy.findLoop(through: ["x", "y"]) == isLoop)
        }
        #expect(answer.asked.withLock { $0 == Array(repeating: ["x", "y", "one-instance"], count: 3) })
        #expect(await replica.proxy.findLoop(through: ["x", "one-instance", "y"]) == true)
        // However they do it, calls do not go through many managers.
        #expect(await replica.proxy.findLoop(through: (0..<8).map { "m\($0)" }) == true)
        #expect(answer.asked.withLock(\.count) == 3)
    }
}
