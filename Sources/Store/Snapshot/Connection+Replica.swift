internal import GroupSPI

extension Connection {
    /// Brings this copy of the history up to date with a snapshot: new revisions, outcomes, names, the lease, and what
    /// became of the requests that were asked here.
    ///
    /// - Parameters:
    ///   - snapshot: nil when there is none yet.
    ///   - copy: where the snapshot was found.
    ///   - elapsed: how much time this copy has seen pass, in milliseconds. Each node counts for itself.
    func apply(_ snapshot: Snapshot?, _ copy: LocalReplicaInfo, time: Int, elapsed: Int = 0) throws -> ApplyResult {
        if let known = try replicaInfo()?.position, known > copy.position { return .stale }
        // The lease and the newest revision will be the snapshot's.
        forgetFacts()
        var count = 0
        if let snapshot {
            if let refusal = try refusal(of: snapshot) { return refusal }
            try adopt(snapshot, time: time)
            let newest = try newestRevisionNumber
            for record in snapshot.records where record.revision.number > newest {
                try insert(record.revision, token: record.token)
                count += 1
            }
            for record in snapshot.records where record.revision.number <= newest { try takeOutcomes(record.revision) }
            try takeTags(snapshot.tags)
            try take(snapshot.acknowledgements)
            try takeLease(snapshot.lease)
            for term in snapshot.terms { try take(term) }
            try endForgottenTerms()
            for settled in snapshot.settled { try take(settled) }
        }
        try setElapsed(elapsed)
        try set(copy)
        return .done(revisions: count)
    }

    /// Compares the newest revision that both have.
    private func refusal(of snapshot: Snapshot) throws -> ApplyResult? {
        let newest = try newestRevisionNumber
        guard newest > 0 else { return nil }
        let common = min(newest, snapshot.newest)
        let isShorter = snapshot.newest < newest
        guard common > 0, let expected = snapshot.hash(at: common), let found = try hash(of: common) else {
            return isShorter ? .behind : nil
        }
        guard found == expected else { return .diverged(at: common) }
        return isShorter ? .behind : nil
    }

    private func hash(of number: Int) throws -> [UInt8]? {
        try first("SELECT hash FROM revision WHERE number = ?", .int(number)) { $0.blob(0) }
    }

    // MARK: - What was not seen

    /// Goes on from what stood before the snapshot's records, where this copy has not seen all that led there.
    private func adopt(_ snapshot: Snapshot, time: Int) throws {
        let (base, lease) = (snapshot.base, snapshot.lease)
        let newest = try newestRevisionNumber
        try settleUnseen(through: min(base.revision, newest), snapshot)
        guard newest < base.revision else { return }
        let previous = try hash(of: newest)
        let first = newest + 1
        if first < base.revision {
            try recordGap((first, base.revision - 1, previous ?? HashChain.origin), reason: .unseen)
        }
        let adopted = Snapshot.Record(
            Revision(
                number: base.revision,
                time: time,
                epoch: lease.epoch,
                manager: lease.holder,
                author: Author(user: nil, uid: nil, host: ""),
                operation: .adopt,
                target: nil,
                message: first < base.revision
                    ? "revisions \(first) to \(base.revision) were made while this node was disconnected"
                    : "made while this node was disconnected",
                changes: try changes(to: base.groups),
                hash: base.hash,
                tags: [],
                confirmation: nil
            ),
            token: []
        )
        // Nobody can recompute the hash that covers what was not seen. What is written here gets a seal of its own, in
        // the place of the random token.
        let seal = HashChain.hash(previous: previous ?? HashChain.origin, HashChain.Entry(adopted))
        try insert(adopted.revision, token: seal)
    }

    /// From the groups as this copy knows them to others, all confirmed.
    private func changes(to groups: [Identifier: GlobalConfig.Entry]) throws -> [Change] {
        let known = try states()
        var changes: [Change] = []
        for state in known where state.spec != nil && groups[state.group] == nil {
            changes.append(Change(group: state.group, action: .free, status: .applied))
        }
        let standing = Dictionary(known.map { ($0.group, $0.change.action) }, uniquingKeysWith: { first, _ in first })
        for (group, entry) in groups {
            let action = Change.Action.set(entry.spec.properties, plugin: entry.plugin)
            if standing[group] != action { changes.append(Change(group: group, action: action, status: .applied)) }
        }
        return changes.sorted { $0.group < $1.group }
    }

