import GroupSPI

@testable import Store

/// Writes of every kind, one after the other through the store's interface, and what was answered to each.
///
/// Whatever fails, it goes on: with the next write, and as a new leader when it has lost the lease.
struct ScriptedRun {
    struct Result: Sendable {
        let ledger: Ledger
        /// What was read on the way and contradicts what was answered.
        let contradictions: [String]
    }

    let store: Store
    /// How long the next call is waited for.
    let timeout: @Sendable () -> Duration
    private var ledger = Ledger([Content.lease: ", epoch 0, sequence 0"])
    private var contradictions: [String] = []
    private var fence: Fence?
    private var row: Lease?
    private var starts = 0
    private var drafts: [(draft: RevisionDraft, revision: Revision?)] = []

    enum Script: Sendable {
        /// One write of each kind that differs in what it does to the file.
        case short
        /// Every kind of write, and some twice.
        case long
        /// A few, for a store that has a past.
        case brief
    }

    /// - Parameters:
    ///   - ledger: what the store may hold at the beginning; nil for a store without content.
    ///   - timeout: how long each call to the store is waited for.
    init(_ store: Store, after ledger: Ledger? = nil, timeout: @escaping @Sendable () -> Duration) {
        self.store = store
        self.timeout = timeout
        if let ledger { self.ledger = ledger.forSuccessor() }
    }

    var result: Result { Result(ledger: ledger, contradictions: contradictions) }

    mutating func run(_ script: Script) async {
        if script == .brief {
            await look()
            await append("again", [.set("a", 5)])
            return await look()
        }
        await submit("r1")
        await append("first", [.set("a", 1), .set("b", 1)], confirmWithin: 60_000)
        await settle("first", "a", .applied)
        await append("long", [Change(group: "c", action: .set(.long, plugin: "group-stateless"))])
        await renew()
        await append("asked", [.free("a")], resolving: "r1")
        await settle("long", "c", .rejected, error: "the plugin's words")
        await look()
        await tag("t", "first")
        if script == .long {
            await submit("r2")
            await cancel("r2")
            await confirm("first")
            await tag("t", "long")
            await submit("r3")
            await finish("r3")
            await appendTwo("one", "two")
            await settle("one", "g-one", .applied)
            await untag("t")
        }
        await append("last", [.destroy("b"), .set("d", 2)])
        await prune(keeping: 2)
        await release()
        await append("after the release", [.set("a", 3)])
        await look()
    }

    /// What has to succeed once nothing fails any more.
    ///
    /// - Returns: whether it did.
    mutating func runAfterwards() async -> Bool {
        // A write that had hung may come through at this moment, and be what the first attempt meets.
        for attempt in 1...3 where revision("afterwards 1") == nil && revision("afterwards 2") == nil {
            (fence, row) = (nil, nil)
            await append("afterwards \(attempt)", [.set("a", 4)])
        }
        await look()
        return drafts.last?.revision != nil
    }

    // MARK: - Steps

    @discardableResult
    private mutating func attempt<Value>(
        _ changes: [String: String],
        _ body: (Store, Duration) async throws(StoreError) -> Value
    ) async -> Value? {
        do {
            let result = try await body(store, timeout())
            ledger.note(changes, .stored)
            return result
        } catch {
            ledger.note(changes, error.code == .unknownOutcome ? .unknown : .notStored)
            note(error)
            if error.code == .fenced || error.code == .unknownOutcome {
                (fence, row) = (nil, nil)
            }
            return nil
        }
    }

    /// Reads everything, through the disk that fails: an error is an answer, something wrong is none.
    private mutating func look() async {
        guard let content = await read() else { return }
        if ledger.isUncertain {
            // Read in several transactions, between which a write that had hung may have come through.
            guard let again = await read(), again == content else { return }
        }
        contradictions += ledger.contradictions(content, isAll: true)
    }

    private mutating func read() async -> [String: String]? {
        do {
            return try await Content.read(store, within: timeout())
        } catch {
            note(StoreError(any: error))
            return nil
        }
    }

