public import GroupSPI

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
        let revision = try await writer.run(within: timeout, verify: Self.isStored) { connection in
            try connection.append(draft, fence: fence, time: Store.wallClock())
        }
        memory?.note(revision)
        return revision
    }

    /// Appends a revision and settles what caused it, in one transaction: a cause has its effect at most once, whatever
    /// fails in between.
    ///
    /// - Throws: ``StoreError``, also `conflict` when the cause is settled already, for instance a request taken back: then
    ///   nothing is stored.
    public func append(
        _ draft: RevisionDraft,
        resolving trigger: RevisionTrigger,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        let revision = try await writer.run(within: timeout, verify: Self.isStored) { [clock] connection in
            let revision = try connection.append(draft, fence: fence, time: Store.wallClock())
            switch trigger {
            case .request(let id): try connection.takeUpRequest(id, revision: revision.number)
            case .expiry(let number):
                try connection.requireExpired(number, at: try clock.elapsed(connection))
                try connection.endConfirmation(of: number, as: .reverted)
            }
            return revision
        }
        memory?.note(revision)
        return revision
    }

    /// Tells, after a commit whose outcome is unknown, whether a revision was stored: its hash covers its token.
    private static func isStored(_ connection: Connection, _ revision: Revision) throws -> Bool {
        try connection.revision(revision.number)?.hash == revision.hash
    }

    /// Stores how changes came out, if the writer still leads.
    ///
    /// - Parameters:
    ///   - outcomes: of pending changes.
    ///   - fence: names the term that writes.
    ///   - linger: how long it may wait for another write: both cost one sync of the disk then.
    ///   - timeout: how long it may take.
    /// - Throws: ``StoreError``, for instance `fenced`.
    public func recordOutcomes(
        _ outcomes: [Outcome],
        fence: Fence,
        lingering linger: Duration = .zero,
        within timeout: Duration
    ) async throws(StoreError) {
        try await writer.run(
            within: timeout,
            lingering: linger,
            verify: { connection, _ in try connection.hasOutcomes(outcomes) },
            { connection in
                for outcome in outcomes { try connection.recordOutcome(outcome, fence: fence) }
            }
        )
    }

    /// The state of every group at a revision, freed and destroyed ones included; the newest without a number.
    public func states(at number: Int? = nil, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try await readNewest(within: timeout) { try $0.states(at: number) }
    }

    public func state(of group: Identifier, within timeout: Duration) async throws(StoreError) -> GroupState? {
        try await reader.run(within: timeout) { try $0.state(of: group) }
    }

    /// What stands now and who leads, as one moment has it.
    public func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding {
        try await readNewest(within: timeout) { connection in
            StoredStanding(
                states: try connection.states(),
                revision: try connection.currentRevisionNumber ?? 0,
                lease: try connection.lease()
            )
        }
    }

    /// The state of every group at a revision, or of one: then there is none in it if there was no such group.
    ///
    /// - Throws: ``StoreError`` `notFound`, with what there is instead, when retention has not kept the whole state.
    public func wholeStates(
        at number: Int,
        of group: Identifier? = nil,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState] {
        try await readNewest(within: timeout) { connection in
            try connection.requireWhole(number)
            guard let group else { return try connection.states(at: number) }
            return try connection.state(of: group, at: number).map { [$0] } ?? []
        }
    }

    /// The states at two revisions, or at one and now, but for groups that stand alike at both; some of those may be there.
    ///
    /// - Parameters:
    ///   - first: the one revision.
    ///   - second: nil for what stands now.
    ///   - group: only this one; nil for all.
    ///   - timeout: how long it may take.
    /// - Throws: ``StoreError`` `notFound`, with what there is instead, when retention has not kept the whole state, or when
    ///   the history does not know the group.
    public func differingStates(
        at first: Int,
        and second: Int?,
        of group: Identifier? = nil,
        within timeout: Duration
    ) async throws(StoreError) -> (first: [GroupState], second: [GroupState]) {
        try await reader.run(within: timeout) { connection in
            try connection.requireWhole(first)
            if let group { try connection.requireGroup(group) }
            if let second { try connection.requireWhole(second) }
            let second = second ?? Int.max
            guard let group else { return try connection.differingStates(first, second) }
            return (
                try connection.state(of: group, at: first).map { [$0] } ?? [],
                try connection.state(of: group, at: second).map { [$0] } ?? []
            )
        }
    }

    /// That a revision tells the state of every group, and that the history knows a group.
    ///
    /// - Throws: as ``differingStates(at:and:of:within:)``.
    public func requireWhole(
        _ number: Int,
        of group: Identifier? = nil,
        within timeout: Duration
    ) async throws(StoreError) {
        try await reader.run(within: timeout) { connection in
            try connection.requireWhole(number)
            if let group { try connection.requireGroup(group) }
        }
    }

    /// The state of one group at a revision: also at one that is kept only for what it set itself, if it set this group.
    ///
    /// - Throws: ``StoreError`` `notFound`, with what there is instead.
    public func state(of group: Identifier, at number: Int, within timeout: Duration) async throws(StoreError)
        -> GroupState
    {
        try await reader.run(within: timeout) { connection in
            let state = try connection.state(of: group, at: number)
            if let state, state.revision == number { return state }
            try connection.requireWhole(number)
            if let state { return state }
            let known = try connection.states(at: number).filter { $0.spec != nil }.map(\.group)
            throw StoreError(
                .notFound,
                "revision \(number) has no group '\(group)'; it has: "
                    + (known.isEmpty ? "none" : known.joined(separator: ", "))
            )
        }
    }

    /// The state of one group just before a revision of the complete part of the history; nil when there was no such group.
    public func state(
        of group: Identifier,
        before number: Int,
        within timeout: Duration
    ) async throws(StoreError) -> GroupState? {
        try await readNewest(within: timeout) { try $0.state(of: group, at: number - 1) }
    }

    public func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        try await readNewest(within: timeout) { try $0.revision(number) }
    }

    /// A page of the history and how many revisions there are in all.
    ///
    /// A long page is read in several short transactions: a reader that held the file for seconds would keep the leader
    /// from renewing its lease. The numbers are those of the first moment, as is the total.
    public func history(
        _ query: HistoryQuery,
        within timeout: Duration
    ) async throws(StoreError) -> HistoryPage {
        let deadline = ContinuousClock.now + timeout
        var part = query
        part.limit = min(query.limit ?? Self.partLength, Self.partLength)
        let first = part
        let page = try await reader.run(within: timeout) { connection in
            HistoryPage(
                revisions: try connection.revisions(first, within: ReadingTimes.longest),
                total: try connection.countRevisions(first),
                current: try connection.currentRevisionNumber
            )
        }
        var revisions = page.revisions
        let wanted = min(query.limit ?? page.total, page.total)
        while revisions.count < wanted, let last = revisions.last {
            part.before = last.number
            part.limit = min(wanted - revisions.count, Self.partLength)
            let next = part
            try await letWritersIn(until: deadline)
            let more = try await reader.run(within: deadline - .now) {
                try $0.revisions(next, within: ReadingTimes.longest)
            }
            if more.isEmpty { break }
            revisions += more
        }
        return HistoryPage(revisions: revisions, total: page.total, current: page.current)
    }

    /// The next revisions, newest first, each with the states of its groups just before it, in one short transaction: less
    /// than the limit of the query when that takes long, and none at the end.
    ///
    /// - Important: ``letWritersIn(until:)`` comes between two of these.
    public func historyWithPast(
        _ query: HistoryQuery,
        within timeout: Duration
    ) async throws(StoreError) -> [(revision: Revision, before: [Identifier: GroupState])] {
        var part = query
        part.limit = min(query.limit ?? Self.partLength, Self.partLength)
        let next = part
        return try await reader.run(within: timeout) { connection in
            try connection.revisionsWithPast(next, within: ReadingTimes.longest)
        }
    }

    /// Pauses between two of many readings, for as long as the longest of them lasts: a writer comes in.
    public func letWritersIn(until deadline: ContinuousClock.Instant) async throws(StoreError) {
        let pause = min(ReadingTimes.longest, deadline - .now)
        do {
            if pause > .zero { try await Task.sleep(for: pause, clock: .suspending) }
        } catch {
            throw StoreError(.busy, "\(path) was not read to the end")
        }
    }

    /// How many revisions are read in one transaction.
    private static let partLength = 200

    /// The revision with the latest time by the clock of who led, and the newest one's time, in milliseconds since 1970; nil in
    /// an empty history.
    public func latestTime(
        within timeout: Duration
    ) async throws(StoreError) -> (number: Int, time: Int, newestTime: Int)? {
        try await reader.run(within: timeout) { connection in
            try connection.first(
                """
                SELECT r.number, r.time, (SELECT time FROM revision ORDER BY number DESC LIMIT 1)
                FROM revision r INDEXED BY revision_by_time ORDER BY r.time DESC LIMIT 1
                """
            ) { (number: $0.int(0), time: $0.int(1), newestTime: $0.int(2)) }
        }
    }

    public func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary {
        try await reader.run(within: timeout) { connection in
            HistorySummary(
                oldest: try connection.oldestRevisionNumber,
                whole: try connection.retention().whole,
                newest: try connection.newestRevisionNumber,
                current: try connection.currentRevisionNumber,
                pending: try connection.pendingRevisionNumbers,
                rejections: try connection.openRejections,
                unconfirmed: try connection.waitingConfirmations()
            )
        }
    }
}

