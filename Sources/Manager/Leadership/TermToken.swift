internal import Synchronization

/// One term of leadership, as seen by the work that is done under it: when the term ends, all of it is cancelled. When it ends
/// in order, what has begun and changes something goes on: what is cancelled may be carried out all the same, and later.
final class TermToken: Sendable {
    private struct State {
        var isEnded = false
        var isPatient = false
        var nextKey = 0
        var cancellations: [Int: Cancellation] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private struct Cancellation {
        let outlives: Bool
        var cancel: @Sendable () -> Void = {}
    }

    let epoch: Int
    private let state = Mutex(State())

    init(epoch: Int) {
        self.epoch = epoch
    }

    var isEnded: Bool { state.withLock(\.isEnded) }
    /// It has ended in order, and what goes on under it was not cancelled since.
    var isPatient: Bool { state.withLock(\.isPatient) }
    /// Whether nothing runs under it.
    var isIdle: Bool { state.withLock(\.cancellations.isEmpty) }

    /// Runs `body` and cancels it when the term ends, or when the caller is cancelled.
    ///
    /// The body runs in a task of its own, because what ends it is not its caller. It begins at once and stays where the caller
    /// runs, so that it costs no change of thread.
    ///
    /// Not on the caller's actor: the body begins here, and may look for a socket in a directory that does not answer.
    ///
    /// - Parameter outlives: it goes on when the term ends in order.
    /// - Returns: nil when the term had ended before: then the body has not run.
    @concurrent func run<Result: Sendable>(
        outliving outlives: Bool = false,
        _ body: @escaping @Sendable () async -> Result
    ) async -> Result? {
        guard let key = enter(outlives) else { return nil }
        let task = Task.immediate(executorPreference: Task.currentPreference) { await body() }
        let isEnded = state.withLock { state in
            state.cancellations[key] = Cancellation(outlives: outlives) { task.cancel() }
            return state.isEnded && !(outlives && state.isPatient)
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
    private func enter(_ outlives: Bool) -> Int? {
        state.withLock { state in
            guard !state.isEnded else { return nil }
            state.nextKey += 1
            state.cancellations[state.nextKey] = Cancellation(outlives: outlives)
            return state.nextKey
        }
    }

    /// - Parameter isPatient: in order; see ``run(outliving:_:)``.
    func end(patiently isPatient: Bool = false) {
        let cancellations = state.withLock { state in
            // What has ended at once does not become patient later.
            state.isPatient = isPatient && (state.isPatient || !state.isEnded)
            state.isEnded = true
            return state.cancellations.values.filter { !state.isPatient || !$0.outlives }.map(\.cancel)
        }
        for cancel in cancellations { cancel() }
    }

    /// Cancels also what was to go on.
    func cancelAll() { end() }

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
