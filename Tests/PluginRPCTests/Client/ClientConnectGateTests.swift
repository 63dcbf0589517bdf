import Synchronization
import Testing

@testable import PluginRPC

@Suite("The connecting gate")
struct ClientConnectGateTests {
    @Test("lets one in at a time, and forgets those who gave up")
    func oneAtATime() async throws {
        let gate = ConnectGate()
        #expect(await gate.enter())
        let inside = Crowd()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let task = Task {
                        guard await gate.enter() else { return }
                        inside.comes()
                        await Task.yield()
                        inside.goes()
                        gate.leave()
                    }
                    if number.isMultiple(of: 2) { task.cancel() }
                    await task.value
                }
            }
            // Those who were cancelled end although nobody leaves.
            for _ in 0..<100 { try await group.next() }
            #expect(inside.total == 0)
            gate.leave()
            try await group.waitForAll()
        }
        #expect(inside.most == 1)
        #expect(inside.total == 100)
        #expect(await gate.enter())
        gate.leave()
    }
}

/// Counts who is inside.
private final class Crowd: Sendable {
    private let state = Mutex((now: 0, most: 0, total: 0))

    var most: Int { state.withLock { $0.most } }
    var total: Int { state.withLock { $0.total } }

    func comes() {
        state.withLock { state in
            state.now += 1
            state.total += 1
            state.most = max(state.most, state.now)
        }
    }

    func goes() {
        state.withLock { $0.now -= 1 }
    }
}
