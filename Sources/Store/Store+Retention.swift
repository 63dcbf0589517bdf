extension Store {
    /// Removes the next revisions that a policy does not keep. Call again with the position until there is none.
    ///
    /// - Throws: ``StoreError`` `fenced` when another leads.
    public func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        // What is gone is gone, and what is not goes with the next step.
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { [clock] connection in
                try connection.prune(
                    policy,
                    after: position,
                    count: Self.pruneLength,
                    fence: fence,
                    time: Store.wallClock(),
                    elapsed: try clock.elapsed(connection)
                )
            }
        )
    }

    /// How many revisions a step looks at: some milliseconds' work, so that no renewal waits for it.
    static let pruneLength = 200

    public func retention(within timeout: Duration) async throws(StoreError) -> Retention {
        try await reader.run(within: timeout) { try $0.retention() }
    }
}
