extension Store {
    /// One short read of the lease row. One of an older state than was seen before is marked, so that nobody acts on it, and
    /// has a ``Lease/suspension``.
    public func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        let startedAt = memory?.now() ?? 0
        // Before the reading begins: what is stored meanwhile it need not show.
        let seen = memory?.seen
        let (lease, isLacking) = try await reader.run(within: timeout) { [clock] connection in
            try clock.look(connection)
            let lease = try connection.lease()
            return (lease, try seen.map { try connection.lacks($0, by: lease) } ?? false)
        }
        guard let memory else { return lease }
        guard isLacking else {
            memory.note(lease, readSince: startedAt)
            return lease
        }
        return try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { connection in
                let row = try connection.lease()
                guard try connection.lacks(memory.seen, by: row) else { return row }
                let witness = memory.witness(nil, on: connection.device)
                return try connection.suspend(row, by: witness, time: Store.wallClock())
            }
        )
    }

    /// Goes on from an older state on which nobody acts; see ``Suspension``.
    ///
    /// - Returns: the newest revision that is kept, and the number of the next one.
    /// - Throws: ``StoreError`` `conflict` when nothing is suspended.
    public func acceptOlderState(within timeout: Duration) async throws(StoreError) -> (newest: Int, next: Int) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.lease().suspension == nil },
            { connection in
                try connection.acceptOlderState(time: Store.wallClock())
                return (try connection.newestRevisionNumber, try connection.head().map { $0.number + 1 } ?? 1)
            }
        )
    }

    /// Takes the lease over, if its row is still the one that was watched.
    ///
    /// - Returns: the new row; nil when the row had changed meanwhile.
    public func acquireLease(
        _ candidate: Candidate,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease? {
        let startedAt = memory?.now() ?? 0
        let (lease, device): (Lease?, UInt?) = try await writer.run(
            within: timeout,
            verify: { try Self.isStored($0, $1.0) },
            { [clock] connection in
                let lease = try connection.acquireLease(
                    candidate,
                    watched: (watched.epoch, watched.sequence),
                    ttl: ttl,
                    reason: reason,
                    time: Store.wallClock(),
                    elapsed: try clock.begin(connection)
                )
                return (lease, connection.device)
            }
        )
        if let lease { memory?.begin(lease, since: startedAt, for: timeout, on: device) }
        return lease
    }

    /// - Returns: the row, with a ``Lease/suspension`` when this replica holds the lease and must not act.
    /// - Throws: ``StoreError``: `fenced` when the lease is another's; `stale` when it is, in an older state.
    public func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        let startedAt = memory?.now() ?? 0
        let lease: Lease = try await writer.run(
            within: timeout,
            verify: { try Self.isStored($0, $1) },
            { [clock] connection in
                try connection.renewLease(fence, time: Store.wallClock(), elapsed: try clock.elapsed(connection))
            }
        )
        guard lease.isHeld(by: fence) else { throw StoreError.stale(path) }
        memory?.renewed(lease, since: startedAt, for: timeout)
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
