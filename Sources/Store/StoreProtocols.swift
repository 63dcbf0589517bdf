public import GroupSPI

/// Where something can be asked of the leader.
public protocol RequestStore: Sendable {
    func submit(_ request: Request, within timeout: Duration) async throws(StoreError)
    /// A request with what tells of its fate.
    func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight
    /// Tells that whoever asked still waits.
    func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError)
    /// - Returns: true when it is taken back by now.
    func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool
}

/// Where a leader finds what is asked of it, and tells what became of it.
public protocol RequestSource: Sendable {
    func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request]
    func finishRequest(
        _ id: String,
        state: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError)
    func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError)
    /// Tells people what requests wait for; nil for nothing.
    func noteRequests(_ notes: [String: String?], fence: Fence, within timeout: Duration) async throws(StoreError)
    /// Forgets some of the requests that ended before a sequence of the lease.
    func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval
}

/// The history, as it is read, and as what is old is removed from it.
public protocol HistoryStore: Sendable {
    func lease(within timeout: Duration) async throws(StoreError) -> Lease
    func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState]
    func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding
    /// - Parameters:
    ///   - number: the revision's.
    ///   - group: only this one; nil for all.
    ///   - timeout: how long it may take.
    func wholeStates(
        at number: Int,
        of group: Identifier?,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState]
    func state(of group: Identifier, before number: Int, within timeout: Duration) async throws(StoreError)
        -> GroupState?
    func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision?
    func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary
    /// The revisions whose time to be confirmed is over, by what leaders have seen pass of it on clocks that nobody can set.
    func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation]
    func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep
}

/// What the manager needs of its store. In os mode that is the shared database itself, in swarm mode a register in
/// the swarm with a replica on each node; a test brings one in memory.
public protocol StateStore: HistoryStore, RequestStore, RequestSource {
    /// Whether the lease is a row that is renewed within a ttl, which somebody has chosen for how quick the store is.
    var hasLeaseTTL: Bool { get }

    func acquireLease(
        _ candidate: Candidate,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease?
    func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease
    func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError)

    func append(_ draft: RevisionDraft, fence: Fence, within timeout: Duration) async throws(StoreError) -> Revision
    func append(
        _ draft: RevisionDraft,
        resolving trigger: RevisionTrigger,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision
    /// - Parameters:
    ///   - outcomes: of pending changes.
    ///   - fence: names the term that writes.
    ///   - linger: how long it may wait for another write to be stored with.
    ///   - timeout: how long it may take.
    func recordOutcomes(
        _ outcomes: [Outcome],
        fence: Fence,
        lingering linger: Duration,
        within timeout: Duration
    ) async throws(StoreError)
    func overtakeConfirmation(of revision: Int, fence: Fence, within timeout: Duration) async throws(StoreError)

    /// Notes something in the history and settles the request that asked for it.
    func apply(
        _ mark: MetadataChange,
        author: Author,
        resolving id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError)
}

extension StateStore {
    public var hasLeaseTTL: Bool { true }
}

extension Store: StateStore {}
