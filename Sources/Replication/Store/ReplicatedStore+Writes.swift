internal import Logging
internal import Store
internal import Synchronization

/// A change of the snapshot that waits to be written.
struct PendingWrite: Sendable {
    let basis: KnownHistory.Basis
    let apply: @Sendable (inout Snapshot) throws(StoreError) -> Void
    /// Requests of other nodes that it settles: they must still be asked, and are not afterwards.
    let taking: Set<String>
    let deadline: ContinuousClock.Instant
    let finish: @Sendable (StoreError?) -> Void
}

/// The changes that wait. What waits at one moment is written together.
struct WriteQueue {
    private var waiting: [PendingWrite] = []
    private var isDraining = false

    /// - Returns: whether somebody has to begin to drain it.
    mutating func add(_ write: PendingWrite) -> Bool {
        waiting.append(write)
        guard !isDraining else { return false }
        isDraining = true
        return true
    }

    /// What is to be written now; nil: it is drained.
    mutating func next() -> [PendingWrite]? {
        guard !waiting.isEmpty else {
            isDraining = false
            return nil
        }
        defer { waiting = [] }
        return waiting
    }
}

extension ReplicatedStore {
    /// Changes the snapshot: in the register, then in the replica.
    ///
    /// - Parameters:
    ///   - basis: what it begins with.
    ///   - taking: requests of other nodes that it settles.
    ///   - body: may run more than once, each time on a snapshot without its effect.
    /// - Throws: ``StoreError``: what `body` throws; `fenced` when another has written, or this node may not lead any
    ///   more; `tooLarge`; `busy` when nothing was written; `unknownOutcome`.
    func edit<Value: Sendable>(
        from basis: KnownHistory.Basis = .newest,
        taking: Set<String> = [],
        within timeout: Duration,
        _ body: @escaping @Sendable (inout Snapshot) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = Mutex<Value?>(nil)
        let failure = await withCheckedContinuation { continuation in
            let isFirst = writes.add(
                PendingWrite(
                    basis: basis,
                    apply: { snapshot throws(StoreError) in
                        let value = try body(&snapshot)
                        result.withLock { $0 = value }
                    },
                    taking: taking,
                    deadline: clock.now() + timeout,
                    finish: { continuation.resume(returning: $0) }
                )
            )
            // Its own task: it goes on for changes that come meanwhile, whoever gives up waiting.
            if isFirst { Task { await drain() } }
        }
        if let failure { throw failure }
        guard let value = result.withLock({ $0 }) else { throw StoreError(.io, "the edit gave no result") }
        return value
    }

    private func drain() async {
        while let batch = writes.next() { await write(batch) }
    }

    /// - Parameter isAgain: the content was found lost by the write before.
    private func write(_ batch: [PendingWrite], isAgain: Bool = false) async {
        let now = clock.now()
        for write in batch where write.deadline <= now { write.finish(.tooSlow(terminology)) }
        let batch = batch.filter { $0.deadline > now }
        guard let first = batch.first else { return }
        // A beginning is written alone.
        if batch.count > 1, batch.contains(where: \.basis.isBeginning) {
            for single in batch { await write([single]) }
            return
        }
        guard let state = history.state else {
            for write in batch { write.finish(.notReadYet(terminology)) }
            return
        }
        var snapshot: Snapshot
        do throws(StoreError) {
            snapshot = try history.begin(first.basis, state, terminology)
        } catch {
            for write in batch { write.finish(error) }
            return
        }
        var done: [PendingWrite] = []
        for write in batch {
            var next = snapshot
            do throws(StoreError) {
                try write.apply(&next)
                snapshot = next
                done.append(write)
            } catch {
                write.finish(error)
            }
        }
        guard !done.isEmpty else { return }
        snapshot.trim(to: settings.past, time: steady.now)
        do throws(StoreError) {
            if snapshot != state.snapshot { try await write(snapshot, over: state, by: done) }
            for write in done { write.finish(nil) }
        } catch {
            if history.state == nil, error.code == .fenced, !isAgain, await isRestorable() {
                return await write(done, isAgain: true)
            }
            // Of several, one may be what the register cannot take, or a request that was taken back.
            guard done.count > 1, error.code == .tooLarge || error.code == .conflict else {
                for write in done { write.finish(error) }
                return
            }
            for single in done { await write([single]) }
        }
    }

    /// After a lost race: whether what is in the register now is only less than what this leader knows.
    private func isRestorable() async -> Bool {
        guard history.isInTerm, elector.claim.isLeader, let reading = try? await register.read(), history.state == nil
        else {
            return false
        }
        let state = KnownState(reading, known: history.newest, rules)
        guard case .lost = state.finding else { return false }
        history.state = state
        return true
    }

    private func write(
        _ snapshot: Snapshot,
        over state: KnownState,
        by writes: [PendingWrite]
    ) async throws(StoreError) {
        var snapshot = snapshot
        snapshot.sequence = max(snapshot.sequence, history.newest?.sequence ?? 0) + 1
        let taking = writes.reduce(into: Set<String>()) { $0.formUnion($1.taking) }
        let written = try await swap(&snapshot, over: state, taking: taking, by: writes)
        warn(written.warning)
        if case .lost(let loss) = state.finding {
            terminology.log(
                .restored(reason: loss.sentence(terminology), revision: snapshot.newest),
                logger
            )
        }
        if history.newest.map({ snapshot.relation(to: $0) != .older }) ?? true { history.newest = snapshot }
        // A poll may have seen this write already, and more.
        if history.state.map({ $0.version < written.version }) ?? true {
            var next = history.state ?? state
            next.note(written, of: snapshot, without: taking)
            history.state = next
        }
        do throws(StoreError) {
            try await updateReplica()
        } catch {
            throw StoreError(
                .unknownOutcome,
                "it is stored in the \(terminology.cluster), but not in this node's copy: \(error.message)"
            )
        }
    }

    /// With as much of the past as there is room for.
    private func swap(
        _ snapshot: inout Snapshot,
        over state: KnownState,
        taking: Set<String>,
        by writes: [PendingWrite]
    ) async throws(StoreError) -> RegisterWrite {
        let deadline = writes.map(\.deadline).min() ?? clock.now()
        let elector = elector
        func attempt(_ snapshot: Snapshot) async throws(RegisterError) -> RegisterWrite {
            try await register.swap(
                snapshot,
                over: state.reading,
                taking: taking,
                within: max(deadline - clock.now(), .milliseconds(100)),
                while: { elector.claim.isLeader }
            )
        }
        do throws(RegisterError) {
            do throws(RegisterError) {
                return try await attempt(snapshot)
            } catch {
                guard error.code == .tooLarge else { throw error }
                snapshot.trim(
                    to: Snapshot.Limits(records: 1, bytes: 0, terms: 1, outcomes: 0),
                    time: steady.now
                )
                return try await attempt(snapshot)
            }
        } catch {
            // What the register holds now has to be looked at.
            if error.code == .lostRace || error.code == .unknownOutcome { history.state = nil }
            throw StoreError(error, isWrite: true)
        }
    }
}
