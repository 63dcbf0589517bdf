/// The database as one node's copy of a history that is kept elsewhere.
extension Store {
    /// Brings the copy up to date with an image.
    ///
    /// - Parameter image: nil when there is none: then only where it was looked for is noted.
    public func project(
        _ image: HistoryImage?,
        _ copy: SwarmCopy,
        within timeout: Duration
    ) async throws(StoreError) -> Projection {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.swarmCopy() == copy },
            { try $0.project(image, copy, time: Store.wallClock()) }
        )
    }

    /// Of what this database is a copy; nil when it is the history itself.
    public func swarmCopy(within timeout: Duration) async throws(StoreError) -> SwarmCopy? {
        try await reader.run(within: timeout) { try $0.swarmCopy() }
    }

    /// Notes why the copy cannot be brought up to date.
    public func setSwarmTrouble(_ trouble: String, within timeout: Duration) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { try $0.setSwarmTrouble(trouble) }
        )
    }

    /// Removes the next revisions of a copy that a policy does not keep; see ``prune(_:after:fence:within:)``.
    public func pruneCopy(
        _ policy: RetentionPolicy,
        after position: Int,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            {
                try $0.prune(policy, after: position, count: Self.pruneLength, fence: nil, time: Store.wallClock())
            }
        )
    }

    /// Forgets some of a copy's requests; see ``removeRequests(endedBefore:fence:within:)``.
    public func removeCopiedRequests(
        endedBefore sequence: Int,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try await writer.run(
            within: timeout,
            verify: { _, _ in true },
            { try $0.removeRequests(endedBefore: sequence, limit: Self.removalLength, fence: nil) }
        )
    }

    /// What stands here, as an image goes on from it that has lost its own past.
    public func imageBase(within timeout: Duration) async throws(StoreError) -> HistoryImage.Base {
        try await reader.run(within: timeout) { connection in
            let newest = try connection.newestRevisionNumber
            let hash = try connection.revision(newest)?.hash
            var groups: [String: GlobalConfig.Entry] = [:]
            for state in try connection.states() {
                groups[state.group] = state.spec.map { GlobalConfig.Entry(spec: $0.spec, plugin: $0.plugin) }
            }
            return HistoryImage.Base(revision: newest, hash: hash ?? HashChain.origin, groups: groups)
        }
    }

    /// Notes something in the history and settles the request that asked for it, in one transaction.
    ///
    /// - Throws: ``StoreError``: `fenced`, `conflict`, `notFound`.
    public func apply(
        _ mark: HistoryMark,
        author: Author,
        settling id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.request(id)?.state == .done },
            { connection in
                try connection.finishRequest(id, state: .done, error: nil, fence: fence)
                switch mark {
                case .tag(let name, let revision, let moving):
                    let time = Store.wallClock()
                    try connection.setTag(name, to: revision, author: author, moving: moving, time: time)
                case .untag(let name): try connection.removeTag(name)
                case .confirm(let revision): try connection.endConfirmation(of: revision, as: .confirmed)
                }
            }
        )
    }

    // MARK: - Requests on their way

    /// Those that are on their way to a leader elsewhere, and whether who asked wants them back.
    public func passedOnRequests(
        within timeout: Duration
    ) async throws(StoreError) -> [(request: Request, isWithdrawn: Bool)] {
        try await reader.run(within: timeout) { try $0.passedOnRequests() }
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
            verify: { connection, hasMoved in try !hasMoved || connection.request(id)?.state == new },
            { try $0.moveRequest(id, from: old, to: new, error: error) }
        )
    }
}