    /// Settles what is pending here and was settled elsewhere without this node being told how: by what the snapshot still
    /// knows of it. Where it knows nothing any more, what stands tells some; nothing is made up.
    private func settleUnseen(through last: Int, _ snapshot: Snapshot) throws {
        let base = snapshot.base
        let pending = try all(
            """
            SELECT c.revision, g.text, c.action, p.text, s.body FROM change c JOIN name g ON g.id = c.group_id
                LEFT JOIN name p ON p.id = c.plugin LEFT JOIN spec s ON s.id = c.spec
            WHERE c.status = 0 AND c.revision <= ? ORDER BY c.revision DESC
            """,
            .int(last)
        ) { row in
            (
                revision: row.int(0), group: row.identifier(1), plugin: row.identifier(3),
                properties: row.int(2) == ActionCode.set ? row.blob(4) : nil
            )
        }
        // Of several, the newest that stands: a later one may have been refused.
        var found: Set<Identifier> = []
        for change in pending {
            let stands = base.groups[change.group]
            let isStanding =
                stands?.spec.properties.bytes == change.properties && stands?.plugin ?? change.plugin == change.plugin
            if let outcome = snapshot.outcomes.outcome(of: change.revision, change.group, through: base.revision) {
                if outcome.status == .applied { found.insert(change.group) }
                try setOutcome(outcome)
                continue
            }
            let isApplied = isStanding && found.insert(change.group).inserted
            let isOvertaken = try !isApplied && mayBeOvertaken(change.revision, change.group, base)
            try setOutcome(
                Outcome(
                    revision: change.revision,
                    group: change.group,
                    status: isApplied ? .applied : isOvertaken ? .superseded : .rejected,
                    error: isApplied
                        ? nil
                        : isOvertaken
                            ? "this node did not learn its outcome in time; it may have been applied"
                            : "it is not current and nothing replaced it: it was refused while this node was "
                                + "disconnected"
                )
            )
        }
        // Nobody is waited for any more. Confirmed, or undone since: this copy does not know, and has nothing left to undo.
        try execute(
            "UPDATE confirmation SET state = ? WHERE state = 0 AND revision <= ?",
            .int(Confirmation.State.overtaken.rawValue),
            .int(last)
        )
    }

    /// Whether something may have come after a change that does not stand: then nobody knows whether it was applied before.
    /// Where nothing has, it was refused.
    private func mayBeOvertaken(_ revision: Int, _ group: Identifier, _ base: Snapshot.Base) throws -> Bool {
        // What was not seen may have been anything.
        if try newestRevisionNumber < base.revision { return true }
        if try first("SELECT 1 FROM gap WHERE first > ? LIMIT 1", .int(revision), row: { $0.int(0) }) != nil {
            return true
        }
        return try first(
            """
            SELECT 1 FROM change WHERE group_id = (SELECT id FROM name WHERE text = ?1) AND revision > ?2 AND revision <= ?3
                AND status <> 2 LIMIT 1
            """,
            .text(group),
            .int(revision),
            .int(base.revision),
            row: { $0.int(0) }
        ) != nil
    }

    // MARK: - What changes of what is known

    private func takeOutcomes(_ revision: Revision) throws {
        for change in revision.changes where change.status != .pending || change.error != nil {
            try setOutcome(
                Outcome(revision: revision.number, group: change.group, status: change.status, error: change.error)
            )
        }
        guard let confirmation = revision.confirmation, confirmation.state != .waiting else { return }
        try execute(
            "UPDATE confirmation SET state = ? WHERE revision = ? AND state = 0",
            .int(confirmation.state.rawValue),
            .int(revision.number)
        )
    }

    private func takeTags(_ tags: [Tag]) throws {
        guard try self.tags() != tags else { return }
        try execute("DELETE FROM tag")
        for tag in tags {
            // A revision that was never seen here cannot carry a name.
            try execute(
                """
                INSERT INTO tag (name, revision, author, time)
                SELECT ?1, number, ?3, ?4 FROM revision WHERE number = ?2
                """,
                .text(tag.name),
                .int(tag.revision),
                .int(try authorID(tag.author)),
                .int(tag.time)
            )
        }
    }

    private func takeLease(_ lease: Lease) throws {
        if try self.lease() != lease { try write(lease) }
    }

    private func take(_ term: Term) throws {
        try execute(
            """
            INSERT INTO leadership (epoch, manager, from_at, until_at, reason) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (epoch) DO UPDATE SET until_at = excluded.until_at, reason = excluded.reason
                WHERE until_at IS NOT excluded.until_at
            """,
            .int(term.epoch),
            .text(term.manager),
            .int(term.from),
            .int(term.until),
            .text(term.reason)
        )
    }

    /// Of a term that ended so long ago that nobody tells of it any more.
    private func endForgottenTerms() throws {
        try execute(
            """
            UPDATE leadership SET until_at = from_at, reason = 'this node did not learn how it ended'
            WHERE until_at IS NULL AND epoch < (SELECT max(epoch) FROM leadership)
            """
        )
    }

    private func take(_ settled: Snapshot.Settled) throws {
        try execute(
            """
            UPDATE request SET state = ?1, revision = ?2, error = ?3, reply = ?4, \(Self.endsNow)
            WHERE id = ?5 AND (state IN (0, \(Request.State.forwarded.rawValue)) OR (reply IS NULL AND ?4 IS NOT NULL))
            """,
            .int(settled.state.rawValue),
            .int(settled.revision),
            .text(settled.error),
            settled.answer.map { .blob(RequestBody.encode($0).bytes) } ?? .null,
            .text(settled.id)
        )
    }

