extension Connection {
    /// How long managers have watched over this history, in milliseconds, as the lease row has it, and what else counts in
    /// it.
    func elapsed() throws -> (elapsed: Int, epoch: Int, sequence: Int, ttl: Int) {
        try first("SELECT elapsed, epoch, sequence, ttl FROM lease WHERE id = 1") {
            (elapsed: $0.int(0), epoch: $0.int(1), sequence: $0.int(2), ttl: $0.int(3))
        } ?? (0, 0, 0, 0)
    }

    /// Notes how much time has passed, and has what waits to be confirmed count from now on if it does not yet.
    func setElapsed(_ elapsed: Int) throws {
        try execute("UPDATE lease SET elapsed = ?1 WHERE id = 1 AND elapsed < ?1", .int(elapsed))
        try beginConfirmations()
    }

    /// What was stored since the last time begins to count: after it was stored, never before.
    func beginConfirmations() throws {
        try execute(
            "UPDATE confirmation SET since = (SELECT elapsed FROM lease WHERE id = 1) WHERE state = 0 AND since IS NULL"
        )
    }

    /// - Throws: ``StoreError`` `conflict` while there is time to confirm a revision.
    func requireExpired(_ revision: Int, at elapsed: Int) throws {
        let isExpired = try first(
            "SELECT since + allowed <= ? FROM confirmation WHERE revision = ?",
            .int(elapsed),
            .int(revision)
        ) { $0.int(0) == 1 }
        guard isExpired != true else { return }
        throw StoreError(.conflict, "there is still time to confirm revision \(revision)")
    }

    /// How much time there is to confirm each revision that waits, in milliseconds, by what was last stored.
    func confirmationTimes() throws -> [Int: Int] {
        let times = try all(
            """
            SELECT c.revision, c.allowed - l.elapsed + coalesce(c.since, l.elapsed) FROM confirmation c, lease l
            WHERE c.state = 0 AND l.id = 1
            """
        ) { ($0.int(0), max(0, $0.int(1))) }
        return Dictionary(uniqueKeysWithValues: times)
    }

    // MARK: - Ages

    /// Notes which revision is the newest now, so that its age can be told later.
    ///
    /// - Parameter age: how exactly has to be known whether a revision is that old: to a thousandth. In milliseconds.
    func noteAge(at elapsed: Int, for age: Int) throws {
        // Of what is older than that, one row tells as much as many.
        try execute(
            "DELETE FROM age WHERE elapsed < (SELECT max(elapsed) FROM age WHERE elapsed <= ?)",
            .int(elapsed - age)
        )
        let newest = try newestRevisionNumber
        let last = try first("SELECT elapsed, revision FROM age ORDER BY elapsed DESC LIMIT 1") {
            (elapsed: $0.int(0), revision: $0.int(1))
        }
        guard newest > last?.revision ?? 0, last.map({ elapsed - $0.elapsed > age / 1000 }) ?? true else { return }
        try setElapsed(elapsed)
        try execute("INSERT INTO age (elapsed, revision) VALUES (?, ?)", .int(elapsed), .int(newest))
    }

    /// The newest revision that is certain to be older than an age in milliseconds; 0 when none is.
    func newestRevision(olderThan age: Int, at elapsed: Int) throws -> Int {
        try first(
            "SELECT coalesce(max(revision), 0) FROM age WHERE elapsed <= ?",
            .int(elapsed - age)
        ) { $0.int(0) } ?? 0
    }
}
