import Manager
import Store
import Synchronization

/// A clock that stands still until a test moves it.
final class TestClock: ManagerClock {
    private struct State {
        var now = BootInstant(nanoseconds: 1_000_000_000_000)
        /// What the wall clock was set to be off by, in milliseconds.
        var wallOffset = 0
        var nextKey = 0
        var sleepers: [Int: (instant: BootInstant, continuation: CheckedContinuation<Bool, Never>)] = [:]
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    func now() -> BootInstant { state.withLock(\.now) }

    func wallTime() -> Int { Store.wallClock() + state.withLock(\.wallOffset) }

    /// Somebody sets the wall clock.
    func setWall(_ offset: Int) { state.withLock { $0.wallOffset = offset } }

    /// - Returns: how many tasks that woke up.
    @discardableResult
    func advance(by duration: Duration) -> Int {
        let due = state.withLock { state in
            state.now = state.now + duration
            let due = state.sleepers.filter { $0.value.instant <= state.now }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.sorted { $0.instant < $1.instant }
        }
        for sleeper in due { sleeper.continuation.resume(returning: true) }
        return due.count
    }

    /// Moves on, and waits until as many tasks sleep as before: what the step woke up has done its work and sleeps again.
    /// A task that does not come back, because it has ended, is given up soon.
    func step(by duration: Duration) async throws {
        let before = sleepers
        guard advance(by: duration) > 0 else { return await Task.yield() }
        for _ in 0..<100 where sleepers < before {
            try await Task.sleep(for: .milliseconds(1), clock: .suspending)
        }
    }

    /// How many tasks wait for this clock.
    var sleepers: Int { state.withLock(\.sleepers.count) }

    func sleep(until instant: BootInstant) async throws {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        let isOver = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.cancelled.remove(key) != nil { return false }
                    if instant <= state.now { return true }
                    state.sleepers[key] = (instant, continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: key)
                if sleeper == nil { state.cancelled.insert(key) }
                return sleeper
            }
            sleeper?.continuation.resume(returning: false)
        }
        state.withLock { _ = $0.cancelled.remove(key) }
        if !isOver { throw CancellationError() }
    }
}
