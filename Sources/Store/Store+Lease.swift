extension Store {
    /// One short read of the lease row. One of an older state than was seen before is marked, so that nobody acts on it, and
    /// has a ``Lease/suspension``.
    public func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        let lease = try await reader.run(within: timeout) { try $0.lease() }
        guard let memory else { return lease }
        guard lease.suspension == nil, !memory.current.seen.isReached(by: lease) else {
            memory.note(lease)
            return lease
        }
        return try await writer.run(within: timeout, verify: { _, _ in true }) { connection in
            let (row, seen) = (try connection.lease(), memory.current.seen)
            guard row.suspension == nil, !seen.isReached(by: row) else { return row }
            return try connection.suspend(row, seen: seen, own: nil, time: Store.wallClock())
        }
    }

    /// Goes on from an older state on which nobody acts; see ``Suspension``.
    ///
    /// - Returns: what was suspended, and the newest revision that is there.
    /// - Throws: ``StoreError`` `conflict` when nothing is suspended.
    public func acceptOlderState(within timeout: Duration) async throws(StoreError) -> (Suspension, newest: Int) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.lease().suspension == nil },
            { (try $0.acceptOlderState(time: Store.wallClock()), newest: try $0.newestRevisionNumber) }
        )
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
        let (lease, device): (Lease?, UInt?) = try await writer.run(
            within: timeout,
            verify: { try Self.isStored($0, $1.0) }
        ) { connection in
            let lease = try connection.acquireLease(
                claimant,
                watched: (watched.epoch, watched.sequence),
                ttl: ttl,
                reason: reason,
                time: Store.wallClock()
            )
            return (lease, connection.device)
        }
        if let lease { memory?.begin(lease, on: device) }
        return lease
    }

    /// - Returns: the row, with a ``Lease/suspension`` when this replica holds the lease and must not act.
    /// - Throws: ``StoreError``: `fenced` when the lease is another's; `stale` when it is, in an older state.
    public func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        let lease: Lease = try await writer.run(
            within: timeout,
            verify: { try Self.isStored($0, $1) },
            { try $0.renewLease(fence, time: Store.wallClock()) }
        )
        guard lease.isHeld(by: fence) else { throw StoreError.stale(path) }
        memory?.note(lease)
        return lease
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
