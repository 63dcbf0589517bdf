/// Work against the clock.
enum Race {
    /// Runs `body` and cancels it when the time is up; returns when `body` has ended.
    ///
    /// - Parameter body: ends promptly when it is cancelled.
    /// - Returns: what `body` returned.
    static func run<Value: Sendable>(
        until deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable () async -> Value
    ) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await body() }
            group.addTask {
                try? await Task.sleep(for: deadline - ContinuousClock.now, clock: .suspending)
                return nil
            }
            while let value = await group.next() {
                // Time is up, the caller has given up, or the work is done: in each case the other one ends now.
                group.cancelAll()
                if let value { return value }
            }
            return nil
        }
    }
}