    /// A call that failed says nothing about what the file holds: whoever is told of damage restores a backup, and loses what came
    /// after it.
    private mutating func note(_ error: StoreError) {
        guard error.code == .corrupt || error.code == .notADatabase else { return }
        contradictions.append("told of damage where a call has failed: \(error)")
    }

    private mutating func leading() async -> (Fence, Lease)? {
        if let fence, let row { return (fence, row) }
        guard let watched = try? await store.lease(within: timeout()) else { return nil }
        contradictions += ledger.contradictions([Content.lease: Content.text(watched)], isAll: false)
        starts += 1
        let id: Identifier = "n\(starts)"
        let candidate = candidate(id)
        let epoch = watched.epoch + 1
        var changes = [
            Content.lease: "\(id), epoch \(epoch), sequence \(watched.sequence + 1)",
            Content.key(term: epoch): "\(id): lasts",
        ]
        if watched.isHeld { changes[Content.key(term: watched.epoch)] = "\(watched.holder): taken over" }
        let lease = await attempt(changes) { (store, timeout) async throws(StoreError) -> Lease in
            let lease = try await store.acquireLease(
                candidate,
                watched: watched,
                ttl: 9000,
                reason: "taken over",
                within: timeout
            )
            guard let lease else { throw StoreError(.fenced, "the row has changed") }
            return lease
        }
        guard let lease else { return nil }
        let fence = Fence(instance: candidate.instance, epoch: lease.epoch, manager: id)
        (self.fence, row) = (fence, lease)
        return (fence, lease)
    }

    private mutating func append(
        _ message: String,
        _ changes: [Change],
        confirmWithin: Int? = nil,
        resolving request: String? = nil
    ) async {
        guard let (fence, _) = await leading() else { return }
        let draft = Self.draft(message, changes, confirmWithin)
        var effect = Self.effect(draft)
        if let request { effect[Content.key(request: request)] = "done" }
        let revision = await attempt(effect) { (store, timeout) async throws(StoreError) -> Revision in
            guard let request else { return try await store.append(draft, fence: fence, within: timeout) }
            return try await store.append(draft, resolving: .request(request), fence: fence, within: timeout)
        }
        drafts.append((draft, revision))
    }

    private func revision(_ message: String) -> Revision? {
        drafts.first { $0.draft.message == message }?.revision
    }

    /// Two that may share a transaction.
    private mutating func appendTwo(_ first: String, _ second: String) async {
        guard let (fence, _) = await leading() else { return }
        let drafts = [first, second].map { Self.draft($0, [.set("g-\($0)", 1)], nil) }
        let (store, timeout) = (store, timeout())
        @Sendable func append(_ draft: RevisionDraft) async -> Swift.Result<Revision, StoreError> {
            do throws(StoreError) {
                return .success(try await store.append(draft, fence: fence, within: timeout))
            } catch {
                return .failure(error)
            }
        }
        async let one = append(drafts[0])
        async let two = append(drafts[1])
        for (draft, result) in zip(drafts, await [one, two]) {
            let revision = await attempt(Self.effect(draft)) { _, _ throws(StoreError) -> Revision in
                try result.get()
            }
            self.drafts.append((draft, revision))
        }
    }

    private static func draft(_ message: String, _ changes: [Change], _ confirmWithin: Int?) -> RevisionDraft {
        RevisionDraft(
            author: .tester,
            operation: .commit,
            message: message,
            changes: changes,
            confirmWithin: confirmWithin
        )
    }

    private static func effect(_ draft: RevisionDraft) -> [String: String] {
        var effect = [Content.key(draft.message): Content.text(draft.operation, draft.changes)]
        for change in draft.changes {
            effect[Content.key(draft.message, outcomeOf: change.group)] = Content.text(.pending, nil)
        }
        if draft.confirmWithin != nil { effect[Content.key(confirmationOf: draft.message)] = "waiting" }
        return effect
    }