/// What stands, and who leads.
public struct StoredStanding: Hashable, Sendable {
    /// Of every group, freed and destroyed ones included.
    public let states: [GroupState]
    /// The current revision; 0 before the first.
    public let revision: Int
    public let lease: Lease

    public init(states: [GroupState], revision: Int, lease: Lease) {
        self.states = states
        self.revision = revision
        self.lease = lease
    }
}

/// What a reader of the history has to know before anything else.
public struct ReaderView: Hashable, Sendable {
    /// Of what the database is a copy; nil when it is the history itself.
    public let copy: LocalReplicaInfo?
    /// Nil when all that was acknowledged is stored.
    public let untold: UntoldOutcomes?
}

/// Changes of the leader's term that are pending without words: it may have told their users that they are applied, and is about to
/// store that.
public struct UntoldOutcomes: Hashable, Sendable {
    public let leader: Lease
    /// The oldest revision with such a change.
    public let first: Int
    /// The newest revision of all.
    public let newest: Int
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
    /// From here on the history is complete.
    public let whole: Int
    public let newest: Int
    public let current: Int?
    public let pending: [Int]
    /// In the order of their revisions.
    public let rejections: [OpenRejection]
    /// Those that are undone unless somebody confirms them.
    public let unconfirmed: [Confirmation]

    package init(
        oldest: Int,
        whole: Int,
        newest: Int,
        current: Int?,
        pending: [Int],
        rejections: [OpenRejection],
        unconfirmed: [Confirmation]
    ) {
        self.oldest = oldest
        self.whole = whole
        self.newest = newest
        self.current = current
        self.pending = pending
        self.rejections = rejections
        self.unconfirmed = unconfirmed
    }

    /// The revisions of ``rejections``, each once.
    public var rejected: [Int] { Set(rejections.map(\.revision)).sorted() }
}
