internal import NIOCore

/// Work against the clock.
enum Race {
    /// Runs `body` where the caller runs, and cancels it when the time is up, or when the caller is; returns when `body` has
    /// ended.
    ///
    /// The clock is an event loop's, because that one forgets a timer that is not needed any more. A task that sleeps does
    /// not: cancelled, it leaves its timer behind until the time has come, and of a busy manager's calls there are many
    /// thousands within one timeout.
    ///
    /// - Parameter body: ends promptly when it is cancelled.
    static func run<Value: Sendable>(
        until deadline: ContinuousClock.Instant,
        on loop: any EventLoop,
        _ body: @escaping @Sendable () async -> Value
    ) async -> Value {
        let (isLate, executor) = (Task.isCancelled, withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() })
        // Not a child task: the timer could not cancel one.
        let task = Task.immediate(executorPreference: executor) {
            // It may begin before it can be cancelled from outside.
            if isLate { withUnsafeCurrentTask { $0?.cancel() } }
            return await body()
        }
        let rest = max(.zero, deadline - ContinuousClock.now)
        let timer = loop.scheduleTask(in: TimeAmount(rest)) { task.cancel() }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
