import GroupSPI
import Manager
import Synchronization

@testable import Store

/// A shared store in memory, with the rules of the real one, which fails as a test wants.
final class MemoryStore: StateStore {
    enum Call: Hashable, Sendable {
        case lease, acquire, renew, release, append, outcomes, states, state, revision, summary, requests, finish
        case answer, confirmations, prune, forget
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
        var lease = MemoryStore.emptyLease
        var revisions: [Revision] = []
        var requests: [Request] = []
        var trouble: [Call: Trouble] = [:]
        var calls: [Call] = []
        var confirmations: [Confirmation] = []
        var prunings: [Pruning] = []
        var epochs: [Int] = []
        var marks: [HistoryMark] = []
    }

    let clock: TestClock
    let state = Mutex(State())

    init(clock: TestClock) {
        self.clock = clock
    }

    static let emptyLease = Lease(
        holder: "",
        instance: "",
        epoch: 0,
        sequence: 0,
        ttl: 0,
        acquiredAt: 0,
        renewedAt: 0,
        expiresAt: 0,
        process: ProcessIdentity(host: "", bootID: "", pidNamespace: "", pid: 0, startTime: 0),
        socket: "",
        pluginSocket: "",
        guardLock: ""
    )

    // MARK: - For tests

    func trouble(_ trouble: Trouble?, at calls: Call...) {
        state.withLock { state in
            for call in calls { state.trouble[call] = trouble }
        }
    }

