/// A database that is older than what this process has seen of it.
extension Connection {
    enum Holding {
        /// All that was seen.
        case all
        /// Not all, and somebody has accepted that.
        case accepted
        case less
    }

    /// Whether the history has the newest revision that was seen.
    func holding(_ seen: Watermark) throws -> Holding {
        guard seen.revision > 0 else { return .all }
        if let head = transactionCache?.head, head.number == seen.revision, head.hash == seen.hash { return .all }
        let hash = try first("SELECT hash FROM revision WHERE number = ?", .int(seen.revision)) { $0.blob(0) }
        if let hash { return hash == seen.hash ? .all : .less }
        let reason = try first(
            "SELECT reason, last FROM gap WHERE first <= ?1 AND last >= ?1 ORDER BY first DESC LIMIT 1",
            .int(seen.revision),
            row: { GapReason(rawValue: $0.int(0)) }
        )
        switch reason ?? nil {
        // Who has not looked for long does not know that it was removed since.
        case .removed: return .all
        case .lost: return .accepted
        case .unseen, nil: return .less
        }
    }

    /// Whether a replica that has seen this has something to say of the database: that it is older, or more than who said so knew.
    ///
    /// A later epoch alone is no proof: whoever has taken over an older copy made it. The row tells the newest revision that its
    /// holder knew; where that is another one, the history is asked.
    func lacks(_ seen: Watermark, by row: Lease) throws -> Bool {
        if seen.isMissing(in: row) { return true }
        guard row.suspension == nil, row.revision != seen.revision || row.hash != seen.hash else { return false }
        return try holding(seen) == .less
    }

    /// Whether nothing may be concluded from a row, as it is of an older state than was seen.
    func isOlder(_ row: Lease, than seen: Watermark) throws -> Bool {
        try row.suspension != nil || !seen.isReached(by: row) || holding(seen) == .less
    }

    /// What a replica asks that does not lead: it concludes nothing from an older state either.
    ///
    /// - Throws: ``StoreError`` `stale`.
    func requireSeen(_ memory: StoreMemory?) throws {
        let row = try lease()
        // Others have seen more of it, whoever asks: what is taken back here may have been carried out there.
        guard row.suspension == nil else { throw StoreError.stale(path) }
        guard let seen = memory?.seen, seen.epoch > 0 else { return }
        guard try !isOlder(row, than: seen) else { throw StoreError.stale(path) }
    }

    /// What a manager goes on from is of the newest state that it has seen.
    ///
    /// - Throws: ``StoreError`` `stale`.
    func requireNewest(_ memory: StoreMemory?) throws {
        guard let seen = memory?.seen, seen.epoch > 0 else { return }
        guard try !isOlder(lease(), than: seen) else { throw StoreError.stale(path) }
    }

    /// Notes that nobody may act on this database; see ``Lease/suspended(by:time:)``.
    ///
    /// - Returns: the new row.
    func suspend(_ row: Lease, by witness: Witness, time: Int) throws -> Lease {
        forgetFacts()
        // Of the file that was there before.
        interned.forget()
        let next = row.suspended(by: witness, time: time)
        try fillTerms(from: row, to: next, time: time)
        try write(next)
        return next
    }

    /// Goes on from the older state: what is missing counts as lost, and its numbers and epochs do not come again.
    ///
    /// - Throws: ``StoreError`` `conflict` when nothing is.
    func acceptOlderState(time: Int) throws {
        forgetFacts()
        let row = try lease()
        guard let suspension = row.suspension else {
            throw StoreError(
                .conflict,
                "there is nothing to accept: no manager has found this database to be older than before"
            )
        }
        let head = try head()
        let last = head?.number ?? 0
        let lastGiven = suspension.lastNumber(after: last)
        if lastGiven > last {
            // The chain goes on from what is kept.
            try recordGap((last + 1, lastGiven, head?.hash ?? HashChain.origin), reason: .lost)
            forgetFacts()
        }
        // Whoever asked was told how it came out, or has given up, in the newer file.
        try execute(
            "UPDATE request SET state = ?, error = ? WHERE state = 0",
            .int(Request.State.refused.rawValue),
            .text("an older state of the database was accepted meanwhile; send it again if it is still wanted")
        )
        let next = row.accepted
        try fillTerms(from: row, to: next, time: time)
        try write(next)
    }

    /// The log has every term; of those that are only in the newer file it is not known who led.
    private func fillTerms(from row: Lease, to next: Lease, time: Int) throws {
        guard next.epoch > row.epoch || next.holder != row.holder else { return }
        let reason = "seen in a newer copy of this file"
        try execute(
            "UPDATE leadership SET until_at = ?, reason = ? WHERE until_at IS NULL",
            .int(time),
            .text(reason)
        )
        if next.epoch > row.epoch {
            // Of a holder that nobody knows it is not known which epochs there were: the log has one term for them all.
            let first = next.holder == Lease.unknownHolder ? next.epoch : row.epoch + 1
            try execute(
                """
                WITH RECURSIVE missing(epoch) AS (
                    SELECT ?1 UNION ALL SELECT epoch + 1 FROM missing WHERE epoch < ?2
                )
                INSERT INTO leadership (epoch, manager, from_at, until_at, reason)
                SELECT epoch, '', ?3, ?3, ?4 FROM missing
                """,
                .int(first),
                .int(next.epoch),
                .int(time),
                .text(reason)
            )
        }
        try execute(
            "UPDATE leadership SET manager = ?, from_at = ?, until_at = ?, reason = ? WHERE epoch = ?",
            .text(next.holder),
            .int(next.acquiredAt),
            next.isHeld ? .null : .int(time),
            next.isHeld ? .null : .text(reason),
            .int(next.epoch)
        )
    }

    /// Writes the whole row.
    func write(_ lease: Lease) throws {
        try execute(
            """
            UPDATE lease SET holder = ?, instance = ?, epoch = ?, sequence = ?, ttl = ?, acquired_at = ?, renewed_at = ?,
                expires_at = ?, host = ?, boot_id = ?, pid_namespace = ?, pid = ?, start_time = ?, socket = ?,
                plugin_socket = ?, guard_lock = ?, revision = ?, hash = ?, seen_epoch = ?, seen_sequence = ?,
                seen_revision = ?, seen_hash = ?, last_epoch = ?, last_number = ?, is_exact = ?
            WHERE id = 1
            """,
            .text(lease.holder),
            .text(lease.instance),
            .int(lease.epoch),
            .int(lease.sequence),
            .int(lease.ttl),
            .int(lease.acquiredAt),
            .int(lease.renewedAt),
            .int(lease.expiresAt),
            .text(lease.process.host),
            .text(lease.process.bootID),
            .text(lease.process.pidNamespace),
            .int(lease.process.pid),
            .int(lease.process.startTime),
            .text(lease.socket),
            .text(lease.pluginSocket),
            .text(lease.guardLock),
            .int(lease.revision),
            .blob(lease.hash),
            .int(lease.suspension?.seen.epoch),
            .int(lease.suspension?.seen.sequence),
            .int(lease.suspension?.seen.revision),
            lease.suspension.map { .blob($0.seen.hash) } ?? .null,
            .int(lease.suspension?.lastEpoch),
            .int(lease.suspension?.lastNumber),
            .int(lease.suspension.map { $0.isExact ? 1 : 0 })
        )
    }
}
