internal import GroupSPI

/// The columns that ``Connection/change(_:)`` reads.
private let changeColumns = "g.text, c.action, p.text, s.body, c.status, c.error, c.revision"

private let changeJoins = """
    LEFT JOIN name g ON g.id = c.group_id
    LEFT JOIN name p ON p.id = c.plugin
    LEFT JOIN spec s ON s.id = c.spec
    """

/// Every group that the history names, one index seek for each rather than a scan of all changes.
private let everyGroup = """
    WITH RECURSIVE groups(id) AS (
        SELECT min(group_id) FROM change
        UNION ALL
        SELECT (SELECT min(group_id) FROM change WHERE group_id > groups.id) FROM groups WHERE groups.id IS NOT NULL
    )
    """

/// Every group with a change after one of the revisions ?1 and ?2, up to the other.
private let groupsChangedBetween = """
    WITH groups(id) AS (
        SELECT DISTINCT group_id FROM change WHERE revision > min(?1, ?2) AND revision <= max(?1, ?2)
    )
    """

/// The newest change up to revision ?1 that the plugin has not refused, of each of the groups.
private let newestChanges = """
    SELECT \(changeColumns) FROM groups JOIN change c ON c.group_id = groups.id AND c.revision = (
        SELECT revision FROM change WHERE group_id = groups.id AND revision <= ?1 AND status <> 2
        ORDER BY revision DESC LIMIT 1
    ) \(changeJoins) ORDER BY g.text
    """

extension Connection {
    var newestRevisionNumber: Int {
        get throws { try first("SELECT max(number) FROM revision") { $0.int(0) } ?? 0 }
    }

    var oldestRevisionNumber: Int {
        get throws { try first("SELECT min(number) FROM revision") { $0.int(0) } ?? 0 }
    }

    /// The newest revision that changed anything: one whose every change was refused did not.
    var currentRevisionNumber: Int? {
        get throws {
            try first(
                """
                SELECT number FROM revision r
                WHERE EXISTS (SELECT 1 FROM change WHERE revision = r.number AND status <> 2)
                ORDER BY number DESC LIMIT 1
                """
            ) { $0.int(0) }
        }
    }

    var pendingRevisionNumbers: [Int] {
        get throws {
            try all("SELECT DISTINCT revision FROM change WHERE status = 0 ORDER BY revision") { $0.int(0) }
        }
    }

    /// Refused changes that are the newest word on their group, and that nobody has acknowledged: what an operator still has to
    /// look at. One that asked for what stands anyway is none of them, nor is the freeing of a group that does not stand.
    var openRejections: [OpenRejection] {
        get throws {
            try all(
                """
                \(everyGroup)
                SELECT c.revision, g.text FROM groups
                JOIN change c ON c.group_id = groups.id
                    AND c.revision = (SELECT max(revision) FROM change WHERE group_id = groups.id)
                JOIN name g ON g.id = c.group_id
                LEFT JOIN change s ON s.group_id = c.group_id AND s.revision = (
                    SELECT revision FROM change WHERE group_id = c.group_id AND status <> 2 ORDER BY revision DESC LIMIT 1
                )
                LEFT JOIN spec asked ON asked.id = c.spec LEFT JOIN spec standing ON standing.id = s.spec
                WHERE c.status = 2
                    AND NOT EXISTS (SELECT 1 FROM acknowledgement WHERE revision = c.revision)
                    AND CASE c.action
                        WHEN \(ActionCode.set) THEN
                            s.action IS NOT c.action OR s.plugin IS NOT c.plugin OR standing.hash IS NOT asked.hash
                        WHEN \(ActionCode.free) THEN s.action IS \(ActionCode.set)
                        ELSE s.action IS NOT c.action
                    END
                ORDER BY c.revision, g.text
                """
            ) { OpenRejection(revision: $0.int(0), group: $0.identifier(1)) }
        }
    }

    /// Newest first.
    ///
    /// - Parameter limit: no other is read after so long.
    func revisions(_ query: HistoryQuery, within limit: Duration? = nil) throws -> [Revision] {
        var found: [Revision] = []
        try visit(query, within: limit) { found.append($0) }
        return found
    }

