internal import Synchronization

/// One term of leadership, as seen by the work that is done under it: when the term ends, all of it is cancelled.
final class TermToken: Sendable {
    private struct State {
        var isEnded = false
        var nextKey = 0
        var cancellations: [Int: @Sendable () -> Void] = [:]
    }

    let epoch: Int
    private let state = Mutex(State())

    init(epoch: Int) {
        self.epoch = epoch
    }

    var isEnded: Bool { state.withLock(\.isEnded) }

    /// Runs `body` and cancels it when the term ends, or when the caller is cancelled.
    ///
    /// The body runs in a task of its own, because what ends it is not its caller.
    func run<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) async -> Result {
        let task = Task { await body() }
        let key = state.withLock { state -> Int? in
            guard !state.isEnded else { return nil }
            state.nextKey += 1
            state.cancellations[state.nextKey] = { task.cancel() }
            return state.nextKey
        }
        if key == nil { task.cancel() }
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        if let key { _ = state.withLock { $0.cancellations.removeValue(forKey: key) } }
        return result
    }

    func end() {
        let cancellations = state.withLock { state in
            state.isEnded = true
            defer { state.cancellations.removeAll() }
            return Array(state.cancellations.values)
        }
        for cancel in cancellations { cancel() }
    }
}
