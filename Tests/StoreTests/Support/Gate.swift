import Dispatch
import Synchronization

/// Holds a database thread where a server that is away would hold it.
final class Gate: Sendable {
    private let state = Mutex((isShut: true, arrivals: 0))
    private let opened = DispatchSemaphore(value: 0)

    /// Blocks until the gate is open.
    func pass() {
        let mustWait = state.withLock { state in
            state.arrivals += 1
            return state.isShut
        }
        guard mustWait else { return }
        opened.wait()
        opened.signal()
    }

    func open() {
        state.withLock { $0.isShut = false }
        opened.signal()
    }

    /// Returns when somebody stands before the gate.
    func untilReached() async throws {
        while state.withLock({ $0.arrivals == 0 }) { try await Task.sleep(for: .milliseconds(1), clock: .suspending) }
    }
}
