internal import GroupSPI

/// - Parameter body: the column with what was asked, or NULL.
private func requestColumns(body: String = "q.body") -> String {
    """
    q.id, q.kind, q.target, q.group_name, q.expected_current, a.user, a.uid, a.host, q.message, q.state, q.revision,
    q.error, \(body), q.reply, q.confirm, q.time, q.patience, q.epoch, q.waits_for
    """
}

extension Connection {
    /// Whoever asks is heard of at that: the epoch is the lease's of this moment.
    func insertRequest(_ request: Request, _ asked: EncodedRequest) throws {
        try execute(
            """
            INSERT INTO request
                (id, kind, target, group_name, expected_current, author, message, state, body, confirm, time, patience,
                epoch)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT epoch FROM lease WHERE id = 1))
            """,
            .text(request.id),
            .text(asked.kind),
            asked.target,
            asked.group,
            asked.expected,
            .int(try authorID(request.author)),
            .text(request.message),
            .int(Request.State.waiting.rawValue),
            asked.body,
            asked.confirm,
            .int(request.time),
            .int(request.patience)
        )
    }

    /// Requests that no leader has taken up yet, the oldest first. One of a kind that this program does not know waits
    /// for a leader that does; it does not keep the others from theirs.
    func waitingRequests() throws -> [CopiedRow] {
        try all(
            """
            SELECT \(requestColumns()) FROM request q JOIN author a ON a.id = q.author
            WHERE q.state = 0 AND q.kind IN (\(RequestKindName.all)) ORDER BY q.number
            """
        ) { $0.copy }
    }

    /// - Parameter isWhole: with what was asked.
    func requestRow(_ id: String, isWhole: Bool) throws -> CopiedRow? {
        try first(
            """
            SELECT \(requestColumns(body: isWhole ? "q.body" : "NULL"))
            FROM request q JOIN author a ON a.id = q.author WHERE q.id = ?
            """,
            .text(id)
        ) { $0.copy }
    }

    func requestState(_ id: String) throws -> Request.State? {
        try first("SELECT state FROM request WHERE id = ?", .text(id)) { row in
            try Self.state(row, 0, of: id)
        }
    }

    func requestReply(_ id: String) throws -> [UInt8]? {
        try first("SELECT reply FROM request WHERE id = ?", .text(id)) { $0.isNull(0) ? nil : $0.blob(0) } ?? nil
    }

    private static func state(_ row: some Row, _ column: Int32, of id: String) throws -> Request.State {
        guard let state = Request.State(rawValue: row.int(column)) else {
            throw StoreError(.corrupt, "the request \(id) is in the unknown state \(row.int(column))")
        }
        return state
    }

