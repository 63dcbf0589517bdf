public import GroupSPI

extension Store {
    /// Puts a request where the leader finds it, from any host that has the file.
    public func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.request(request.id) != nil },
            { connection in
                try connection.requireSeen(connection.memory)
                try connection.insertRequest(request)
            }
        )
    }

    public func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        try await reader.run(within: timeout) { try $0.waitingRequests() }
    }

    public func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request? {
        try await reader.run(within: timeout) { [memory] connection in
            try connection.requireSeen(memory)
            return try connection.request(id)
        }
    }

    /// Takes a request back.
    ///
    /// - Returns: false when a leader has taken it up already.
    public func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try await writer.run(
            within: timeout,
            verify: { connection, wasCancelled in
                try !wasCancelled || connection.request(id)?.state == .cancelled
            },
            { connection in
                try connection.requireSeen(connection.memory)
                return try connection.cancelRequest(id)
            }
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
            verify: { connection, _ in try connection.request(id)?.state == state },
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
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.request(id)?.answer == answer },
            { try $0.answerRequest(id, answer, fence: fence) }
        )
    }

    /// Forgets some of the requests that have ended and were made before a time, in milliseconds since 1970.
    public func removeRequests(before time: Int, fence: Fence, within timeout: Duration) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { try $0.removeRequests(before: time, fence: fence) }
        )
    }
}
