internal import GroupSPI

extension Connection {
    /// Where a walk along the hash chain stands.
    struct ChainPosition: Hashable, Sendable {
        /// The last revision that was looked at; 0 at the start.
        var number = 0
        /// Its stored hash.
        var hash = HashChain.origin
        /// How many revisions were looked at.
        var count = 0
    }

    /// Recomputes the hashes of the next revisions from their rows.
    ///
    /// After a hash that does not fit, the walk goes on from the stored one: every problem is told once, where it is.
    ///
    /// - Parameters:
    ///   - position: where the walk stands; moved on. At the end of the history it stays.
    ///   - count: how many revisions at most: a walk over all of them in one transaction would keep writers out.
    func verifyChain(from position: inout ChainPosition, count: Int) throws -> [Damage] {
        let rows = try all(
            """
            SELECT r.number, r.token, r.time, r.epoch, m.text, a.user, a.uid, a.host, r.operation, r.target, r.message,
                r.hash
            FROM revision r LEFT JOIN name m ON m.id = r.manager LEFT JOIN author a ON a.id = r.author
            WHERE r.number > ? ORDER BY r.number LIMIT ?
            """,
            .int(position.number),
            .int(count)
        ) { row in
            let entry = HashChain.Entry(
                number: row.int(0),
                token: row.blob(1),
                time: row.int(2),
                epoch: row.int(3),
                manager: row.identifier(4),
                user: row.identifier(5),
                uid: row.int(6),
                host: row.identifier(7),
                operation: row.int(8),
                target: row.int(9),
                message: row.text(10),
                changes: []
            )
            return (entry: entry, hash: row.blob(11))
        }
        var problems = try strayChanges(after: position.number, through: rows.last?.entry.number ?? Int.max)
        for (entry, hash) in rows {
            if entry.number != position.number + 1 {
                if let hash = try removedHash(from: position.number + 1, before: entry.number) {
                    position.hash = hash
                } else {
                    let missing = position.number + 1
                    problems.append(
                        Damage("revision \(missing) is missing: the next one is \(entry.number)", [missing])
                    )
                }
            }
            var entry = entry
            entry.changes = try effects(of: entry.number)
            // What a copy went on from after a gap has the hash that it was told, and its own seal.
            let isAdopted = entry.operation == Operation.adopt.rawValue
            let seal = entry.token
            if isAdopted { entry.token = [] }
            let computed = HashChain.hash(previous: position.hash, entry)
            if computed != (isAdopted ? seal : hash) {
                let sentence =
                    "revision \(entry.number) does not match its hash, which covers it and revision "
                    + "\(entry.number - 1): it, or an earlier one, was changed"
                problems.append(Damage(sentence, [entry.number]))
            }
            position = ChainPosition(number: entry.number, hash: hash, count: position.count + 1)
        }
        return problems
    }

    private func effects(of revision: Int) throws -> [HashChain.Effect] {
        try all(
            """
            SELECT g.text, c.action, p.text, s.hash FROM change c LEFT JOIN name g ON g.id = c.group_id
                LEFT JOIN name p ON p.id = c.plugin LEFT JOIN spec s ON s.id = c.spec
            WHERE c.revision = ? ORDER BY g.text
            """,
            .int(revision)
        ) { row in
            let action = row.int(1)
            return HashChain.Effect(
                group: row.identifier(0),
                action: action,
                content: action == ActionCode.set ? (plugin: row.identifier(2), hash: row.blob(3)) : nil
            )
        }
    }

    /// Changes that no revision has made, yet that would count as the state of their groups.
    private func strayChanges(after first: Int, through last: Int) throws -> [Damage] {
        try all(
            """
            SELECT DISTINCT revision FROM change c WHERE revision > ? AND revision <= ?
                AND NOT EXISTS (SELECT 1 FROM revision WHERE number = c.revision) ORDER BY revision
            """,
            .int(first),
            .int(last)
        ) { row in
            Damage("a change names revision \(row.int(0)), which does not exist", [row.int(0)])
        }
    }

    /// Compares the next specifications with the hashes under which they are kept.
    ///
    /// - Parameter position: the last specification that was looked at, 0 at the start; moved on, nil at the end.
    func verifySpecs(from position: inout Int?, count: Int) throws -> [Damage] {
        let checks = try all(
            "SELECT id, hash, body FROM spec WHERE id > ? ORDER BY id LIMIT ?",
            .int(position ?? 0),
            .int(count)
        ) { row in (id: row.int(0), isSound: row.blob(1) == HashChain.digest(row.blob(2))) }
        position = checks.count < count ? nil : checks.last?.id
        return try checks.filter { !$0.isSound }.map { check in
            let revisions = try revisions(withSpecs: check.id...check.id)
            return Damage(
                "specification \(check.id) does not match its hash: it was changed\(Damage.holders(revisions))",
                revisions
            )
        }
    }

    /// In their order.
    func revisions(withSpecs ids: ClosedRange<Int>) throws -> [Int] {
        try all(
            "SELECT DISTINCT revision FROM change WHERE spec BETWEEN ? AND ? ORDER BY revision",
            .int(ids.lowerBound),
            .int(ids.upperBound)
        ) { $0.int(0) }
    }

    /// What SQLite finds wrong with the file: its pages, its indexes, its references.
    func verifyFile() throws -> [String] {
        let pages = try damagedPages(limit: 100)
        var problems = pages.map {
            "page \($0) of the file does not match its checksum: it was damaged, or changed by another program"
        }
        do {
            _ = try all("PRAGMA integrity_check") { row in
                if row.text(0) != "ok" { problems.append(row.text(0)) }
            }
            // SQLite believes whatever a definition says.
            if try Schema.fingerprint(of: self) != Schema.fingerprint {
                problems.append(
                    "the table definitions differ from those of schema version \(Schema.currentVersion)"
                )
            }
            problems += try all("PRAGMA foreign_key_check") { row in
                "a row of table '\(row.text(0))' refers to a row of table '\(row.text(2))' that does not exist"
            }
        } catch let error as SQLiteError
            where !pages.isEmpty || !problems.isEmpty && StoreError(error).code == .corrupt
        {
            // The damage has ended the check itself. What was found until then is told.
        }
        return problems
    }
}
