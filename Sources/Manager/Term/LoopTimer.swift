internal import Synchronization

/// Lets one loop of a term sleep. What becomes due earlier wakes it up, and so does the end of the lease.
final class LoopTimer: Sendable {
    private struct State {
        var sleeper: Task<Void, Never>?
        /// Nil between two sleeps, when the loop will look by itself.
        var end: BootInstant?
        var isStopped = false
    }

    private let clock: any ManagerClock
    private let state = Mutex(State())

    init(_ clock: any ManagerClock, under lease: LeaseValidity) {
        self.clock = clock
        lease.whenEnded { [weak self] _ in self?.stop() }
    }

    /// Returns at that moment, when it is woken up, or when the lease has ended.
    func sleep(until instant: BootInstant) async {
        // A task of its own, so that `wake` can end it.
        let sleeper = Task { [clock] in _ = try? await clock.sleep(until: instant) }
        let isStopped = state.withLock { state in
            (state.sleeper, state.end) = (sleeper, instant)
            return state.isStopped
        }
        if isStopped { sleeper.cancel() }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { ($0.sleeper, $0.end) = (nil, nil) }
    }

    func wake() { state.withLock(\.sleeper)?.cancel() }

    /// Something is due then.
    func wake(for due: BootInstant?) {
        guard let due, let end = state.withLock(\.end), due < end else { return }
        wake()
    }

    private func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }
}
