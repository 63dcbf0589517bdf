extension Connection {
    func insert(_ confirmation: Confirmation) throws {
        try execute(
            "INSERT INTO confirmation (revision, allowed, deadline, state) VALUES (?, ?, ?, ?)",
            .int(confirmation.revision),
            .int(confirmation.allowed),
            .int(confirmation.deadline),
            .int(confirmation.state.rawValue)
        )
    }

    func confirmation(of revision: Int) throws -> Confirmation? {
        try first(
            "SELECT revision, allowed, deadline, state FROM confirmation WHERE revision = ?",
            .int(revision),
            row: Self.confirmation
        )
    }

    /// The revisions that wait for somebody to confirm them, the oldest first.
    func waitingConfirmations() throws -> [Confirmation] {
        try all(
            "SELECT revision, allowed, deadline, state FROM confirmation WHERE state = 0 ORDER BY revision",
            row: Self.confirmation
        )
    }

    /// The revisions whose time to be confirmed is over, the oldest first.
    ///
    /// - Parameter elapsed: how much time this history has seen pass, in milliseconds.
    func expiredConfirmations(at elapsed: Int) throws -> [Confirmation] {
        try all(
            """
            SELECT revision, allowed, deadline, state FROM confirmation WHERE state = 0 AND since + allowed <= ?
            ORDER BY revision
            """,
            .int(elapsed),
            row: Self.confirmation
        )
    }

    private static func confirmation(_ row: Statement) throws -> Confirmation {
        guard let state = Confirmation.State(rawValue: row.int(3)) else {
            throw StoreError(
                .corrupt,
                "the confirmation of revision \(row.int(0)) is in the unknown state \(row.int(3))"
            )
        }
        return Confirmation(revision: row.int(0), allowed: row.int(1), deadline: row.int(2), state: state)
    }

    /// Nobody has to confirm what the plugin refused as a whole.
    func endConfirmationIfRejected(_ revision: Int) throws {
        try execute(
            """
            UPDATE confirmation SET state = ?1 WHERE revision = ?2 AND state = 0
                AND NOT EXISTS (SELECT 1 FROM change WHERE revision = ?2 AND status <> 2)
            """,
            .int(Confirmation.State.rejected.rawValue),
            .int(revision)
        )
    }

    /// Ends the wait for a confirmation, one way or the other.
    ///
    /// - Throws: ``StoreError`` `conflict` when it has ended already, `notFound` when the revision needs none.
    func endConfirmation(of revision: Int, as state: Confirmation.State) throws {
        let changed = try execute(
            "UPDATE confirmation SET state = ? WHERE revision = ? AND state = 0",
            .int(state.rawValue),
            .int(revision)
        )
        guard changed == 0 else { return }
        guard let confirmation = try confirmation(of: revision) else {
            throw StoreError.needsNoConfirmation(revision, waiting: try waitingConfirmations().map(\.revision))
        }
        throw StoreError.confirmationEnded(confirmation)
    }
}
