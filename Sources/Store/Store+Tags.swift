public import GroupSPI

extension Store {
    /// In the order of the names.
    public func tags(within timeout: Duration) async throws(StoreError) -> [Tag] {
        try await reader.run(within: timeout) { try $0.tags() }
    }

    /// Gives a revision a name. Needs no leader: it changes nothing that a group is brought to.
    ///
    /// - Throws: ``StoreError``: `notFound` when the revision is not kept whole, `conflict` when the name is taken, `stale` when the database
    ///   is older than what was seen of it.
    public func setTag(
        _ name: Identifier,
        to revision: Int,
        author: Author,
        moving: Bool,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writeSeen(
            within: timeout,
            verify: { connection, _ in try connection.revisionNumber(tagged: name) == revision },
            { try $0.setTag(name, to: revision, author: author, moving: moving, time: Store.wallClock()) }
        )
    }

    /// - Throws: ``StoreError`` `notFound`.
    public func removeTag(_ name: Identifier, within timeout: Duration) async throws(StoreError) {
        try await writeSeen(
            within: timeout,
            verify: { connection, _ in try connection.revisionNumber(tagged: name) == nil },
            { try $0.removeTag(name) }
        )
    }

    /// The revisions that wait for somebody to confirm them, the oldest first.
    public func waitingConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try await reader.run(within: timeout) { try $0.waitingConfirmations() }
    }

    /// The revisions whose time to be confirmed is over, the oldest first: so much of it this leader and those before it
    /// have seen pass.
    public func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try await readNewest(within: timeout) { [clock] connection in
            try connection.expiredConfirmations(at: try clock.elapsed(connection))
        }
    }

    /// How much time there is to confirm each revision that waits, in milliseconds, as the leader last stored it.
    public func confirmationTimes(within timeout: Duration) async throws(StoreError) -> [Int: Int] {
        try await reader.run(within: timeout) { try $0.confirmationTimes() }
    }

    /// Ends the wait for a confirmation where nothing is left to undo, if the writer still leads.
    public func overtakeConfirmation(
        of revision: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            verify: { connection, _ in try connection.confirmation(of: revision)?.state == .overtaken },
            { [clock] connection in
                try connection.requireLease(fence)
                try connection.requireExpired(revision, at: try clock.elapsed(connection))
                try connection.endConfirmation(of: revision, as: .overtaken)
            }
        )
    }

    /// Confirms a revision, so that the leader leaves it as it is. Needs no leader.
    ///
    /// - Throws: ``StoreError``: `notFound` when it needs none, `conflict` when that has been decided already.
    public func confirm(_ revision: Int, within timeout: Duration) async throws(StoreError) {
        try await writeSeen(
            within: timeout,
            verify: { connection, _ in try connection.confirmation(of: revision)?.state == .confirmed },
            { try $0.endConfirmation(of: revision, as: .confirmed) }
        )
    }

    /// Ends the warnings of a rejected revision. Needs no leader.
    ///
    /// - Throws: ``StoreError``: `notFound`; `conflict` when the plugin has refused nothing of it, or it is acknowledged already.
    public func acknowledge(
        _ revision: Int,
        author: Author,
        message: String,
        within timeout: Duration
    ) async throws(StoreError) {
        let time = Store.wallClock()
        try await writer.run(
            within: timeout,
            verify: { connection, _ in
                guard let stored = try connection.acknowledgement(of: revision) else { return false }
                return stored.author == author && stored.time == time && stored.message == message
            },
            { try $0.acknowledge(revision, author: author, message: message, time: time) }
        )
    }
}
