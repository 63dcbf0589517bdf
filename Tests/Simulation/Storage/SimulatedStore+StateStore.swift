internal import GroupSPI
internal import Manager
internal import ManagerModels
internal import SeededRandom
internal import Store

extension SimulatedStore: StateStore {
    // MARK: - The lease

    func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        let startedAt = bootTime
        let before = seen
        let (lease, isLacking) = try await run("lease", .looking, timeout) { [self] model in
            count.saw(model.elapsed, epoch: model.lease.epoch, sequence: model.lease.sequence, at: bootTime)
            return (model.lease, model.lacks(before))
        }
        guard notices, isLacking else {
            note(lease, readSince: startedAt)
            return lease
        }
        return try await run("suspend", .suspending, timeout) { [self] model in
            if model.lacks(seen) { model.suspend(by: witness(nil), time: host.wallTime) }
            return model.lease
        }
    }

    func acquireLease(
        _ candidate: Candidate,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease? {
        let broken = world.broken
        let ttl = broken == .ttlBelowDeadline ? ttl / 3 : ttl
        let startedAt = bootTime
        let lease: Lease? = try await run("acquire", .acquiring, timeout) { [self] model in
            let watched = broken == .acquireWithoutComparing ? model.lease : watched
            guard !notices || !model.isOlder(than: seen) else {
                model.suspend(by: witness(nil), time: host.wallTime)
                return nil
            }
            let elapsed = count.begin(
                with: model.elapsed,
                epoch: model.lease.epoch,
                sequence: model.lease.sequence,
                ttl: model.lease.ttl,
                at: bootTime
            )
            return model.acquire(candidate, watched: watched, ttl: ttl, time: host.wallTime, elapsed: elapsed)
        }
        if let lease { begin(lease, since: startedAt, for: timeout) }
        return lease
    }

    func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        do throws(StoreError) {
            let startedAt = bootTime
            let lease = try await write("renew", fence, timeout, isRenewal: true) {
                [self] model, fence throws(StoreError) in
                guard !notices || !model.isOlder(than: seen) else {
                    model.suspend(by: witness(fence), time: host.wallTime)
                    return model.lease
                }
                if notices, model.lease.isHeld(by: fence), model.holding(seen) != .all {
                    throw StoreError(.fenced, "an older state was accepted")
                }
                let elapsed =
                    world.broken == .nothingCountedByRenewals ? model.elapsed : elapsed(model)
                let lease = try model.renew(fence, time: host.wallTime, elapsed: elapsed)
                model.noteNewest(seen)
                return lease
            }
            guard lease.isHeld(by: fence) else { throw StoreError.stale("file") }
            renewed(lease, since: startedAt, for: timeout)
            return lease
        } catch  where error.code == .unknownOutcome && world.broken == .ambiguousCommitIsSuccess {
            return world.file.model.lease
        }
    }

    func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        let broken = world.broken
        try await run("release", .releasing, timeout) { [self] model in
            if notices, model.lease.suspension == nil, model.isOlder(than: seen) {
                model.suspend(by: witness(fence), time: host.wallTime)
            }
            let sequence = model.lease.sequence
            model.release(fence, time: host.wallTime)
            guard broken == .releaseResetsEpoch, model.lease.sequence > sequence else { return }
            model.corrupt(model.lease.next(epoch: 0))
        }
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
        if world.broken == .pluginBeforeStore { await world.tellPluginEarly(draft, process) }
        let broken = world.broken
        let settled = broken == .causeSettledApart ? nil : trigger
        let expected = broken == .numberedBeforeStored ? world.imagined(draft, fence) : nil
        do throws(StoreError) {
            let revision = try await write("append", fence, timeout) { [self] model, fence throws(StoreError) in
                defer { if broken == .revisionRewritten { model.overwrite() } }
                let revision = try model.append(
                    draft,
                    resolving: settled,
                    fence: fence,
                    time: host.wallTime,
                    elapsed: broken == .confirmedByWallClock ? .max : elapsed(model)
                )
                give(revision.number)
                return revision
            }
            note(revision)
            if broken == .causeSettledApart, case .request(let id) = trigger {
                try await write("settle", fence, timeout) { model, fence throws(StoreError) in
                    try model.require(fence)
                    try model.end(id, as: .done, revision: revision.number)
                }
            }
            return expected ?? revision
        } catch  where error.code == .unknownOutcome && world.broken == .uncertainWriteRepeated {
            return try await append(draft, trigger, fence, timeout)
        } catch  where error.code == .unknownOutcome && world.broken == .ambiguousCommitIsFailure {
            throw StoreError(.busy, error.message)
        } catch  where error.code == .unknownOutcome && world.broken == .ambiguousCommitIsSuccess {
            return world.imagined(draft, fence)
        }
    }

    func recordOutcomes(
        _ outcomes: [Outcome],
        fence: Fence,
        lingering linger: Duration,
        within timeout: Duration
    ) async throws(StoreError) {
        if linger > .zero {
            let pause = world.random.below(host.trueLength(linger))
            await process.wait(on: world.scheduler, fallback: ()) { promise in
                host.planAwake(at: world.scheduler.now + pause, for: process) { promise.fulfil(()) }
            }
        }
        let broken = world.broken
        let outcomes = broken == .keptNotStored ? outcomes.filter { $0.status != .applied } : outcomes
        do throws(StoreError) {
            try await write("outcome", fence, timeout) { model, fence throws(StoreError) in
                try model.record(outcomes, fence: fence)
                if broken == .supersededRejected { model.miscall(superseded: .rejected) }
                if broken == .overtakenLeftPending { model.miscall(superseded: .pending) }
            }
        } catch  where broken == .refusalNotStored && outcomes.contains(where: { $0.status == .rejected }) {
        } catch  where broken == .agreementNotStored && outcomes.contains(where: { $0.status == .applied }) {
        }
    }

    func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        let states: [GroupState]
        do throws(StoreError) {
            states = try await run("states", .reading, timeout) { $0.states(at: number) }
        } catch  where world.broken == .unreadIsEmpty && number == nil {
            return []
        }
        switch world.broken {
        case .acknowledgedRefused: return states.map(\.unanswered)
        case .pendingStands: return states.map(\.settled)
        default: return states
        }
    }

    func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding {
        try await run("standing", .reading, timeout) { $0.standing }
    }

    func wholeStates(
        at number: Int,
        of group: Identifier?,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState] {
        try await run("states", .reading, timeout) { model throws(StoreError) in
            try model.wholeStates(at: number, of: group)
        }
    }

    func state(of group: Identifier, before number: Int, within timeout: Duration) async throws(StoreError)
        -> GroupState?
    {
        try await run("state", .reading, timeout) { $0.state(of: group, before: number) }
    }

    func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        let isBlind = world.broken == .undoneToUnconfirmed
        return try await run("revision", .reading, timeout) { model in
            isBlind ? model.revisions.first { $0.number == number } : model.revision(number)
        }
    }

    func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary {
        let isBlind = world.broken == .unconfirmedStands
        return try await run("summary", .reading, timeout) { model in
            var model = model
            if isBlind { model.forgetConfirmations() }
            return model.summary
        }
    }

    func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try await run("confirmations", .reading, timeout) { [self] model in
            guard world.broken == .confirmedByWallClock else { return model.expiredConfirmations(at: elapsed(model)) }
            return model.waitingConfirmations.filter { $0.deadline <= host.wallTime }
        }
    }

    func overtakeConfirmation(of revision: Int, fence: Fence, within timeout: Duration) async throws(StoreError) {
        try await write("overtake", fence, timeout) { [self] model, fence throws(StoreError) in
            let elapsed = world.broken == .confirmedByWallClock ? .max : elapsed(model)
            try model.overtakeConfirmation(of: revision, fence: fence, elapsed: elapsed)
        }
    }

    func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try await write("prune", fence, timeout) { [self] model, fence throws(StoreError) in
            if world.broken == .agedByWallClock {
                try model.pruneByTimes(policy, fence: fence, time: host.wallTime)
            }
            return try model.prune(policy, fence: fence, elapsed: elapsed(model))
        }
    }

    // MARK: - Requests

    func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        try await run("submit", .open, timeout) { [self] model throws(StoreError) in
            try requireSeen(model)
            guard model.request(request.id) == nil else { throw StoreError(.conflict, "it is there already") }
            model.submit(request)
        }
    }

    func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight {
        try await run("request", .reading, timeout) { [self] model throws(StoreError) in
            try requireSeen(model)
            sighted = model.lease
            return model.sight(of: asked.id)
        }
    }

    func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError) {
        try await run("beat", .open, timeout) { [self] model throws(StoreError) in
            try requireSeen(model)
            model.renew(id)
        }
    }

    func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try await run("cancel", .open, timeout) { [self] model throws(StoreError) in
            try requireSeen(model)
            return model.cancel(id)
        }
    }

    func noteRequests(
        _ notes: [String: String?],
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await write("note", fence, timeout) { model, fence throws(StoreError) in
            try model.note(notes, fence: fence)
        }
    }

    func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        let broken = world.broken
        return try await run("requests", .reading, timeout) { [host] model in
            switch broken {
            case .requestOfAnyEpoch: model.waitingRequests.map { $0.asked(in: model.lease.epoch) }
            case .requestAgedByWallClock: model.waitingRequests(refusingBy: host.wallTime)
            default: model.waitingRequests
            }
        }
    }

    func finishRequest(
        _ id: String,
        state: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await write("finish", fence, timeout) { model, fence throws(StoreError) in
            try model.finish(id, as: state, error: error, fence: fence)
        }
    }

    func apply(
        _ mark: MetadataChange,
        author: Author,
        resolving id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        let broken = world.broken
        try await write("mark", fence, timeout) { model, fence throws(StoreError) in
            // Both of it or nothing.
            var marked = model
            try marked.finish(id, as: .done, error: nil, fence: fence)
            switch mark {
            case _ where broken == .markNotStored: break
            case .confirm(let revision): try marked.endConfirmation(of: revision, as: .confirmed)
            case .acknowledge(let revision, _): try marked.acknowledge(revision)
            case .tag, .untag: break
            }
            model = marked
        }
    }

    func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await write("answer", fence, timeout) { model, fence throws(StoreError) in
            try model.answer(id, answer, fence: fence)
        }
    }

    func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try await write("forget", fence, timeout) { model, fence throws(StoreError) in
            try model.removeRequests(endedBefore: sequence, fence: fence)
        }
    }

    // MARK: - Fenced writes

    private func write<Value: Sendable>(
        _ name: StaticString,
        _ fence: Fence,
        _ timeout: Duration,
        isRenewal: Bool = false,
        _ body: @escaping (inout StoreModel, Fence) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await run(name, isRenewal ? .renewing : .fenced, timeout) { [self] model throws(StoreError) in
            if !isRenewal { try requireAll(model) }
            var fence = fence
            if world.broken == .unfencedWrite {
                fence = Fence(instance: model.lease.instance, epoch: model.lease.epoch, manager: fence.manager)
            }
            return try body(&model, fence)
        }
    }
}

extension GroupState {
    /// As if its plugin had agreed.
    fileprivate var settled: GroupState {
        guard change.status == .pending else { return self }
        let change = Change(group: group, action: change.action, status: .applied)
        return GroupState(group: group, change: change, revision: revision, previous: previous)
    }

    /// As if it were noted that its user was told nothing.
    fileprivate var unanswered: GroupState {
        guard change.status == .pending else { return self }
        let change = Change(group: group, action: change.action, status: .pending, error: Change.unanswered)
        return GroupState(group: group, change: change, revision: revision, previous: previous)
    }
}
