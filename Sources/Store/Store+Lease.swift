extension Store {
    /// One short read of the lease row.
    public func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        try await reader.run(within: timeout) { try $0.lease() }
    }

    /// Takes the lease over, if its row is still the one that was watched.
    ///
    /// - Returns: the new row; nil when the row had changed meanwhile.
    public func acquireLease(
        _ claimant: Claimant,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease? {
        try await writer.run(within: timeout) { connection in
            try connection.acquireLease(
                claimant,
                watched: (watched.epoch, watched.sequence),
                ttl: ttl,
                reason: reason,
                time: Store.wallClock()
            )
        }
    }

    /// - Throws: ``StoreError`` `fenced` when the lease is another's.
    public func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        try await writer.run(within: timeout) { try $0.renewLease(fence, time: Store.wallClock()) }
    }

    public func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        try await writer.run(within: timeout) { connection in
            try connection.releaseLease(fence, reason: reason, time: Store.wallClock())
        }
    }

    /// Every term of leadership, newest first.
    public func terms(within timeout: Duration) async throws(StoreError) -> [Term] {
        try await reader.run(within: timeout) { try $0.terms() }
    }
}