    // MARK: - The copy itself

    func replicaInfo() throws -> LocalReplicaInfo? {
        try first(
            """
            SELECT cluster, node, leader, position, version, label_size, label_limit, read_at, trouble FROM swarm
            WHERE id = 1
            """
        ) { row in
            LocalReplicaInfo(
                cluster: row.text(0),
                node: row.text(1),
                leader: row.identifier(2),
                position: row.int(3),
                version: row.int(4),
                labelSize: row.int(5),
                labelLimit: row.int(6),
                readAt: row.int(7),
                trouble: row.optionalText(8)
            )
        }
    }

    func untoldOutcomes() throws -> UntoldOutcomes? {
        let lease = try lease()
        guard lease.isHeld else { return nil }
        return try first(
            """
            SELECT c.revision, (SELECT max(number) FROM revision)
            FROM change c INDEXED BY change_pending JOIN revision r ON r.number = c.revision
            WHERE c.status = 0 AND c.error IS NULL AND r.epoch = ? ORDER BY c.revision LIMIT 1
            """,
            .int(lease.epoch)
        ) { UntoldOutcomes(leader: lease, first: $0.int(0), newest: $0.int(1)) }
    }

    private func set(_ copy: LocalReplicaInfo) throws {
        try execute(
            """
            INSERT OR REPLACE INTO swarm
                (id, cluster, node, leader, position, version, label_size, label_limit, read_at, trouble)
            VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(copy.cluster),
            .text(copy.node),
            .text(copy.leader),
            .int(copy.position),
            .int(copy.version),
            .int(copy.labelSize),
            .int(copy.labelLimit),
            .int(copy.readAt),
            .text(copy.trouble)
        )
    }

    /// Which node leads is not known while the Engine does not tell.
    func setReplicaTrouble(_ trouble: String) throws {
        try execute("UPDATE swarm SET trouble = ?, leader = '' WHERE id = 1", .text(trouble))
    }

    /// Marks a database as a copy, of a swarm that nobody has told of yet.
    func beginReplica() throws {
        try execute(
            """
            INSERT OR IGNORE INTO swarm
                (id, cluster, node, leader, position, version, label_size, label_limit, read_at, trouble)
            VALUES (1, '', '', '', 0, 0, 0, 0, 0, 'the Engine has not been asked yet')
            """
        )
    }

    /// The swarm itself was put back to an older version: from here on it counts from there.
    func resetReplicaPosition() throws {
        try execute("UPDATE swarm SET position = 0 WHERE id = 1")
    }

    // MARK: - The snapshot of what is here

    /// Everything that this copy knows, as a snapshot: what is left when the place that kept the snapshot has lost it.
    ///
    /// - Parameter count: how many of the newest revisions; those whose outcome is open are in it besides.
    /// - Returns: nil when there is nothing: nobody has ever led.
    func snapshot(of count: Int) throws -> Snapshot? {
        let lease = try lease()
        let newest = try newestRevisionNumber
        guard newest > 0 || lease.epoch > 0 else { return nil }
        let open = try pendingRevisionNumbers.first ?? Int.max
        let waiting = try waitingConfirmations().map(\.revision).min() ?? Int.max
        var records: [Snapshot.Record] = []
        var number = newest
        while number > 0, records.count < count || number >= min(open, waiting) && records.count < count * 16 {
            // What was adopted, and what follows a gap, has no hash that can be computed again.
            let isLinked = try number == 1 || hash(of: number - 1) != nil
            guard isLinked, let revision = try revision(number), revision.operation != .adopt,
                let token = try first("SELECT token FROM revision WHERE number = ?", .int(number), row: { $0.blob(0) })
            else { break }
            records.append(Snapshot.Record(revision.bare, token: token))
            number -= 1
        }
        records.reverse()
        func snapshot(after number: Int, _ records: [Snapshot.Record]) throws -> Snapshot {
            Snapshot(
                base: Snapshot.Base(
                    revision: number,
                    hash: try hash(of: number) ?? HashChain.origin,
                    groups: try entries(at: number)
                ),
                records: records,
                lease: lease,
                terms: try terms(),
                tags: try tags(),
                acknowledgements: try acknowledgements(atMost: Snapshot.Limits.acknowledgements),
                settledFrom: lease.epoch + 1
            )
        }
        let whole = try snapshot(after: number, records)
        // Retention may have removed what stood then.
        if whole.isSound, whole.groups == (try entries(at: nil)) { return whole }
        return try snapshot(after: newest, [])
    }

    func entries(at number: Int?) throws -> [Identifier: GlobalConfig.Entry] {
        var groups: [Identifier: GlobalConfig.Entry] = [:]
        for state in try states(at: number) {
            groups[state.group] = state.spec.map { GlobalConfig.Entry(spec: $0.spec, plugin: $0.plugin) }
        }
        return groups
    }
}
