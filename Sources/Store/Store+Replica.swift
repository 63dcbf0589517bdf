public import GroupSPI

/// The database as one node's copy of a history that is kept elsewhere.
extension Store {
    /// Brings the copy up to date with a snapshot.
    ///
    /// - Parameters:
    ///   - snapshot: nil when there is none: then only where it was looked for is noted.
    ///   - copy: what the label was read as.
    ///   - timeout: how long it may take.
    public func apply(
        _ snapshot: Snapshot?,
        _ copy: LocalReplicaInfo,
        within timeout: Duration
    ) async throws(StoreError) -> ApplyResult {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.replicaInfo() == copy },
            { [clock] connection in
                try connection.apply(
                    snapshot,
                    copy,
                    time: Store.wallClock(),
                    elapsed: try clock.elapsed(connection)
                )
            }
        )
    }

    /// Of what this database is a copy; nil when it is the history itself.
    public func replicaInfo(within timeout: Duration) async throws(StoreError) -> LocalReplicaInfo? {
        try await reader.run(within: timeout) { try $0.replicaInfo() }
    }

    /// What a reader has to know before anything else.
    ///
    /// - Throws: ``StoreError``; not for a lease or a history that cannot be read, which is found when it is.
    public func readerView(within timeout: Duration) async throws(StoreError) -> ReaderView {
        do throws(StoreError) {
            return try await reader.run(within: timeout) { connection in
                ReaderView(copy: try connection.replicaInfo(), untold: try connection.untoldOutcomes())
            }
        } catch {
            guard error.code == .corrupt else { throw error }
            return ReaderView(copy: try await replicaInfo(within: timeout), untold: nil)
        }
    }

    /// Notes why the copy cannot be brought up to date.
    public func setReplicaTrouble(_ trouble: String, within timeout: Duration) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { try $0.setReplicaTrouble(trouble) }
        )
    }

    /// Removes the next revisions of a copy that a policy does not keep; see ``prune(_:after:fence:within:)``.
    public func pruneReplica(
        _ policy: RetentionPolicy,
        after position: Int,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { [clock] connection in
                try connection.prune(
                    policy,
                    after: position,
                    count: Self.pruneLength,
                    fence: nil,
                    time: Store.wallClock(),
                    elapsed: try clock.elapsed(connection)
                )
            }
        )
    }

    /// Forgets some of a copy's requests; see ``removeRequests(endedBefore:fence:within:)``.
    public func removeReplicaRequests(
        endedBefore sequence: Int,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { try $0.removeRequests(endedBefore: sequence, limit: Self.removalLength, fence: nil) }
        )
    }

    /// Everything that this copy knows, for a place that has lost its snapshot.
    ///
    /// - Parameters:
    ///   - count: how many of the newest revisions, and those whose outcome is open besides.
    ///   - timeout: how long it may take.
    /// - Returns: nil when nobody has ever led here.
    public func snapshot(of count: Int, within timeout: Duration) async throws(StoreError) -> Snapshot? {
        try await reader.run(within: timeout) { try $0.snapshot(of: count) }
    }

    /// Marks this database as a swarm's copy, if it is not one yet.
    public func beginReplica(within timeout: Duration) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.replicaInfo() != nil },
            { try $0.beginReplica() }
        )
    }

    /// Lets the copy take an older version of the swarm: it was put back.
    public func resetReplicaPosition(within timeout: Duration) async throws(StoreError) {
        try await writer.run(within: timeout, verify: { _, _ in true }, { try $0.resetReplicaPosition() })
    }

    /// Notes something in the history and settles the request that asked for it, in one transaction.
    ///
    /// - Throws: ``StoreError``: `fenced`, `conflict`, `notFound`.
    public func apply(
        _ mark: MetadataChange,
        author: Author,
        resolving id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.requestState(id) == .done },
            { connection in
                try connection.finishRequest(id, state: .done, error: nil, fence: fence)
                switch mark {
                case .tag(let name, let revision, let moving):
                    let time = Store.wallClock()
                    try connection.setTag(name, to: revision, author: author, moving: moving, time: time)
                case .untag(let name): try connection.removeTag(name)
                case .confirm(let revision): try connection.endConfirmation(of: revision, as: .confirmed)
                case .acknowledge(let revision, let message):
                    let time = Store.wallClock()
                    try connection.acknowledge(revision, author: author, message: message, time: time)
                }
            }
        )
    }

    // MARK: - Requests on their way

    /// Those that are on their way to a leader elsewhere, and whether who asked wants them back.
    public func forwardedRequests(
        within timeout: Duration
    ) async throws(StoreError) -> [(request: Request, isCancelled: Bool)] {
        let rows = try await reader.run(within: timeout) { try $0.forwardedRequests() }
        return try await Self.decode(rows) { row in
            Result { (request: try Connection.request(row), isCancelled: Connection.isCancelled(row)) }.storeResult
        }.map { result throws(StoreError) in try result.get() }
    }

    /// Marks a waiting request as passed on, or one that was passed on as waiting again.
    ///
    /// - Returns: false when it is in another state.
    public func moveRequest(
        _ id: String,
        from old: Request.State,
        to new: Request.State,
        error: String? = nil,
        within timeout: Duration
    ) async throws(StoreError) -> Bool {
        try await writer.run(
            within: timeout,
            verify: { connection, hasMoved in try !hasMoved || connection.requestState(id) == new },
            { try $0.moveRequest(id, from: old, to: new, error: error) }
        )
    }
}