    /// Reads what may be long: not within a transaction.
    ///
    /// - Parameter asked: what was asked, if that is known.
    static func request(_ row: some Row, asked: Request.Kind? = nil) throws -> Request {
        let id = row.text(0)
        let state = try state(row, 9, of: id)
        do {
            return Request(
                id: id,
                kind: try asked ?? kind(row),
                author: author(row, from: 5),
                message: row.text(8),
                time: row.int(15),
                patience: row.int(16),
                epoch: row.int(17),
                state: state,
                revision: row.optionalInt(10),
                error: row.optionalText(11),
                waitsFor: row.optionalText(18),
                answer: row.isNull(13) ? nil : try RequestBody.decodeAnswer(row.blob(13))
            )
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.corrupt, "the request \(id) cannot be read: \(error)")
        }
    }

    private static func kind(_ row: some Row) throws -> Request.Kind {
        switch row.text(1) {
        case RequestKindName.rollback:
            return .rollback(to: row.int(2), group: row.optionalIdentifier(3), expectedCurrent: row.optionalInt(4))
        case RequestKindName.commit:
            let entries = try GlobalConfig.decode(row.blob(12), limits: RequestBody.limits)
            return .commit(entries, expectedCurrent: row.optionalInt(4), confirmWithin: row.optionalInt(14))
        case RequestKindName.import:
            return .import(try GlobalConfig.decode(row.blob(12), limits: RequestBody.limits))
        case RequestKindName.write:
            guard let call = try RequestBody.decodeRequest(row.blob(12)) else {
                throw StoreError(.corrupt, "the request \(row.text(0)) passes on an unknown call")
            }
            return .write(call)
        case RequestKindName.preview: return .preview(try RequestBody.decodeSpecs(row.blob(12)))
        case RequestKindName.mark: return .mark(try RequestBody.decodeMark(row.blob(12)))
        case RequestKindName.stepDown: return .stepDown
        case let name: throw StoreError(.corrupt, "the request \(row.text(0)) is of the unknown kind '\(name)'")
        }
    }

    /// Marks a request as taken up by the revision that carries it out, in whose transaction this runs.
    ///
    /// - Throws: ``StoreError`` `conflict` unless it still waits: a request is taken up at most once, and not after it
    ///   was taken back.
    func takeUpRequest(_ id: String, revision: Int) throws {
        let changed = try execute(
            "UPDATE request SET state = ?, revision = ?, \(Self.endsNow) WHERE id = ? AND state = 0",
            .int(Request.State.done.rawValue),
            .int(revision),
            .text(id)
        )
        guard changed == 1 else { throw try conflict(id) }
    }

    /// Ends a request that no revision carries out, if the writer still leads.
    ///
    /// - Throws: ``StoreError`` `conflict` when it has ended already, or was taken back.
    func finishRequest(_ id: String, state: Request.State, error: String?, fence: Fence) throws {
        try requireLease(fence)
        let changed = try execute(
            "UPDATE request SET state = ?, error = ?, \(Self.endsNow) WHERE id = ? AND state = 0",
            .int(state.rawValue),
            .text(error),
            .text(id)
        )
        guard changed == 1 else { throw try conflict(id) }
    }

    /// Tells the replica that passed a call on what it came to. Also ends the request, if no revision has. The first
    /// answer stays.
    ///
    /// - Parameter answer: as ``RequestBody`` writes it.
    func answerRequest(_ id: String, _ answer: RawJSON, fence: Fence) throws {
        try requireLease(fence)
        try execute(
            "UPDATE request SET reply = ?, state = ?, \(Self.endsNow) WHERE id = ? AND state IN (0, ?) AND reply IS NULL",
            .blob(answer.bytes),
            .int(Request.State.done.rawValue),
            .text(id),
            .int(Request.State.done.rawValue)
        )
    }

    private func conflict(_ id: String) throws -> StoreError {
        guard let state = try requestState(id) else { return StoreError(.conflict, "there is no request \(id)") }
        return StoreError(.conflict, "the request \(id) is \(state) already; nothing was stored")
    }

    /// Takes a request back. For one that was passed on that is a wish; see ``Request/State/forwarded``.
    ///
    /// - Returns: true when it is taken back by now; false when a leader has taken it up, or may have.
    func cancelRequest(_ id: String) throws -> Bool {
        try execute(
            "UPDATE request SET withdrawn = 1 WHERE id = ? AND state = ?",
            .text(id),
            .int(Request.State.forwarded.rawValue)
        )
        let changed = try execute(
            "UPDATE request SET state = ?, \(Self.endsNow) WHERE id = ? AND state = 0",
            .int(Request.State.cancelled.rawValue),
            .text(id)
        )
        return try changed == 1 || isCancelled(id)
    }

    private func isCancelled(_ id: String) throws -> Bool {
        try first(
            "SELECT 1 FROM request WHERE id = ? AND state = ?",
            .text(id),
            .int(Request.State.cancelled.rawValue),
            row: { _ in true }
        ) == true
    }

    /// Whoever asks lives, in the epoch of now.
    func renewRequest(_ id: String) throws {
        try execute(
            "UPDATE request SET epoch = (SELECT epoch FROM lease WHERE id = 1) WHERE id = ? AND state IN (0, ?)",
            .text(id),
            .int(Request.State.forwarded.rawValue)
        )
    }

    /// Tells people what requests wait for, if the writer still leads.
    func noteRequests(_ notes: [String: String?], fence: Fence) throws {
        try requireLease(fence)
        for (id, note) in notes {
            try execute("UPDATE request SET waits_for = ? WHERE id = ? AND state = 0", .text(note), .text(id))
        }
    }

    /// A request, the revision that carries it out and the lease, at one moment.
    func sight(of asked: Request) throws -> RequestSight {
        // What was asked is not read again: that may be long, and whoever waits looks often.
        let request = try requestRow(asked.id, isWhole: false).map { try Self.request($0, asked: asked.kind) }
        let lease = try lease()
        guard let request, request.state == .done, let number = request.revision else {
            return RequestSight(request: request, lease: lease)
        }
        do {
            return RequestSight(request: request, revision: try revision(number), lease: lease)
        } catch {
            // That it was stored is known all the same.
            return RequestSight(request: request, lease: lease, trouble: StoreError(any: error))
        }
    }

    func forwardedRequests() throws -> [CopiedRow] {
        try all(
            """
            SELECT \(requestColumns()), q.withdrawn FROM request q JOIN author a ON a.id = q.author
            WHERE q.state = ? ORDER BY q.number
            """,
            .int(Request.State.forwarded.rawValue)
        ) { $0.copy }
    }

    static func isCancelled(_ row: CopiedRow) -> Bool { row.int(19) != 0 }

    func moveRequest(_ id: String, from old: Request.State, to new: Request.State, error: String?) throws -> Bool {
        try execute(
            "UPDATE request SET state = ?, error = ?\(new.isOpen ? "" : ", \(Self.endsNow)") WHERE id = ? AND state = ?",
            .int(new.rawValue),
            .text(error),
            .text(id),
            .int(old.rawValue)
        ) == 1
    }

    /// When a request ends, for ``removeRequests(endedBefore:limit:fence:)``.
    static let endsNow = "ended = (SELECT sequence FROM lease WHERE id = 1)"

    /// Forgets some of the requests that ended before a sequence of the lease, if the writer still leads.
    ///
    /// Those too that ended so many renewals ago that no leader of then need be asked, and those that ended under a lease which
    /// counted further than this one: a copy's, whose manager was started anew.
    func removeRequests(endedBefore sequence: Int, limit: Int, fence: Fence?) throws -> RequestRemoval {
        if let fence { try requireLease(fence) }
        let current = try lease().sequence
        let removed = try execute(
            """
            DELETE FROM request WHERE number IN (
                SELECT number FROM request WHERE ended < ?1 OR ended > ?2 LIMIT ?3
            )
            """,
            .int(max(sequence, current - Self.longestMemory)),
            .int(current),
            .int(limit)
        )
        return RequestRemoval(removed: removed, sequence: current)
    }

    /// In changes of the lease's row: two hours with the default times.
    private static let longestMemory = 5000
}

