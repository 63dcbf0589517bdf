private let requestColumns = """
    q.id, q.kind, q.target, q.group_name, q.expected_current, a.user, a.uid, a.host, q.message, q.state, q.revision,
    q.error
    """

extension Connection {
    func insertRequest(_ request: Request) throws {
        var target: SQLValue = .null
        var group: SQLValue = .null
        var expected: SQLValue = .null
        var kind = RequestKindName.stepDown
        if case .rollback(let to, let groupName, let expectedCurrent) = request.kind {
            kind = RequestKindName.rollback
            target = .int(to)
            group = .text(groupName)
            expected = .int(expectedCurrent)
        }
        try execute(
            """
            INSERT INTO request (id, kind, target, group_name, expected_current, author, message, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(request.id),
            .text(kind),
            target,
            group,
            expected,
            .int(try authorID(request.author)),
            .text(request.message),
            .int(Request.State.waiting.rawValue)
        )
    }

    /// Requests that no leader has taken up yet, the oldest first. One of a kind that this program does not know waits
    /// for a leader that does; it does not keep the others from theirs.
    func waitingRequests() throws -> [Request] {
        try all(
            """
            SELECT \(requestColumns) FROM request q JOIN author a ON a.id = q.author
            WHERE q.state = 0 AND q.kind IN ('\(RequestKindName.rollback)', '\(RequestKindName.stepDown)')
            ORDER BY q.number
            """,
            row: Self.request
        )
    }

    func request(_ id: String) throws -> Request? {
        try first(
            "SELECT \(requestColumns) FROM request q JOIN author a ON a.id = q.author WHERE q.id = ?",
            .text(id),
            row: Self.request
        )
    }

    private static func request(_ row: Statement) throws -> Request {
        let kind: Request.Kind
        switch row.text(1) {
        case RequestKindName.rollback:
            kind = .rollback(to: row.int(2), group: row.optionalText(3), expectedCurrent: row.optionalInt(4))
        case RequestKindName.stepDown:
            kind = .stepDown
        case let name:
            throw StoreError(.corrupt, "the request \(row.text(0)) is of the unknown kind '\(name)'")
        }
        guard let state = Request.State(rawValue: row.int(9)) else {
            throw StoreError(.corrupt, "the request \(row.text(0)) is in the unknown state \(row.int(9))")
        }
        return Request(
            id: row.text(0),
            kind: kind,
            author: author(row, from: 5),
            message: row.text(8),
            state: state,
            revision: row.optionalInt(10),
            error: row.optionalText(11)
        )
    }

    /// Marks a request as taken up by the revision that carries it out, in whose transaction this runs.
    ///
    /// - Throws: ``StoreError`` `conflict` unless it still waits: a request is taken up at most once, and not after it
    ///   was taken back.
    func takeUpRequest(_ id: String, revision: Int) throws {
        let changed = try execute(
            "UPDATE request SET state = ?, revision = ? WHERE id = ? AND state = ?",
            .int(Request.State.accepted.rawValue),
            .int(revision),
            .text(id),
            .int(Request.State.waiting.rawValue)
        )
        guard changed == 1 else { throw try conflict(id) }
    }

    /// Ends a request, if the writer still leads.
    ///
    /// - Throws: ``StoreError`` `conflict` when it has ended already, or was taken back.
    func finishRequest(_ id: String, state: Request.State, revision: Int?, error: String?, fence: Fence) throws {
        try requireLease(fence)
        let changed = try execute(
            "UPDATE request SET state = ?, revision = coalesce(?, revision), error = ? WHERE id = ? AND state IN (?, ?)",
            .int(state.rawValue),
            .int(revision),
            .text(error),
            .text(id),
            .int(Request.State.waiting.rawValue),
            .int(Request.State.accepted.rawValue)
        )
        guard changed == 1 else { throw try conflict(id) }
    }

    private func conflict(_ id: String) throws -> StoreError {
        guard let request = try request(id) else { return StoreError(.conflict, "there is no request \(id)") }
        return StoreError(.conflict, "the request \(id) is \(request.state) already; nothing was stored")
    }

    /// Takes a request back.
    ///
    /// - Returns: false when a leader has taken it up.
    func cancelRequest(_ id: String) throws -> Bool {
        try execute(
            "UPDATE request SET state = ? WHERE id = ? AND state = 0",
            .int(Request.State.cancelled.rawValue),
            .text(id)
        ) == 1
    }
}

/// How a kind is stored.
private enum RequestKindName {
    static let rollback = "rollback"
    static let stepDown = "step-down"
}
