extension Connection {
    /// What no hash covers because it changes after the revision, or belongs to none, compared with what else tells of it.
    ///
    /// - Parameter query: one of ``impossibleRecords``.
    func verifyRecords(_ query: String) throws -> [Damage] {
        try all(query) { row in
            let number = row.optionalInt(1)
            return Damage("\(row.text(0)) \(row.text(2))", number.map { [$0] } ?? [])
        }
    }

    /// Queries for rows that no writer leaves behind: words for the row, the revision that it belongs to if its state there
    /// is in doubt, and what is wrong. A copy of a swarm's history counts its own looks in the lease's sequence, and may not
    /// have been told of every term and revision.
    static let impossibleRecords = [
        """
        SELECT 'the outcome of ' || coalesce(g.text, '?') || ' in revision ' || c.revision, c.revision,
            'is not valid: code ' || c.status || coalesce(' with the error ' || quote(c.error), '')
        FROM change c LEFT JOIN name g ON g.id = c.group_id
        WHERE c.status NOT IN (0, 1, 2, 3) OR (c.status = 1 AND c.error IS NOT NULL)
        """,
        """
        SELECT 'the confirmation of revision ' || c.revision, NULL,
            'is not valid: state ' || c.state || ', ' || c.allowed || ' ms until ' || c.deadline
        FROM confirmation c LEFT JOIN revision r ON r.number = c.revision
        WHERE c.state NOT IN (0, 1, 2, 3, 4) OR c.deadline IS NOT r.time + c.allowed
        """,
        """
        SELECT 'the tag ' || quote(t.name), NULL,
            'names no existing revision, or has no author: ' || t.revision || ', ' || t.time
        FROM tag t WHERE NOT EXISTS (SELECT 1 FROM revision WHERE number = t.revision)
            OR NOT EXISTS (SELECT 1 FROM author WHERE id = t.author)
        """,
        """
        SELECT 'the acknowledgement of revision ' || k.revision, NULL, 'names no rejected revision, or has no author'
        FROM acknowledgement k WHERE k.time <= 0 OR NOT EXISTS (SELECT 1 FROM author WHERE id = k.author)
            OR NOT EXISTS (SELECT 1 FROM revision WHERE number = k.revision)
            OR (NOT EXISTS (SELECT 1 FROM change WHERE revision = k.revision AND status = 2)
                AND NOT EXISTS (SELECT 1 FROM swarm))
        """,
        """
        SELECT 'the request ' || quote(q.id), NULL, 'is not valid: ' || quote(q.kind) || ' in state ' || q.state
        FROM request q WHERE q.state NOT IN (0, 2, 3, 4, 5) OR (q.state = 0 AND q.revision IS NOT NULL)
            OR q.revision > (SELECT coalesce(max(number), 0) FROM revision)
            OR (q.kind = 'rollback' AND q.target IS NULL)
            OR (q.kind IN ('commit', 'import', 'write', 'preview', 'mark') AND q.body IS NULL)
        """,
        """
        SELECT 'the lease', NULL,
            'does not match the log of terms: epoch ' || l.epoch || ', held by ' || quote(l.holder)
        FROM lease l LEFT JOIN leadership t ON t.epoch = l.epoch
        WHERE l.epoch <> (SELECT coalesce(max(epoch), 0) FROM leadership)
            OR (l.epoch > 0 AND (t.from_at IS NOT l.acquired_at OR (l.holder = '') = (t.until_at IS NULL)
                OR l.holder NOT IN ('', t.manager)))
        """,
        """
        SELECT 'the lease', NULL, 'is not consistent: ' || ttl || ' ms from ' || renewed_at || ' until ' || expires_at
        FROM lease WHERE (sequence < epoch AND NOT EXISTS (SELECT 1 FROM swarm)) OR ttl < 0 OR (holder <> '' AND (expires_at <> renewed_at + ttl OR instance = ''))
        """,
        """
        SELECT 'the database', NULL, 'is older than a state that a manager has seen: '
            || CASE WHEN seen_revision > (SELECT coalesce(max(number), 0) FROM revision)
                THEN 'it lacks revision ' || seen_revision ELSE 'the lease was renewed since' END
            || '. Put the newer file back, or accept this one (infrakit-manager accept)'
        FROM lease WHERE seen_epoch IS NOT NULL
        """,
        """
        SELECT 'the term ' || t.epoch, NULL, 'does not match the next term, or has no end or two'
        FROM leadership t WHERE (t.until_at IS NULL) <> (t.reason IS NULL)
            OR (t.until_at IS NULL AND t.epoch < (SELECT max(epoch) FROM leadership))
            OR (t.epoch > 1 AND t.manager <> 'unknown'
                AND NOT EXISTS (SELECT 1 FROM leadership WHERE epoch = t.epoch - 1)
                AND NOT EXISTS (SELECT 1 FROM swarm))
        """,
        """
        SELECT 'the retention record', NULL,
            'does not match the removed revisions: ' || removed || ' removed, complete from ' || whole
        FROM retention WHERE (removed <> (SELECT coalesce(sum(last - first + 1), 0) FROM gap WHERE reason <> 2)
                AND NOT EXISTS (SELECT 1 FROM swarm))
            OR whole < 1 OR whole > max(1, (SELECT coalesce(max(number), 0) FROM revision))
        """,
        """
        SELECT 'the gap from ' || g.first || ' to ' || g.last, NULL, 'contains revisions, or is empty'
        FROM gap g WHERE g.first > g.last
            OR EXISTS (SELECT 1 FROM revision WHERE number BETWEEN g.first AND g.last)
        """,
        """
        SELECT 'the confirmation of revision ' || c.revision, NULL,
            'counts from ' || c.since || ' ms, but only ' || l.elapsed || ' ms were counted'
        FROM confirmation c, lease l WHERE c.since < 0 OR c.since > l.elapsed
        """,
        """
        SELECT 'the age of revision ' || a.revision, NULL,
            'is not valid: from ' || a.elapsed || ' ms on, but only ' || l.elapsed || ' ms were counted'
        FROM age a, lease l WHERE a.elapsed < 0 OR a.elapsed > l.elapsed
            OR a.revision > (SELECT coalesce(max(number), 0) FROM revision)
            OR EXISTS (SELECT 1 FROM age b WHERE b.elapsed < a.elapsed AND b.revision >= a.revision)
        """,
        "SELECT 'the lease', NULL, 'is not exactly one row' WHERE (SELECT count(*) FROM lease) <> 1",
        "SELECT 'the retention record', NULL, 'is not exactly one row' WHERE (SELECT count(*) FROM retention) <> 1",
    ]
}
