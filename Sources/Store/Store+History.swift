extension Store {
    /// Appends a revision in a transaction that also checks the lease.
    ///
    /// - Returns: the revision with its number; all its changes as the draft has them.
    /// - Throws: ``StoreError``: `fenced` when another leads, `unknownOutcome` when nobody can tell whether it was stored.
    public func append(
        _ draft: RevisionDraft,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await writer.run(within: timeout, verify: Self.isStored) { connection in
            try connection.append(draft, fence: fence, time: Store.wallClock())
        }
    }

    /// Appends the revision that carries out a request, and marks the request, in one transaction: a request is carried
    /// out at most once, whatever fails in between.
    public func append(
        _ draft: RevisionDraft,
        for request: Request,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await writer.run(within: timeout, verify: Self.isStored) { connection in
            let revision = try connection.append(draft, fence: fence, time: Store.wallClock())
            try connection.updateRequest(
                request.id,
                state: .accepted,
                revision: revision.number,
                error: nil,
                fence: fence
            )
            return revision
        }
    }

    /// Tells, after a commit whose outcome is unknown, whether a revision was stored: its hash covers its token.
    private static func isStored(_ connection: Connection, _ revision: Revision) throws -> Bool {
        try connection.revision(revision.number)?.hash == revision.hash
    }

    public func recordOutcomes(
        _ outcomes: [Outcome],
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writer.run(within: timeout) { connection in
            for outcome in outcomes { try connection.recordOutcome(outcome, fence: fence) }
        }
    }

    /// The state of every group at a revision, freed and destroyed ones included; nil for now.
    public func states(at number: Int? = nil, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try await reader.run(within: timeout) { try $0.states(at: number) }
    }

    public func state(of group: String, within timeout: Duration) async throws(StoreError) -> GroupState? {
        try await reader.run(within: timeout) { try $0.state(of: group) }
    }

    public func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        try await reader.run(within: timeout) { try $0.revision(number) }
    }

    /// A page of the history and how many revisions there are in all, from one moment.
    public func history(
        _ query: HistoryQuery,
        within timeout: Duration
    ) async throws(StoreError) -> HistoryPage {
        try await reader.run(within: timeout) { connection in
            HistoryPage(
                revisions: try connection.revisions(query),
                total: try connection.countRevisions(query),
                current: try connection.currentRevisionNumber
            )
        }
    }

    public func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary {
        try await reader.run(within: timeout) { connection in
            HistorySummary(
                oldest: try connection.oldestRevisionNumber,
                newest: try connection.newestRevisionNumber,
                current: try connection.currentRevisionNumber,
                pending: try connection.pendingRevisionNumbers,
                rejected: try connection.openRejectedRevisionNumbers
            )
        }
    }
}

/// A part of the history, and what it is a part of.
public struct HistoryPage: Hashable, Sendable {
    /// Newest first.
    public let revisions: [Revision]
    /// How many there are without the limit.
    public let total: Int
    /// The newest revision that changed anything; nil in an empty history.
    public let current: Int?
}

/// Where the history stands.
public struct HistorySummary: Hashable, Sendable {
    /// 0 in an empty history.
    public let oldest: Int
    public let newest: Int
    public let current: Int?
    public let pending: [Int]
    /// Refused, and not followed by another change of the same group.
    public let rejected: [Int]
}