    var revisions: [Revision] { state.withLock(\.revisions) }
    var lease: Lease { state.withLock(\.lease) }
    var calls: Int { state.withLock(\.calls.count) }
    func count(_ call: Call) -> Int { state.withLock { $0.calls.count { $0 == call } } }
    var requests: [Request] { state.withLock(\.requests) }
    func request(_ id: String) -> Request? { state.withLock { $0.requests.first { $0.id == id } } }
    /// Somebody takes a request back.
    func cancel(_ id: String) { state.withLock { try? $0.update(id, .cancelled) } }
    func apply(
        _ mark: HistoryMark,
        author: Author,
        settling id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.finish, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            try state.update(id, .done)
            state.marks.append(mark)
        }
    }

    func submit(_ request: Request) { state.withLock { $0.requests.append(request) } }

    /// What is left by an earlier leader: a revision with these changes.
    func put(_ changes: Change...) {
        state.withLock { state in
            state.revisions.append(
                Self.revision(state, RevisionDraft(author: Self.author, operation: .commit, changes: changes), epoch: 0)
            )
        }
    }

    /// What an earlier leader has left unconfirmed.
    func leaveUnconfirmed(_ revision: Int, allowed: Int, deadline: Int) {
        let confirmation = Confirmation(revision: revision, allowed: allowed, deadline: deadline, state: .waiting)
        state.withLock { $0.confirmations.append(confirmation) }
    }

    /// Somebody confirms a revision.
    func confirm(_ revision: Int) throws(StoreError) {
        let result = state.withLock { state -> Result<Void, StoreError> in
            do throws(StoreError) {
                return .success(try state.endConfirmation(of: revision, as: .confirmed))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    func confirmation(of revision: Int) -> Confirmation.State? {
        state.withLock { state in state.confirmations.first { $0.revision == revision }?.state }
    }

    var prunings: [Pruning] { state.withLock(\.prunings) }

    /// Another replica takes the lease over, whatever the row says.
    func seize(by holder: Claimant, ttl: Int = 90_000) {
        state.withLock { state in
            state.lease = Self.lease(holder, epoch: state.lease.epoch + 1, sequence: state.lease.sequence + 1, ttl: ttl)
        }
    }

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

    private static func require(_ fence: Fence, _ state: State) throws(StoreError) {
        guard state.lease.isHeld, state.lease.instance == fence.instance, state.lease.epoch == fence.epoch else {
            throw StoreError.fenced(state.lease)
        }
    }

    // MARK: - The lease

    func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        try await run(.lease, timeout) { $0.lease }
    }

    func acquireLease(
        _ claimant: Claimant,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease? {
        try await run(.acquire, timeout) { state in
            guard state.lease.epoch == watched.epoch, state.lease.sequence == watched.sequence else { return nil }
            state.lease = Self.lease(claimant, epoch: watched.epoch + 1, sequence: watched.sequence + 1, ttl: ttl)
            state.epochs.append(state.lease.epoch)
            return state.lease
        }
    }

    func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        try await run(.renew, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            state.lease = state.lease.next(holder: state.lease.holder)
            return state.lease
        }
    }

    func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        try await run(.release, timeout) { state in
            guard (try? Self.require(fence, state)) != nil else { return }
            state.lease = state.lease.next(holder: "")
        }
    }

    static func lease(_ claimant: Claimant, epoch: Int, sequence: Int, ttl: Int) -> Lease {
        Lease(
            holder: claimant.id,
            instance: claimant.instance,
            epoch: epoch,
            sequence: sequence,
            ttl: ttl,
            acquiredAt: 0,
            renewedAt: 0,
            expiresAt: 0,
            process: claimant.process,
            socket: claimant.socket,
            pluginSocket: claimant.pluginSocket,
            guardLock: claimant.guardLock
        )
    }

    // MARK: - The history

    func append(_ draft: RevisionDraft, fence: Fence, within timeout: Duration) async throws(StoreError) -> Revision {
        try await append(draft, nil, fence, timeout)
    }

    func append(
        _ draft: RevisionDraft,
        settling cause: RevisionCause,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await append(draft, cause, fence, timeout)
    }

    private func append(
        _ draft: RevisionDraft,
        _ cause: RevisionCause?,
        _ fence: Fence,
        _ timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await run(.append, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            let revision = Self.revision(state, draft, epoch: fence.epoch, manager: fence.manager)
            switch cause {
            case .request(let id): try state.update(id, .done, revision: revision.number)
            case .expiry(let number): try state.endConfirmation(of: number, as: .reverted)
            case nil: break
            }
            state.revisions.append(revision)
            if let allowed = draft.confirmWithin {
                let deadline = Store.wallClock() + allowed
                state.confirmations.append(
                    Confirmation(revision: revision.number, allowed: allowed, deadline: deadline, state: .waiting)
                )
            }
            return revision
        }
    }

    private static func revision(
        _ state: State,
        _ draft: RevisionDraft,
        epoch: Int,
        manager: String = "earlier"
    ) -> Revision {
        Revision(
            number: state.revisions.count + 1,
            time: 0,
            epoch: epoch,
            manager: manager,
            author: draft.author,
            operation: draft.operation,
            target: draft.target,
            message: draft.message,
            changes: draft.changes,
            hash: [],
            tags: [],
            confirmation: nil
        )
    }

    func recordOutcomes(_ outcomes: [Outcome], fence: Fence, within timeout: Duration) async throws(StoreError) {
        try await run(.outcomes, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            for outcome in outcomes { state.record(outcome) }
        }
    }

    func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try await run(.states, timeout) { $0.states(at: number) }
    }

    func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding {
        try await run(.states, timeout) { state in
            StoredStanding(states: state.states(at: nil), revision: state.revisions.count, lease: state.lease)
        }
    }

    func wholeStates(at number: Int, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try await run(.states, timeout) { state throws(StoreError) in
            guard (1...max(1, state.revisions.count)).contains(number), !state.revisions.isEmpty else {
                throw StoreError(.notFound, "there is no revision \(number)")
            }
            return state.states(at: number)
        }
    }

    func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        try await run(.revision, timeout) { state in state.revisions.first { $0.number == number } }
    }

    func waitingConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try await run(.confirmations, timeout) { state in state.confirmations.filter { $0.state == .waiting } }
    }

    func overtakeConfirmation(
        of revision: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.finish, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            try state.endConfirmation(of: revision, as: .overtaken)
        }
    }

    func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try await run(.prune, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            state.prunings.append(Pruning(policy: policy, position: position, epoch: fence.epoch))
            return PruneStep(removed: 1, position: position < 400 ? position + 200 : nil)
        }
    }

    func state(of group: String, within timeout: Duration) async throws(StoreError) -> GroupState? {
        try await run(.state, timeout) { state in state.states(at: nil).first { $0.group == group } }
    }

    func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary {
        try await run(.summary, timeout) { state in
            HistorySummary(
                oldest: state.revisions.first?.number ?? 0,
                whole: 1,
                newest: state.revisions.last?.number ?? 0,
                current: state.revisions.last { $0.changes.contains { $0.status != .rejected } }?.number,
                pending: [],
                rejected: [],
                unconfirmed: []
            )
        }
    }

    // MARK: - Requests

    func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        try await run(.requests, timeout) { state in state.requests.filter { $0.state == .waiting } }
    }

    func finishRequest(
        _ id: String,
        state newState: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.finish, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            try state.update(id, newState, error: error)
        }
    }

    func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        try await run(.requests, timeout) { $0.requests.append(request) }
    }

    func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request? {
        try await run(.requests, timeout) { state in state.requests.first { $0.id == id } }
    }

    func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try await run(.requests, timeout) { state in
            guard state.requests.contains(where: { $0.id == id && $0.state == .waiting }) else { return false }
            try? state.update(id, .cancelled)
            return true
        }
    }

    func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await run(.answer, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            state.answer(id, answer)
        }
    }

    func removeRequests(before time: Int, fence: Fence, within timeout: Duration) async throws(StoreError) {
        try await run(.forget, timeout) { state throws(StoreError) in
            try Self.require(fence, state)
            state.requests.removeAll { $0.state != .waiting && $0.time < time }
        }
    }
}

