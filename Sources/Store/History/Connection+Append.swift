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
        let head = try first("SELECT number, hash FROM revision ORDER BY number DESC LIMIT 1") { row in
            (number: row.int(0), hash: row.blob(1))
        }
        let number = (head?.number ?? 0) + 1
        let hash = HashChain.hash(
            previous: head?.hash ?? HashChain.origin,
            HashChain.Entry(draft, number: number, time: time, fence: fence)
        )
        try execute(
            """
            INSERT INTO revision (number, token, time, epoch, manager, author, operation, target, message, hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .int(number),
            .blob(draft.token),
            .int(time),
            .int(fence.epoch),
            .int(try nameID(fence.manager)),
            .int(try authorID(draft.author)),
            .int(draft.operation.rawValue),
            .int(draft.target),
            .text(draft.message),
            .blob(hash)
        )
        for change in draft.changes { try insert(change, revision: number) }
        if let allowed = draft.confirmWithin { try insertConfirmation(of: number, allowed: allowed, time: time) }
        return Revision(
            number: number,
            time: time,
            epoch: fence.epoch,
            manager: fence.manager,
            author: draft.author,
            operation: draft.operation,
            target: draft.target,
            message: draft.message,
            changes: draft.changes,
            hash: hash,
            tags: [],
            confirmation: try confirmation(of: number)
        )
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
        let changed = try execute(
            """
            UPDATE change SET status = ?, error = ?
            WHERE revision = ? AND group_id = (SELECT id FROM name WHERE text = ?) AND status = 0
            """,
            .int(outcome.status.rawValue),
            .text(outcome.error),
            .int(outcome.revision),
            .text(outcome.group)
        )
        if changed == 1, outcome.status == .applied { try supersede(before: outcome) }
    }

    /// What was still open when a later change of the group was confirmed will never be answered: nobody asks the plugin
    /// about it any more.
    private func supersede(before outcome: Outcome) throws {
        try execute(
            """
            UPDATE change SET status = 2, error = ?
            WHERE group_id = (SELECT id FROM name WHERE text = ?) AND revision < ? AND status = 0
            """,
            .text("superseded by revision \(outcome.revision) before the plugin confirmed it"),
            .text(outcome.group),
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
                """,
                .int(outcome.revision),
                .text(outcome.group),
                row: { _ in true }
            ) == nil
        }
    }
}
