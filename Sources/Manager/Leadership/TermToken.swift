internal import Synchronization

/// One term of leadership, as seen by the work that is done under it: when the term ends, all of it is cancelled.
final class TermToken: Sendable {
    private struct State {
        var isEnded = false
        var nextKey = 0
        var cancellations: [Int: @Sendable () -> Void] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    let epoch: Int
    private let state = Mutex(State())

    init(epoch: Int) {
        self.epoch = epoch
    }

    var isEnded: Bool { state.withLock(\.isEnded) }

    /// Runs `body` and cancels it when the term ends, or when the caller is cancelled.
    ///
    /// The body runs in a task of its own, because what ends it is not its caller. It begins at once and stays where the caller
    /// runs, so that it costs no change of thread.
    ///
    /// Not on the caller's actor: the body begins here, and may look for a socket in a directory that does not answer.
    ///
    /// - Returns: nil when the term had ended before: then the body has not run.
    @concurrent func run<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) async -> Result? {
        guard let key = enter() else { return nil }
        let task = Task.immediate(executorPreference: Task.currentPreference) { await body() }
        let isEnded = state.withLock { state in
            state.cancellations[key] = { task.cancel() }
            return state.isEnded
        }
        if isEnded { task.cancel() }
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        let waiting = state.withLock { state in
            state.cancellations[key] = nil
            guard state.cancellations.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        return result
    }

    /// Notes that something runs under this term, which cannot be cancelled yet.
    ///
    /// - Returns: its key; nil when the term has ended.
    private func enter() -> Int? {
        state.withLock { state in
            guard !state.isEnded else { return nil }
            state.nextKey += 1
            state.cancellations[state.nextKey] = {}
            return state.nextKey
        }
    }

    func end() {
        let cancellations = state.withLock { state in
            state.isEnded = true
            return Array(state.cancellations.values)
        }
        for cancel in cancellations { cancel() }
    }

    /// Returns when nothing runs under this term any more.
    func drained() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.cancellations.isEmpty { state.waiting.append(continuation) }
                return state.cancellations.isEmpty
            }
            if isIdle { continuation.resume() }
        }
    }
}