/// What is asked, as it is stored. Made before the transaction, as it may be long.
struct EncodedRequest: Sendable {
    fileprivate let kind: String
    fileprivate var target: SQLValue = .null
    fileprivate var group: SQLValue = .null
    fileprivate var expected: SQLValue = .null
    fileprivate var body: SQLValue = .null
    fileprivate var confirm: SQLValue = .null

    init(_ kind: Request.Kind) {
        switch kind {
        case .rollback(let to, let groupName, let expectedCurrent):
            self.kind = RequestKindName.rollback
            target = .int(to)
            group = .text(groupName?.text)
            expected = .int(expectedCurrent)
        case .commit(let entries, let expectedCurrent, let confirmWithin):
            self.kind = RequestKindName.commit
            body = .blob(GlobalConfig.encode(entries).bytes)
            expected = .int(expectedCurrent)
            confirm = .int(confirmWithin)
        case .import(let entries):
            self.kind = RequestKindName.import
            body = .blob(GlobalConfig.encode(entries).bytes)
        case .write(let call):
            self.kind = RequestKindName.write
            body = .blob(RequestBody.encode(call).bytes)
        case .preview(let specs):
            self.kind = RequestKindName.preview
            body = .blob(RequestBody.encode(specs).bytes)
        case .mark(let mark):
            self.kind = RequestKindName.mark
            body = .blob(RequestBody.encode(mark).bytes)
        case .stepDown:
            self.kind = RequestKindName.stepDown
        }
    }
}

/// How a kind is stored.
private enum RequestKindName {
    static let rollback = "rollback"
    static let commit = "commit"
    static let `import` = "import"
    static let write = "write"
    static let preview = "preview"
    static let mark = "mark"
    static let stepDown = "step-down"

    /// For an SQL list.
    static let all = [rollback, commit, `import`, write, preview, mark, stepDown].map { "'\($0)'" }.joined(
        separator: ", "
    )
}