    /// The same, each with the states of its groups just before it.
    func revisionsWithPast(
        _ query: HistoryQuery,
        within limit: Duration
    ) throws -> [(revision: Revision, before: [Identifier: GroupState])] {
        var found: [(revision: Revision, before: [Identifier: GroupState])] = []
        try visit(query, within: limit) { revision in
            var before: [Identifier: GroupState] = [:]
            for change in revision.changes where query.group == nil || query.group == change.group {
                before[change.group] = try state(of: change.group, at: revision.number - 1)
            }
            found.append((revision, before))
        }
        return found
    }

    private func visit(_ query: HistoryQuery, within limit: Duration?, _ body: (Revision) throws -> Void) throws {
        let start = ContinuousClock.now
        for number in try numbers(query) {
            guard let revision = try revision(number) else { continue }
            try body(revision)
            if let limit, .now - start >= limit { return }
        }
    }

    /// Newest first.
    private func numbers(_ query: HistoryQuery) throws -> [Int] {
        let sql =
            query.group == nil
            ? "SELECT number FROM revision WHERE number < ?2 AND number > ?3 ORDER BY number DESC LIMIT ?4"
            : """
            SELECT revision FROM change WHERE group_id = (SELECT id FROM name WHERE text = ?1)
                AND revision < ?2 AND revision > ?3 ORDER BY revision DESC LIMIT ?4
            """
        return try all(
            sql,
            .text(query.group?.text),
            .int(query.before ?? Int.max),
            .int(try lowerEnd(of: query)),
            .int(query.limit ?? -1),
            row: { $0.int(0) }
        )
    }

    /// The number above which a query's revisions are.
    ///
    /// Leaders' clocks differ, so times are in no order: what came after the first revision of the time that was asked for is of that
    /// time too, whatever its own leader's clock said.
    private func lowerEnd(of query: HistoryQuery) throws -> Int {
        guard let since = query.since else { return query.after ?? 0 }
        let first = try first(
            "SELECT min(number) FROM revision INDEXED BY revision_by_time WHERE time >= ?",
            .int(since),
            row: { $0.optionalInt(0) }
        )
        return max(query.after ?? 0, try first.flatMap { $0 }.map { $0 - 1 } ?? newestRevisionNumber)
    }

    /// How many revisions a query without a limit would give.
    func countRevisions(_ query: HistoryQuery) throws -> Int {
        let after = try lowerEnd(of: query)
        guard let group = query.group else {
            // No need to visit a million rows.
            let newest = try newestRevisionNumber
            guard newest > 0 else { return 0 }
            let last = min(newest, query.before.map { $0 - 1 } ?? newest)
            let first = max(1, after + 1)
            return first > last ? 0 : last - first + 1 - (try countRemoved(from: first, through: last))
        }
        return try first(
            """
            SELECT count(*) FROM change WHERE group_id = (SELECT id FROM name WHERE text = ?1)
                AND revision < ?2 AND revision > ?3
            """,
            .text(group),
            .int(query.before ?? Int.max),
            .int(after),
            row: { $0.int(0) }
        ) ?? 0
    }

    func revision(_ number: Int) throws -> Revision? {
        let changes = try all(
            "SELECT \(changeColumns) FROM change c \(changeJoins) WHERE c.revision = ? ORDER BY g.text",
            .int(number),
            row: Self.change
        )
        let tags = try tags(of: number)
        let confirmation = try confirmation(of: number)
        let acknowledgement = try acknowledgement(of: number)
        return try first(
            """
            SELECT r.number, r.time, r.epoch, m.text, a.user, a.uid, a.host, r.operation, r.target, r.message, r.hash
            FROM revision r JOIN name m ON m.id = r.manager JOIN author a ON a.id = r.author WHERE r.number = ?
            """,
            .int(number)
        ) { row in
            Revision(
                number: row.int(0),
                time: row.int(1),
                epoch: row.int(2),
                manager: row.identifier(3),
                author: Self.author(row, from: 4),
                operation: try Self.operation(row.int(7), revision: number),
                target: row.optionalInt(8),
                message: row.text(9),
                changes: changes,
                hash: row.blob(10),
                tags: tags,
                confirmation: confirmation,
                acknowledgement: acknowledgement
            )
        }
    }

