internal import GroupSPI

extension Connection {
    /// - Throws: ``StoreError`` `corrupt` when the row is gone: nothing ever deletes it.
    func lease() throws -> Lease {
        let lease = try first(
            """
            SELECT holder, instance, epoch, sequence, ttl, acquired_at, renewed_at, expires_at,
                host, boot_id, pid_namespace, pid, start_time, socket, plugin_socket, guard_lock, revision, hash,
                seen_epoch, seen_sequence, seen_revision, seen_hash, last_epoch, last_number, is_exact
            FROM lease WHERE id = 1
            """
        ) { row in
            Lease(
                holder: row.identifier(0),
                instance: row.text(1),
                epoch: row.int(2),
                sequence: row.int(3),
                ttl: row.int(4),
                acquiredAt: row.int(5),
                renewedAt: row.int(6),
                expiresAt: row.int(7),
                process: ProcessIdentity(
                    host: row.identifier(8),
                    bootID: row.text(9),
                    pidNamespace: row.text(10),
                    pid: row.int(11),
                    startTime: row.int(12)
                ),
                socket: row.text(13),
                pluginSocket: row.text(14),
                guardLock: row.text(15),
                revision: row.int(16),
                hash: row.blob(17),
                suspension: row.optionalInt(18).map { epoch in
                    var seen = Watermark()
                    (seen.epoch, seen.sequence) = (epoch, row.int(19))
                    (seen.revision, seen.hash) = (row.int(20), row.blob(21))
                    return Suspension(
                        seen: seen,
                        lastEpoch: row.int(22),
                        lastNumber: row.int(23),
                        isExact: row.int(24) == 1
                    )
                }
            )
        }
        guard let lease else {
            throw StoreError(.corrupt, "\(path) has no lease row. Stop the managers and restore a backup.")
        }
        return lease
    }

    func holdsLease(_ fence: Fence) throws -> Bool {
        try first(
            "SELECT 1 FROM lease WHERE id = 1 AND instance = ? AND epoch = ? AND holder <> ''",
            .text(fence.instance),
            .int(fence.epoch),
            row: { _ in true }
        ) == true
    }

    /// - Throws: ``StoreError``: `fenced` unless that instance holds the lease at that epoch; `stale` when the database does
    ///   not hold what this process has seen of it.
    func requireLease(_ fence: Fence) throws {
        if let known = transactionCache?.fence, known == fence { return }
        if let seen = memory?.seen {
            let row = try lease()
            // Asked once for what comes in this transaction.
            _ = try head()
            guard try !isOlder(row, than: seen) else { throw StoreError.stale(path) }
            guard row.isHeld(by: fence) else { throw StoreError.fenced(row) }
            // What was accepted is not what the leader of before goes on from.
            guard try holding(seen) == .all else { throw StoreError.stale(path) }
        } else {
            guard try holdsLease(fence) else { throw StoreError.fenced(try lease()) }
        }
        transactionCache?.fence = fence
    }

