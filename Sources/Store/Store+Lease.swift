extension Store {
    /// One short read of the lease row.
    public func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        try await reader.run(within: timeout) { [clock] connection in
            try clock.look(connection)
            return try connection.lease()
        }
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
        try await writer.run(within: timeout, verify: Self.isStored) { [clock] connection in
            try connection.acquireLease(
                claimant,
                watched: (watched.epoch, watched.sequence),
                ttl: ttl,
                reason: reason,
                time: Store.wallClock(),
                elapsed: try clock.begin(connection)
            )
        }
    }

    /// - Throws: ``StoreError`` `fenced` when the lease is another's.
    public func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        try await writer.run(within: timeout, verify: Self.isStored) { [clock] connection in
            try connection.renewLease(fence, time: Store.wallClock(), elapsed: try clock.elapsed(connection))
        }
    }

    public func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try !connection.holdsLease(fence) },
            { try $0.releaseLease(fence, reason: reason, time: Store.wallClock()) }
        )
    }

    /// Tells, after a commit whose outcome is unknown, whether the row was written: nobody else writes in that epoch, and
    /// the sequence only rises.
    private static func isStored(_ connection: Connection, _ written: Lease?) throws -> Bool {
        guard let written else { return true }
        let lease = try connection.lease()
        return lease.instance == written.instance && lease.epoch == written.epoch && lease.sequence >= written.sequence
    }

    /// Every term of leadership, newest first.
    public func terms(within timeout: Duration) async throws(StoreError) -> [Term] {
        try await reader.run(within: timeout) { try $0.terms() }
    }
}