extension Lease {
    /// The same a moment later.
    func next(holder: String, sequence: Int? = nil) -> Lease {
        Lease(
            holder: holder,
            instance: instance,
            epoch: epoch,
            sequence: sequence ?? self.sequence + 1,
            ttl: ttl,
            acquiredAt: acquiredAt,
            renewedAt: renewedAt,
            expiresAt: expiresAt,
            process: process,
            socket: socket,
            pluginSocket: pluginSocket,
            guardLock: guardLock
        )
    }
}

extension MemoryStore.State {
    func states(at number: Int?) -> [GroupState] {
        let changes = revisions.filter { $0.number <= number ?? .max }.flatMap { revision in
            revision.changes.filter { $0.status != .rejected }.map { (revision: revision.number, change: $0) }
        }
        return Dictionary(grouping: changes) { $0.change.group }.sorted { $0.key < $1.key }.compactMap {
            group,
            entries in
            guard let newest = entries.last else { return nil }
            let sets = entries.dropLast().compactMap { entry -> Change.Action? in
                guard case .set = entry.change.action else { return nil }
                return entry.change.action
            }
            return GroupState(
                group: group,
                change: newest.change,
                revision: newest.revision,
                previous: newest.change.action == .destroy ? sets.last : nil
            )
        }
    }

    mutating func record(_ outcome: Outcome) {
        guard let index = revisions.firstIndex(where: { $0.number == outcome.revision }) else { return }
        let old = revisions[index]
        let changes = old.changes.map { change in
            guard change.group == outcome.group, change.status == .pending else { return change }
            return Change(group: change.group, action: change.action, status: outcome.status, error: outcome.error)
        }
        revisions[index] = Revision(
            number: old.number,
            time: old.time,
            epoch: old.epoch,
            manager: old.manager,
            author: old.author,
            operation: old.operation,
            target: old.target,
            message: old.message,
            changes: changes,
            hash: old.hash,
            tags: old.tags,
            confirmation: old.confirmation
        )
    }

    mutating func update(
        _ id: String,
        _ newState: Request.State,
        revision: Int? = nil,
        error: String? = nil
    ) throws(StoreError) {
        guard let index = requests.firstIndex(where: { $0.id == id && $0.state == .waiting }) else {
            throw StoreError(.conflict, "the request has ended already")
        }
        requests[index] = requests[index].with(newState, revision: revision, error: error, answer: nil)
    }

    mutating func answer(_ id: String, _ answer: Result<GroupReply, GroupError>) {
        guard let index = requests.firstIndex(where: { $0.id == id && $0.answer == nil }),
            [.waiting, .done].contains(requests[index].state)
        else { return }
        requests[index] = requests[index].with(.done, revision: nil, error: nil, answer: answer)
    }

    mutating func endConfirmation(of revision: Int, as newState: Confirmation.State) throws(StoreError) {
        guard let index = confirmations.firstIndex(where: { $0.revision == revision && $0.state == .waiting }) else {
            throw StoreError(.conflict, "it has been decided already")
        }
        let old = confirmations[index]
        confirmations[index] = Confirmation(
            revision: old.revision,
            allowed: old.allowed,
            deadline: old.deadline,
            state: newState
        )
    }
}

extension Request {
    fileprivate func with(
        _ state: State,
        revision: Int?,
        error: String?,
        answer: Result<GroupReply, GroupError>?
    ) -> Request {
        Request(
            id: id,
            kind: kind,
            author: author,
            message: message,
            time: time,
            patience: patience,
            state: state,
            revision: revision ?? self.revision,
            error: error,
            answer: answer
        )
    }
}
