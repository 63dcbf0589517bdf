internal import Synchronization

/// The calls to the plugin that are under way in one term. When its lease ends they are cancelled; when it ends in order, those go on
/// that change something: what is cancelled may be carried out all the same, and later.
final class PluginCalls: Sendable {
    private struct Call {
        let outlives: Bool
        var cancel: @Sendable () -> Void = {}
    }

    private struct State {
        var nextKey = 0
        var calls: [Int: Call] = [:]
    }

    private let lease: LeaseValidity
    private let state = Mutex(State())
    private let underWay = WaitGroup()

    init(under lease: LeaseValidity) {
        self.lease = lease
        lease.whenEnded { [weak self] ending in self?.cancel(ending) }
    }

    /// Whether no call is under way.
    var isIdle: Bool { underWay.isIdle }

    /// Runs `body` and cancels it when the lease ends, or when the caller is cancelled.
    ///
    /// The body runs in a task of its own, because what ends it is not its caller. It begins at once and stays where the caller
    /// runs, so that it costs no change of thread.
    ///
    /// Not on the caller's actor: the body begins here, and may look for a socket in a directory that does not answer.
    ///
    /// - Parameter outlives: it goes on when the lease ends in order.
    /// - Returns: nil when the lease was over before: then the body has not run.
    @concurrent func run<Result: Sendable>(
        outliving outlives: Bool = false,
        _ body: @escaping @Sendable () async -> Result
    ) async -> Result? {
        underWay.add()
        defer { underWay.done() }
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        let task = Task.immediate(executorPreference: Task.currentPreference) { [lease] () async -> Result? in
            lease.isValid ? await body() : nil
        }
        state.withLock { $0.calls[key] = Call(outlives: outlives) { task.cancel() } }
        defer { state.withLock { $0.calls[key] = nil } }
        // It may have ended on the way here.
        if let ending = lease.ending, ending == .immediate || !outlives { task.cancel() }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func cancel(_ ending: LeaseValidity.Ending) {
        let ended = state.withLock { $0.calls.values.filter { ending == .immediate || !$0.outlives } }
        for call in ended { call.cancel() }
    }

    /// Returns when no call is under way any more.
    func drained() async { await underWay.wait() }
}
