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

    /// Requests that no leader has taken up yet, the oldest first.
    func waitingRequests() throws -> [Request] {
        try all(
            """
            SELECT \(requestColumns) FROM request q JOIN author a ON a.id = q.author
            WHERE q.state = 0 ORDER BY q.number
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
        return Request(
            id: row.text(0),
            kind: kind,
            author: author(row, from: 5),
            message: row.text(8),
            state: Request.State(rawValue: row.int(9)) ?? .refused,
            revision: row.optionalInt(10),
            error: row.optionalText(11)
        )
    }

    /// Moves a request on, if the writer still leads.
    func updateRequest(_ id: String, state: Request.State, revision: Int?, error: String?, fence: Fence) throws {
        try requireLease(fence)
        try execute(
            "UPDATE request SET state = ?, revision = coalesce(?, revision), error = ? WHERE id = ? AND state < 2",
            .int(state.rawValue),
            .int(revision),
            .text(error),
            .text(id)
        )
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