    private mutating func settle(_ message: String, _ group: Identifier, _ status: Status, error: String? = nil) async {
        guard let revision = revision(message), let (fence, _) = await leading() else { return }
        let outcome = Outcome(revision: revision.number, group: group, status: status, error: error)
        await attempt([Content.key(message, outcomeOf: group): Content.text(status, error)]) {
            (store, timeout) async throws(StoreError) in
            try await store.recordOutcomes([outcome], fence: fence, within: timeout)
        }
    }

    private mutating func renew() async {
        guard let (fence, lease) = await leading() else { return }
        let changes = [Content.lease: "\(fence.manager), epoch \(fence.epoch), sequence \(lease.sequence + 1)"]
        let renewed = await attempt(changes) { (store, timeout) async throws(StoreError) -> Lease in
            try await store.renewLease(fence, within: timeout)
        }
        if let renewed { row = renewed }
    }

    private mutating func release() async {
        guard let (fence, lease) = await leading() else { return }
        let changes = [
            Content.lease: ", epoch \(fence.epoch), sequence \(lease.sequence + 1)",
            Content.key(term: fence.epoch): "\(fence.manager): released",
        ]
        await attempt(changes) { (store, timeout) async throws(StoreError) in
            try await store.releaseLease(fence, reason: "released", within: timeout)
        }
        (self.fence, row) = (nil, nil)
    }

    private mutating func submit(_ id: String) async {
        let request = Request(id: id, kind: .stepDown, author: .tester)
        await attempt([Content.key(request: id): "waiting"]) { (store, timeout) async throws(StoreError) in
            try await store.submit(request, within: timeout)
        }
    }

    private mutating func cancel(_ id: String) async {
        await attempt([Content.key(request: id): "cancelled"]) { (store, timeout) async throws(StoreError) in
            guard try await store.cancelRequest(id, within: timeout) else {
                throw StoreError(.notFound, "there is no request \(id)")
            }
        }
    }

    private mutating func finish(_ id: String) async {
        guard let (fence, _) = await leading() else { return }
        await attempt([Content.key(request: id): "refused"]) { (store, timeout) async throws(StoreError) in
            try await store.finishRequest(id, state: .refused, error: "no", fence: fence, within: timeout)
        }
    }

    private mutating func confirm(_ message: String) async {
        guard let revision = revision(message) else { return }
        await attempt([Content.key(confirmationOf: message): "confirmed"]) {
            (store, timeout) async throws(StoreError) in
            try await store.confirm(revision.number, within: timeout)
        }
    }

    private mutating func tag(_ name: Identifier, _ message: String) async {
        guard let revision = revision(message) else { return }
        await attempt([Content.key(tag: name): message]) { (store, timeout) async throws(StoreError) in
            try await store.setTag(name, to: revision.number, author: .tester, moving: true, within: timeout)
        }
    }

    private mutating func untag(_ name: Identifier) async {
        await attempt([Content.key(tag: name): Ledger.absent]) { (store, timeout) async throws(StoreError) in
            try await store.removeTag(name, within: timeout)
        }
    }

    /// What is removed is not foretold here (RetentionTests do that): what may be is allowed to be gone.
    private mutating func prune(keeping limit: Int) async {
        guard let (fence, _) = await leading() else { return }
        let newest = drafts.compactMap { $0.revision?.number }.max() ?? 0
        for (draft, revision) in drafts where revision.map({ $0.number <= newest - limit }) ?? true {
            ledger.mayLose(Self.effect(draft).keys)
        }
        await attempt([:]) { (store, timeout) async throws(StoreError) in
            _ = try await store.prune(RetentionPolicy(limit: limit), after: 0, fence: fence, within: timeout)
        }
    }
}

extension RawJSON {
    /// Longer than a page.
    fileprivate static let long = RawJSON(
        checked: Array(#"{"Allocation":{"Size":1},"Note":"\#(String(repeating: "0123456789", count: 900))"}"#.utf8)
    )
}
