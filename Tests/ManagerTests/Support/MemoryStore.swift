import GroupSPI
import Manager
import ManagerModels
import Synchronization

@testable import Store

/// A shared store in memory, with the rules of the real one, which fails as a test wants.
final class MemoryStore: StateStore {
    enum Call: Hashable, Sendable {
        case lease, acquire, renew, release, append, outcomes, states, state, revision, summary, requests, finish
        case answer, confirmations, prune, forget, submit, sight, cancel, beat, note
    }

    /// One step of retention.
    struct Pruning: Hashable, Sendable {
        let policy: RetentionPolicy
        let position: Int
        let epoch: Int
    }

    enum Trouble: Sendable {
        /// Nothing is done.
        case fail(StoreError.Code)
        /// It is done, but nobody is told.
        case ambiguous
        /// No answer until the gate opens, or the time is up.
        case hang(Gate)
        /// Done at once, answered when the gate opens.
        case late(Gate)
    }

    struct State {
        var model = StoreModel()
        var trouble: [Call: Trouble] = [:]
        var calls: [Call] = []
        var prunings: [Pruning] = []
        var marks: [MetadataChange] = []
        var count = TimeCount()

        mutating func elapsed(_ clock: TestClock) -> Int {
            count.advance(from: model.elapsed, ttl: model.lease.ttl, at: clock.now().nanoseconds / 1_000_000)
        }
    }

    let clock: TestClock
    let state = Mutex(State())

    init(clock: TestClock) {
        self.clock = clock
    }

    // MARK: - For tests

    func trouble(_ trouble: Trouble?, at calls: Call...) {
        state.withLock { state in
            for call in calls { state.trouble[call] = trouble }
        }
    }

    var revisions: [Revision] { state.withLock(\.model.revisions) }
    var lease: Lease { state.withLock(\.model.lease) }
    var calls: Int { state.withLock(\.calls.count) }
    func count(_ call: Call) -> Int { state.withLock { $0.calls.count { $0 == call } } }
    var requests: [Request] { state.withLock(\.model.requests) }
    func request(_ id: String) -> Request? { state.withLock { $0.model.request(id) } }
    /// Somebody takes a request back.
    func cancel(_ id: String) { state.withLock { _ = $0.model.cancel(id) } }
    func submit(_ request: Request) { state.withLock { $0.model.submit(request) } }
    /// Whoever asked lives.
    func renew(_ id: String) { state.withLock { $0.model.renew(id) } }

    /// What is left by an earlier leader: a revision with these changes.
    func put(_ changes: Change...) { state.withLock { $0.model.put(changes, author: Self.author) } }

    /// What an earlier leader has left unconfirmed.
    ///
    /// - Parameter used: how much of the time leaders have seen pass, in milliseconds; nil when it does not count yet.
    func leaveUnconfirmed(_ revision: Int, allowed: Int, deadline: Int, used: Int?) {
        state.withLock { state in
            let since = used.map { state.model.elapsed - $0 }
            state.model.leaveUnconfirmed(revision, allowed: allowed, deadline: deadline, since: since)
        }
    }

