internal import GroupSPI

extension Connection {
    /// Appends a revision, if the writer still leads.
    ///
    /// Runs inside a write transaction: the check of the lease and the insert stand or fall together, so a leader that
    /// was paused and replaced writes nothing.
    ///
    /// - Throws: ``StoreError`` `fenced`.
    func append(_ draft: RevisionDraft, fence: Fence, time: Int) throws -> Revision {
        try requireLease(fence)
        if draft.expectedCurrent != nil { try draft.requireExpected(try currentRevisionNumber ?? 0) }
        let head = try head()
        let revision = Revision(
            draft,
            number: (head?.number ?? 0) + 1,
            after: head?.hash ?? HashChain.origin,
            fence: fence,
            time: time
        )
        memory?.give(revision.number)
        try insert(revision, token: draft.token)
        transactionCache?.head = (revision.number, revision.hash)
        return revision
    }

    /// The newest revision, or the last number that was lost after it: the next one follows that.
    func head() throws -> (number: Int, hash: [UInt8])? {
        if let head = transactionCache?.head { return head }
        let newest = try newestRevision()
        let lost = try first(
            "SELECT last, hash FROM gap WHERE last > ? ORDER BY last DESC LIMIT 1",
            .int(newest?.number ?? 0)
        ) { row in (number: row.int(0), hash: row.blob(1)) }
        transactionCache?.head = lost ?? newest
        return lost ?? newest
    }

    func newestRevision() throws -> (number: Int, hash: [UInt8])? {
        try first(
            "SELECT number, hash FROM revision WHERE number = (SELECT max(number) FROM revision)"
        ) { row in (number: row.int(0), hash: row.blob(1)) }
    }

    /// - Parameter token: what the hash covers beside the revision.
    func insert(_ revision: Revision, token: [UInt8]) throws {
        try execute(
            """
            INSERT INTO revision (number, token, time, epoch, manager, author, operation, target, message, hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .int(revision.number),
            .blob(token),
            .int(revision.time),
            .int(revision.epoch),
            .int(try nameID(revision.manager)),
            .int(try authorID(revision.author)),
            .int(revision.operation.rawValue),
            .int(revision.target),
            .text(revision.message),
            .blob(revision.hash)
        )
        for change in revision.changes { try insert(change, revision: revision.number) }
        if let confirmation = revision.confirmation { try insert(confirmation) }
    }

    private func insert(_ change: Change, revision: Int) throws {
        var action = ActionCode.set
        var plugin: SQLValue = .null
        var spec: SQLValue = .null
        switch change.action {
        case .set(let properties, let name):
            plugin = .int(try nameID(name))
            spec = .int(try specID(properties))
        case .free: action = ActionCode.free
        case .destroy: action = ActionCode.destroy
        }
        try execute(
            "INSERT INTO change (group_id, revision, action, plugin, spec, status, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .int(try nameID(change.group)),
            .int(revision),
            .int(action),
            plugin,
            spec,
            .int(change.status.rawValue),
            .text(change.error)
        )
    }

    /// Records how a pending change came out, if the writer still leads. A change that is settled stays as it is.
    func recordOutcome(_ outcome: Outcome, fence: Fence) throws {
        try requireLease(fence)
        guard try setOutcome(outcome) else { return }
        switch outcome.status {
        case .applied: try supersede(before: outcome)
        case .rejected: try endConfirmationIfRejected(outcome.revision)
        case .pending, .superseded, .partial: break
        }
    }

    /// - Returns: false when that change is settled, or does not exist.
    @discardableResult
    func setOutcome(_ outcome: Outcome) throws -> Bool {
        try execute(
            """
            UPDATE change SET status = ?, error = ?
            WHERE revision = ? AND group_id = ? AND status = 0
            """,
            .int(outcome.status.rawValue),
            .text(outcome.error),
            .int(outcome.revision),
            .int(try nameID(outcome.group))
        ) == 1
    }

    /// By the index of what is pending: there is little of that, and by its key a group's whole history would be looked at.
    private func supersede(before outcome: Outcome) throws {
        try execute(
            """
            UPDATE change INDEXED BY change_pending SET status = ?, error = ?
            WHERE group_id = ? AND revision < ? AND status = 0
            """,
            .int(Status.superseded.rawValue),
            .text(Outcome.superseded(by: outcome.revision)),
            .int(try nameID(outcome.group)),
            .int(outcome.revision)
        )
    }

    /// Tells, after a commit whose outcome is unknown, whether outcomes were stored.
    func hasOutcomes(_ outcomes: [Outcome]) throws -> Bool {
        try outcomes.allSatisfy { outcome in
            try first(
                """
                SELECT 1 FROM change
                WHERE revision = ? AND group_id = (SELECT id FROM name WHERE text = ?) AND status = 0
                    AND NOT (? = 0 AND error IS ?)
                """,
                .int(outcome.revision),
                .text(outcome.group),
                .int(outcome.status.rawValue),
                .text(outcome.error),
                row: { _ in true }
            ) == nil
        }
    }
}