    /// Takes the lease over, if the row is still the one that the claimant has watched.
    ///
    /// - Parameters:
    ///   - watched: the row as it was seen; any change of it since means that its holder lives, or another was faster.
    ///   - reason: why the term before ended, for the log of terms.
    ///   - elapsed: how much time this history has seen pass, in milliseconds.
    /// - Returns: the new row; nil when the row had changed.
    func acquireLease(
        _ candidate: Candidate,
        watched: (epoch: Int, sequence: Int),
        ttl: Int,
        reason: String,
        time: Int,
        elapsed: Int = 0
    ) throws -> Lease? {
        forgetFacts()
        let row = try lease()
        guard row.suspension == nil else { return nil }
        if let memory, try isOlder(row, than: memory.seen) {
            _ = try suspend(row, by: memory.witness(nil, on: device), time: time)
            return nil
        }
        // What is remembered may be of another file.
        interned.forget()
        let epoch = watched.epoch + 1
        // Not a number that was lost: what this replica goes on from.
        let newest = try newestRevision()
        let changed = try execute(
            """
            UPDATE lease SET holder = ?, instance = ?, epoch = ?, sequence = sequence + 1, ttl = ?, acquired_at = ?,
                renewed_at = ?, expires_at = ?, host = ?, boot_id = ?, pid_namespace = ?, pid = ?, start_time = ?,
                socket = ?, plugin_socket = ?, guard_lock = ?, revision = ?, hash = ?, elapsed = max(elapsed, ?)
            WHERE id = 1 AND epoch = ? AND sequence = ?
            """,
            .text(candidate.id.name),
            .text(candidate.instance),
            .int(epoch),
            .int(ttl),
            .int(time),
            .int(time),
            .int(time + ttl),
            .text(candidate.process.host),
            .text(candidate.process.bootID),
            .text(candidate.process.pidNamespace),
            .int(candidate.process.pid),
            .int(candidate.process.startTime),
            .text(candidate.socket),
            .text(candidate.pluginSocket),
            .text(candidate.guardLock),
            .int(newest?.number ?? 0),
            .blob(newest?.hash ?? []),
            .int(elapsed),
            .int(watched.epoch),
            .int(watched.sequence)
        )
        guard changed == 1 else { return nil }
        try execute(
            "UPDATE leadership SET until_at = ?, reason = ? WHERE until_at IS NULL",
            .int(time),
            .text(reason)
        )
        try execute(
            "INSERT INTO leadership (epoch, manager, from_at) VALUES (?, ?, ?)",
            .int(epoch),
            .text(candidate.id.name),
            .int(time)
        )
        return try lease()
    }

    /// - Returns: the new row. On a database that is older than what this process has seen, with a suspension, and not always
    ///   this holder's.
    /// - Throws: ``StoreError`` `fenced` when the lease is another's, or when an older state was accepted.
    func renewLease(_ fence: Fence, time: Int, elapsed: Int = 0) throws -> Lease {
        let row = try lease()
        let seen = memory?.seen
        if let memory, let seen, try isOlder(row, than: seen) {
            return try suspend(row, by: memory.witness(fence, on: device), time: time)
        }
        guard row.isHeld(by: fence) else { throw StoreError.fenced(row) }
        if let seen, try holding(seen) != .all {
            throw StoreError(.fenced, "an older state of \(path) was accepted as a new start")
        }
        var next = row.with(renewedAt: time, sequence: row.sequence + 1)
        if let seen, seen.revision > 0 { (next.revision, next.hash) = (seen.revision, seen.hash) }
        try execute(
            """
            UPDATE lease SET sequence = ?, renewed_at = ?, expires_at = ?, revision = ?, hash = ?, elapsed = max(elapsed, ?)
            WHERE id = 1
            """,
            .int(next.sequence),
            .int(next.renewedAt),
            .int(next.expiresAt),
            .int(next.revision),
            .blob(next.hash),
            .int(elapsed)
        )
        try beginConfirmations()
        return next
    }

    /// Empties the holder; the epoch stays. Nothing happens when the lease is another's already.
    func releaseLease(_ fence: Fence, reason: String, time: Int) throws {
        forgetFacts()
        if let memory {
            let row = try lease()
            // Whoever looks next must know as well, when this process is gone.
            if try row.suspension == nil ? isOlder(row, than: memory.seen) : memory.seen.isMissing(in: row) {
                _ = try suspend(row, by: memory.witness(fence, on: device), time: time)
            }
        }
        let changed = try execute(
            """
            UPDATE lease SET holder = '', sequence = sequence + 1, expires_at = ?
            WHERE id = 1 AND instance = ? AND epoch = ? AND holder <> ''
            """,
            .int(time),
            .text(fence.instance),
            .int(fence.epoch)
        )
        guard changed == 1 else { return }
        try execute(
            "UPDATE leadership SET until_at = ?, reason = ? WHERE epoch = ?",
            .int(time),
            .text(reason),
            .int(fence.epoch)
        )
    }

    /// Newest first.
    func terms() throws -> [Term] {
        try all("SELECT epoch, manager, from_at, until_at, reason FROM leadership ORDER BY epoch DESC") { row in
            Term(
                epoch: row.int(0),
                manager: row.identifier(1),
                from: row.int(2),
                until: row.optionalInt(3),
                reason: row.optionalText(4)
            )
        }
    }
}
