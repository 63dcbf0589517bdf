internal import Synchronization

/// Lets writes be stored side by side, unless one is judged by more than the groups that it changes: nothing else is stored between
/// its judgement and its own storing, or the revision would not be what its user was told.
final class StoringGate: Sendable {
    private struct State {
        var running = 0
        var isAlone = false
        /// In the order in which they came, so that nobody waits for ever.
        var waiting: [(isAlone: Bool, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func enter(_ alone: Bool) -> Bool {
            guard !isAlone, !alone || running == 0 else { return false }
            running += 1
            isAlone = alone
            return true
        }
    }

    private let state = Mutex(State())

    /// How many wait for their turn.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// - Parameter alone: nothing else passes until `body` has ended.
    func pass<Result>(
        alone: Bool,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async -> Result
    ) async -> Result {
        await enter(alone)
        let result = await body()
        leave()
        return result
    }

    private func enter(_ alone: Bool) async {
        await withCheckedContinuation { continuation in
            let isIn = state.withLock { state in
                if state.waiting.isEmpty, state.enter(alone) { return true }
                state.waiting.append((alone, continuation))
                return false
            }
            if isIn { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            state.isAlone = false
            var next: [CheckedContinuation<Void, Never>] = []
            while let first = state.waiting.first, state.enter(first.isAlone) {
                next.append(first.continuation)
                state.waiting.removeFirst()
            }
            return next
        }
        for continuation in next { continuation.resume() }
    }
}