    /// Somebody confirms a revision.
    func confirm(_ revision: Int) throws(StoreError) {
        let result = state.withLock { state -> Result<Void, StoreError> in
            do throws(StoreError) {
                return .success(try state.model.endConfirmation(of: revision, as: .confirmed))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    func confirmation(of revision: Int) -> Confirmation.State? {
        state.withLock { state in state.model.confirmations.first { $0.revision == revision }?.state }
    }

    var prunings: [Pruning] { state.withLock(\.prunings) }

    /// Another replica takes the lease over, whatever the row says.
    func seize(by holder: Candidate, ttl: Int = 90_000) { state.withLock { $0.model.seize(holder, ttl: ttl) } }

    static let author = Author(user: "ann", uid: 7, host: "here")

    // MARK: - Trouble

    private func run<Value: Sendable>(
        _ call: Call,
        _ timeout: Duration,
        _ body: @Sendable (inout State) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let trouble = state.withLock { state in
            state.calls.append(call)
            return state.trouble[call]
        }
        let deadline = clock.now() + timeout
        switch trouble {
        case .fail(let code): throw StoreError(code, "the store has trouble: \(code.rawValue)")
        case .hang(let gate):
            guard case .opened = await gate.wait(until: deadline, on: clock, isStubborn: true) else {
                throw StoreError(.unknownOutcome, "the store does not answer")
            }
        case .ambiguous, .late, nil: break
        }
        let result = state.withLock { state -> Result<Value, StoreError> in
            do throws(StoreError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        switch trouble {
        case .ambiguous: throw StoreError(.unknownOutcome, "whether it was stored is not known")
        case .late(let gate): _ = await gate.wait(until: deadline, on: clock, isStubborn: true)
        default: break
        }
        return try result.get()
    }

    // MARK: - The lease

    func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        try await run(.lease, timeout) { [clock] state in
            let lease = state.model.lease
            let now = clock.now().nanoseconds / 1_000_000
            state.count.saw(state.model.elapsed, epoch: lease.epoch, sequence: lease.sequence, at: now)
            return lease
        }
    }

    func acquireLease(
        _ candidate: Candidate,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease? {
        try await run(.acquire, timeout) { [clock] state in
            let elapsed = state.count.begin(
                with: state.model.elapsed,
                epoch: state.model.lease.epoch,
                sequence: state.model.lease.sequence,
                ttl: state.model.lease.ttl,
                at: clock.now().nanoseconds / 1_000_000
            )
            return state.model.acquire(candidate, watched: watched, ttl: ttl, elapsed: elapsed)
        }
    }

    func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        try await run(.renew, timeout) { [clock] state throws(StoreError) in
            try state.model.renew(fence, elapsed: state.elapsed(clock))
        }
    }

    func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        try await run(.release, timeout) { $0.model.release(fence) }
    }

    // MARK: - The history

    func append(_ draft: RevisionDraft, fence: Fence, within timeout: Duration) async throws(StoreError) -> Revision {
        try await append(draft, nil, fence, timeout)
    }

    func append(
        _ draft: RevisionDraft,
        resolving trigger: RevisionTrigger,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await append(draft, trigger, fence, timeout)
    }

    private func append(
        _ draft: RevisionDraft,
        _ trigger: RevisionTrigger?,
        _ fence: Fence,
        _ timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await run(.append, timeout) { [clock] state throws(StoreError) in
            try state.model.append(
                draft,
                resolving: trigger,
                fence: fence,
                time: Store.wallClock(),
                elapsed: state.elapsed(clock)
            )
        }
    }

    func recordOutcomes(
        _ outcomes: [Outcome],
        fence: Fence,
        lingering linger: Duration = .zero,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.outcomes, timeout) { state throws(StoreError) in
            try state.model.record(outcomes, fence: fence)
        }
    }

    func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try await run(.states, timeout) { $0.model.states(at: number) }
    }

    func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding {
        try await run(.states, timeout) { $0.model.standing }
    }

    func wholeStates(
        at number: Int,
        of group: Identifier?,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState] {
        try await run(.states, timeout) { state throws(StoreError) in
            try state.model.wholeStates(at: number, of: group)
        }
    }

    func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        try await run(.revision, timeout) { $0.model.revision(number) }
    }

    func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try await run(.confirmations, timeout) { [clock] in $0.model.expiredConfirmations(at: $0.elapsed(clock)) }
    }

    func overtakeConfirmation(
        of revision: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.finish, timeout) { [clock] state throws(StoreError) in
            try state.model.overtakeConfirmation(of: revision, fence: fence, elapsed: state.elapsed(clock))
        }
    }

    func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try await run(.prune, timeout) { state throws(StoreError) in
            try state.model.require(fence)
            state.prunings.append(Pruning(policy: policy, position: position, epoch: fence.epoch))
            return PruneStep(removed: 1, position: position < 400 ? position + 200 : nil)
        }
    }

    func state(of group: Identifier, before number: Int, within timeout: Duration) async throws(StoreError)
        -> GroupState?
    {
        try await run(.state, timeout) { $0.model.state(of: group, before: number) }
    }

    func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary {
        try await run(.summary, timeout) { $0.model.summary }
    }

    // MARK: - Requests

    func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        try await run(.requests, timeout) { $0.model.waitingRequests }
    }

    func finishRequest(
        _ id: String,
        state newState: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.finish, timeout) { state throws(StoreError) in
            try state.model.finish(id, as: newState, error: error, fence: fence)
        }
    }

    func apply(
        _ mark: MetadataChange,
        author: Author,
        resolving id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.finish, timeout) { state throws(StoreError) in
            try state.model.finish(id, as: .done, error: nil, fence: fence)
            state.marks.append(mark)
        }
    }

    func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        try await run(.submit, timeout) { state throws(StoreError) in
            guard state.model.request(request.id) == nil else { throw StoreError(.conflict, "it is there already") }
            state.model.submit(request)
        }
    }

    func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight {
        try await run(.sight, timeout) { $0.model.sight(of: asked.id) }
    }

    func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError) {
        try await run(.beat, timeout) { $0.model.renew(id) }
    }

    func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try await run(.cancel, timeout) { $0.model.cancel(id) }
    }

    func noteRequests(
        _ notes: [String: String?],
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.note, timeout) { state throws(StoreError) in try state.model.note(notes, fence: fence) }
    }

    func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.answer, timeout) { state throws(StoreError) in
            try state.model.answer(id, answer, fence: fence)
        }
    }

    func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try await run(.forget, timeout) { state throws(StoreError) in
            try state.model.removeRequests(endedBefore: sequence, fence: fence)
        }
    }
}
