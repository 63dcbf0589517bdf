public import GroupSPI

extension Store {
    /// Puts a request where the leader finds it, from any host that has the file.
    public func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        let asked = await Self.encode(request.kind)
        try await writeSeen(
            within: timeout,
            verify: { connection, _ in try connection.requestState(request.id) != nil },
            { try $0.insertRequest(request, asked) }
        )
    }

    public func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        let rows = try await readNewest(within: timeout) { try $0.waitingRequests() }
        // One that cannot be read must not keep the others waiting; whoever asked takes it back.
        return await Self.decode(rows) { try? Connection.request($0) }
    }

    public func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request? {
        let row = try await reader.run(within: timeout) { [memory] connection in
            try connection.requireSeen(memory)
            return try connection.requestRow(id, isWhole: true)
        }
        guard let row else { return nil }
        return try await Self.decode([row]) { row in Result { try Connection.request(row) } }.first?.storeResult.get()
    }

    /// A request as it stands, with what tells of its fate. What was asked is not read again: that may be long, and whoever
    /// waits looks often.
    public func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight {
        try await reader.run(within: timeout) { [memory] connection in
            try connection.requireSeen(memory)
            return try connection.sight(of: asked)
        }
    }

    /// Not on the caller's actor, nor on the thread of the database: what was asked may be many megabytes.
    @concurrent private static func encode(_ kind: Request.Kind) async -> EncodedRequest { EncodedRequest(kind) }

    @concurrent static func decode<Value: Sendable>(
        _ rows: [CopiedRow],
        _ body: @Sendable (CopiedRow) -> Value?
    ) async -> [Value] { rows.compactMap(body) }

    /// Takes a request back.
    ///
    /// - Returns: true when it is taken back by now; false when a leader has taken it up already, or it is not there.
    public func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try await writeSeen(
            within: timeout,
            verify: { connection, wasCancelled in
                try !wasCancelled || connection.requestState(id) == .cancelled
            },
            { try $0.cancelRequest(id) }
        )
    }

    /// Tells that whoever asked still waits: a leader carries out only what was asked, or asked again, in its own epoch.
    public func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError) {
        try await writeSeen(within: timeout, verify: { _, _ in true }, { try $0.renewRequest(id) })
    }

    /// Tells people what requests wait for; nil for nothing.
    ///
    /// - Throws: ``StoreError`` `fenced` when another leads.
    public func noteRequests(
        _ notes: [String: String?],
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { try $0.noteRequests(notes, fence: fence) }
        )
    }

    /// Ends a request that no revision carries out, if the writer still leads.
    ///
    /// - Throws: ``StoreError``: `conflict` when it has ended already or was taken back, `fenced` when another leads.
    public func finishRequest(
        _ id: String,
        state: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.requestState(id) == state },
            { try $0.finishRequest(id, state: state, error: error, fence: fence) }
        )
    }

    /// Tells the replica that passed a call on what it came to.
    ///
    /// - Throws: ``StoreError`` `fenced` when another leads.
    public func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        let answer = RequestBody.encode(answer)
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.requestReply(id) == answer.bytes },
            { try $0.answerRequest(id, answer, fence: fence) }
        )
    }

    /// Forgets some of the requests that ended before a sequence of the lease; again, as long as it has removed any.
    ///
    /// - Throws: ``StoreError`` `fenced` when another leads.
    public func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { try $0.removeRequests(endedBefore: sequence, limit: Self.removalLength, fence: fence) }
        )
    }

    /// Requests that one transaction removes: others want to write too.
    static let removalLength = 500
}

extension Result where Failure == any Error {
    /// What is stored cannot be read.
    var storeResult: Result<Success, StoreError> {
        mapError { ($0 as? StoreError) ?? StoreError(.corrupt, "the stored data cannot be read: \($0)") }
    }
}
