internal import GroupSPI

extension Connection {
    /// - Throws: ``StoreError`` `corrupt` when the row is gone: nothing ever deletes it.
    func lease() throws -> Lease {
        let lease = try first(
            """
            SELECT holder, instance, epoch, sequence, ttl, acquired_at, renewed_at, expires_at,
                host, boot_id, pid_namespace, pid, start_time, socket, plugin_socket, guard_lock
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
                guardLock: row.text(15)
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

    /// - Throws: ``StoreError`` `fenced` unless that instance holds the lease at that epoch.
    func requireLease(_ fence: Fence) throws {
        if let known = facts?.fence, known == fence { return }
        guard try holdsLease(fence) else { throw StoreError.fenced(try lease()) }
        facts?.fence = fence
    }

    /// Takes the lease over, if the row is still the one that the claimant has watched.
    ///
    /// - Parameters:
    ///   - watched: the row as it was seen; any change of it since means that its holder lives, or another was faster.
    ///   - reason: why the term before ended, for the log of terms.
    ///   - elapsed: how much time this history has seen pass, in milliseconds.
    /// - Returns: the new row; nil when the row had changed.
    func acquireLease(
        _ claimant: Claimant,
        watched: (epoch: Int, sequence: Int),
        ttl: Int,
        reason: String,
        time: Int,
        elapsed: Int = 0
    ) throws -> Lease? {
        forgetFacts()
        let epoch = watched.epoch + 1
        let changed = try execute(
            """
            UPDATE lease SET holder = ?, instance = ?, epoch = ?, sequence = sequence + 1, ttl = ?, acquired_at = ?,
                renewed_at = ?, expires_at = ?, host = ?, boot_id = ?, pid_namespace = ?, pid = ?, start_time = ?,
                socket = ?, plugin_socket = ?, guard_lock = ?, elapsed = max(elapsed, ?)
            WHERE id = 1 AND epoch = ? AND sequence = ?
            """,
            .text(claimant.id.name),
            .text(claimant.instance),
            .int(epoch),
            .int(ttl),
            .int(time),
            .int(time),
            .int(time + ttl),
            .text(claimant.process.host),
            .text(claimant.process.bootID),
            .text(claimant.process.pidNamespace),
            .int(claimant.process.pid),
            .int(claimant.process.startTime),
            .text(claimant.socket),
            .text(claimant.pluginSocket),
            .text(claimant.guardLock),
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
            .text(claimant.id.name),
            .int(time)
        )
        return try lease()
    }

    /// - Throws: ``StoreError`` `fenced` when the lease is another's.
    func renewLease(_ fence: Fence, time: Int, elapsed: Int = 0) throws -> Lease {
        let changed = try execute(
            """
            UPDATE lease SET sequence = sequence + 1, renewed_at = ?, expires_at = ? + ttl, elapsed = max(elapsed, ?)
            WHERE id = 1 AND instance = ? AND epoch = ? AND holder <> ''
            """,
            .int(time),
            .int(time),
            .int(elapsed),
            .text(fence.instance),
            .int(fence.epoch)
        )
        let lease = try lease()
        guard changed == 1 else { throw StoreError.fenced(lease) }
        try beginConfirmations()
        return lease
    }

    /// Empties the holder; the epoch stays. Nothing happens when the lease is another's already.
    func releaseLease(_ fence: Fence, reason: String, time: Int) throws {
        forgetFacts()
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