    /// The state of every group at a revision: of each, the newest change up to it that the plugin has not refused.
    ///
    /// - Parameter number: the revision; nil for the newest.
    /// - Returns: in the order of the groups' names; freed and destroyed groups included.
    func states(at number: Int? = nil) throws -> [GroupState] {
        try all("\(everyGroup) \(newestChanges)", .int(number ?? Int.max), row: state)
    }

    /// The states at two revisions, but for groups that stand alike at both; some of those may be there.
    ///
    /// Only a group with a change between the two can stand otherwise: of any other, the newest change up to the one and up to
    /// the other is the same row. That is so whatever retention has removed between them: both states are read from the rows
    /// that are left, which are the same ones within a transaction.
    func differingStates(_ one: Int, _ other: Int) throws -> (first: [GroupState], second: [GroupState]) {
        // Ten thousand entries of the index are read sooner than the states of a thousand groups. There may be a million, and
        // so many changes leave few groups alike.
        let areMany = try first(
            "SELECT 1 FROM change WHERE revision > min(?1, ?2) AND revision <= max(?1, ?2) LIMIT 1 OFFSET 10000",
            .int(one),
            .int(other),
            row: { _ in true }
        )
        if areMany == true { return (try states(at: one), try states(at: other)) }
        let sql = "\(groupsChangedBetween) \(newestChanges)"
        return (
            try all(sql, .int(one), .int(other), row: state),
            try all(sql, .int(other), .int(one), row: state)
        )
    }

    /// - Throws: ``StoreError`` `notFound`, with the groups that there are, when the history does not know this one.
    func requireGroup(_ group: Identifier) throws {
        guard try state(of: group) == nil else { return }
        let known = try states().map(\.group).sorted().joined(separator: ", ")
        throw StoreError(.notFound, "there is no group '\(group)'; there are: \(known)")
    }

    func state(of group: Identifier, at number: Int? = nil) throws -> GroupState? {
        try first(
            """
            SELECT \(changeColumns) FROM change c \(changeJoins)
            WHERE c.group_id = (SELECT id FROM name WHERE text = ?) AND c.revision <= ? AND c.status <> 2
            ORDER BY c.revision DESC LIMIT 1
            """,
            .text(group),
            .int(number ?? Int.max),
            row: state
        )
    }

    // MARK: - Rows

    private func state(_ row: Statement) throws -> GroupState {
        let change = try Self.change(row)
        let revision = row.int(6)
        var previous: Change.Action?
        if change.action == .destroy {
            previous = try first(
                """
                SELECT \(changeColumns) FROM change c \(changeJoins)
                WHERE c.group_id = (SELECT id FROM name WHERE text = ?) AND c.revision < ? AND c.status <> 2
                    AND c.action = \(ActionCode.set)
                ORDER BY c.revision DESC LIMIT 1
                """,
                .text(change.group),
                .int(revision),
                row: { try Self.change($0).action }
            )
        }
        return GroupState(group: change.group, change: change, revision: revision, previous: previous)
    }

    private static func change(_ row: Statement) throws -> Change {
        let action: Change.Action =
            switch row.int(1) {
            case ActionCode.set: .set(RawJSON(checked: row.blob(3)), plugin: row.identifier(2))
            case ActionCode.free: .free
            case ActionCode.destroy: .destroy
            case let code: throw damaged("an action with the unknown code \(code)", revision: row.int(6))
            }
        guard let status = Status(rawValue: row.int(4)) else {
            throw damaged("a status with the unknown code \(row.int(4))", revision: row.int(6))
        }
        return Change(group: row.identifier(0), action: action, status: status, error: row.optionalText(5))
    }

    private static func operation(_ code: Int, revision: Int) throws -> Operation {
        guard let operation = Operation(rawValue: code) else {
            throw damaged("an operation with the unknown code \(code)", revision: revision)
        }
        return operation
    }

    private static func damaged(_ what: String, revision: Int) -> StoreError {
        StoreError(
            .corrupt,
            "the history is damaged: revision \(revision) has \(what). Stop the managers and restore a backup."
        )
    }
}
