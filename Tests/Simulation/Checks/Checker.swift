internal import GroupSPI
internal import Manager
internal import ManagerModels
internal import Store

/// What must never happen, looked at whenever it could.
final class Checker {
    private unowned let world: World
    /// The first thing that was wrong.
    private(set) var violation: String?
    /// What each revision was when it was stored.
    private var history: [Revision] = []
    /// What the plugin may be told: every spec that was ever stored.
    private var stored: Set<GroupSpec> = []
    /// As each change was when it was last looked at.
    private var statuses: [[Status]] = []
    /// What some plugin has carried out.
    private var told: Set<GroupSpec> = []
    private var lastNumber = 0
    private var lastEpoch = 0
    /// Whose revisions somebody has given up, by accepting an older state.
    private(set) var givenUp: Set<Identifier> = []
    /// Groups that only the state had which was given up: who is started anew knows nothing of them (docs/storage.md).
    private(set) var forgotten: Set<Identifier> = []
    /// When the epoch of the lease began, in true time.
    private var epochBegan = 0
    /// Requests that are settled by a revision.
    private var takenUp: Set<String> = []
    private(set) var counts = Counts()
    private var clocks = TimeCheck()
    private var standing = StandingCheck()
    /// Somebody has accepted an older state: what was only noted in the newer one is gone.
    private(set) var hasGivenUp = false

    init(_ world: World) {
        self.world = world
    }

    /// - Parameter promise: the answer that is untrue; nil when something else is wrong.
    func fail(of promise: AnswerPromise? = nil, _ text: @autoclosure () -> String) {
        guard violation == nil else { return }
        // Where an answer is made untrue on purpose, what it promises has to tell, whatever else comes of it.
        if let untrue = world.broken?.untrueAnswer, promise != untrue { return }
        let text = text()
        violation = text
        world.note("VIOLATION: \(text)")
    }

    // MARK: - Holders

    /// At most one replica believes that it may act.
    func checkHolders() {
        var acting: SimulatedManager?
        for replica in world.replicas {
            guard let manager = replica.manager, let epoch = manager.actingEpoch else { continue }
            if let other = acting {
                fail(
                    "two unexpired holders: \(other.candidate.instance) in epoch \(other.actingEpoch ?? 0), "
                        + "\(manager.candidate.instance) in epoch \(epoch)"
                )
            }
            acting = manager
        }
    }

    // MARK: - The store

    /// A transaction has taken place.
    ///
    /// - Parameter isOlder: whether an older copy is in the place of the file.
    func transacted(
        _ kind: SimulatedStore.Kind,
        by process: SimulatedProcess,
        _ before: Lease,
        _ count: Int,
        _ after: StoreModel,
        isOlder: Bool
    ) {
        for revision in after.revisions.dropFirst(count) {
            if revision.number <= lastNumber { fail("number \(revision.number) is given out again") }
            if isOlder { fail("revision \(revision.number) is stored in an older copy of the file") }
            lastNumber = max(lastNumber, revision.number)
            if let trouble = UndoCheck.compare(revision, in: after) { fail(trouble) }
        }
        let row = after.lease
        if row.epoch < before.epoch { fail("the epoch fell from \(before.epoch) to \(row.epoch)") }
        if row.sequence < before.sequence { fail("the sequence fell from \(before.sequence) to \(row.sequence)") }
        let manager = world.replicas.lazy.compactMap(\.manager).first { $0.process === process }
        switch kind {
        case .reading, .looking, .open, .suspending: break
        case .renewing:
            if let manager, after.lease.suspension == nil, before.instance != manager.candidate.instance {
                fail("\(manager.candidate.instance) renewed epoch \(before.epoch) of '\(before.instance)'")
            }
        case .acquiring: if row != before, row.suspension == nil { acquired(by: process, before, row) }
        case .releasing: if row != before { released(by: process, before.epoch) }
        case .fenced:
            counts.writes += 1
            if let manager, !before.isHeld || before.instance != manager.candidate.instance {
                fail("\(manager.candidate.instance) wrote under epoch \(before.epoch) of '\(before.instance)'")
            }
        }
        guard !isOlder else { return }
        compare(after.revisions)
        if kind == .fenced { compareOutcomes(after, by: process) }
        clocks.compare(after, at: world.scheduler.now, world.plan.term.retention).map { text in fail(text) }
        let open = world.users.waitingCommands.map(\.request)
        standing.look(after, open: open, isDone: isInEffect)
        standing.compare(after, open: open).map { text in fail(of: .stands, text) }
        for request in after.requests where request.revision != nil && takenUp.insert(request.id).inserted {
            world.users.takenUp(request.id, epoch: row.epoch, begunAt: epochBegan)
        }
    }

    /// Somebody has accepted an older state: what was only in the newer one is given up, and nothing else.
    func accepted(_ model: StoreModel, in place: StoreModel) {
        hasGivenUp = true
        standing.giveUp()
        for (revision, before) in zip(model.revisions, place.revisions) {
            let isLost = model.lost.contains(revision.number) && !place.lost.contains(revision.number)
            if isLost || revision.changes != before.changes, let user = before.author.user { givenUp.insert(user) }
            if !isLost, !revision.isSame(as: before) { fail("revision \(before.number) was rewritten") }
        }
        // A number that an earlier acceptance has left out was given to nothing.
        for revision in place.revisions.dropFirst(model.revisions.count) where !place.lost.contains(revision.number) {
            fail("number \(revision.number) is free again")
        }
        forgotten.formUnion(Set(place.states().map(\.group)).subtracting(model.states().map(\.group)))
        // What is left out was given to nothing: a later acceptance, by whom knows less, may begin in it.
        lastNumber = max(lastNumber, model.revisions.last { !model.lost.contains($0.number) }?.number ?? 0)
        history = model.revisions
        statuses = model.revisions.map { $0.changes.map(\.status) }
    }

    private func acquired(by process: SimulatedProcess, _ before: Lease, _ row: Lease) {
        counts.terms += 1
        if row.epoch <= lastEpoch { fail("epoch \(row.epoch) begins again, after \(lastEpoch)") }
        lastEpoch = max(lastEpoch, row.epoch)
        epochBegan = world.scheduler.now
        if row.epoch != before.epoch + 1 { fail("epoch \(row.epoch) after \(before.epoch)") }
        for replica in world.replicas {
            guard let manager = replica.manager, manager.process !== process, let epoch = manager.actingEpoch else {
                continue
            }
            fail("\(row.instance) took the lease while \(manager.candidate.instance) acts in epoch \(epoch)")
        }
    }

    /// A release comes after the groups were let go.
    private func released(by process: SimulatedProcess, _ epoch: Int) {
        guard let replica = world.replicas.first(where: { $0.manager?.process === process }) else { return }
        if replica.plugin.acts(in: epoch) {
            fail("\(replica.name) released epoch \(epoch) while its plugin acts on what it was told in it")
        }
    }

    /// Gapless, and never rewritten.
    private func compare(_ revisions: [Revision]) {
        if let stored = revisions.dropFirst(max(0, history.count - 1)).first, let known = history.last,
            !stored.isSame(as: known)
        {
            fail("revision \(known.number) was rewritten")
        }
        for revision in revisions.dropFirst(history.count) {
            if revision.number != history.count + 1 { fail("revision \(revision.number) after \(history.count)") }
            history.append(revision)
            for change in revision.changes {
                guard case .set(let properties, _) = change.action else { continue }
                stored.insert(GroupSpec(id: change.group, properties: properties))
            }
        }
    }

    // MARK: - Outcomes

    /// An outcome that is known stays as it is; what is rejected is not in effect.
    private func compareOutcomes(_ model: StoreModel, by process: SimulatedProcess) {
        for (index, revision) in model.revisions.enumerated() {
            let now = revision.changes.map(\.status)
            guard index < statuses.count else {
                statuses.append(now)
                continue
            }
            for (change, before) in zip(revision.changes, statuses[index]) where change.status != before {
                if before != .pending {
                    fail("revision \(revision.number) was \(before.name), and is \(change.status.name)")
                }
                if change.status == .rejected { rejected(change, revision.number, model, by: process) }
            }
            statuses[index] = now
        }
    }

    private func rejected(_ change: Change, _ number: Int, _ model: StoreModel, by process: SimulatedProcess) {
        guard case .set(let properties, _) = change.action, !stands(change, in: model) else { return }
        let plugin = world.replicas.first { $0.manager?.process === process }?.plugin
        if plugin?.groups[change.group]?.properties == properties {
            fail("revision \(number) is rejected, and the plugin keeps what it has set")
        }
    }

    /// Whether another revision, which is not rejected, sets the same.
    private func stands(_ change: Change, in model: StoreModel) -> Bool {
        model.revisions.contains { revision in
            revision.changes.contains {
                $0.group == change.group && $0.action == change.action && $0.status != .rejected
            }
        }
    }

    /// What is overtaken is so by something; and what something has overtaken does not stay open.
    private func checkOvertaken(_ revisions: [Revision]) {
        var applied: Set<Identifier> = []
        for revision in revisions.reversed() {
            for change in revision.changes {
                if change.status == .superseded, !applied.contains(change.group) {
                    fail("revision \(revision.number) is superseded, and nothing of \(change.group) follows it")
                }
                if change.status == .pending, applied.contains(change.group) {
                    fail("revision \(revision.number) is pending, and \(change.group) was applied after it")
                }
            }
            applied.formUnion(revision.changes.filter { $0.status == .applied }.map(\.group))
        }
    }

    private func compareAll() {
        let revisions = world.file.model.revisions
        if revisions.count != history.count { fail("\(revisions.count) revisions, of \(history.count)") }
        for (revision, before) in zip(revisions, history) where !revision.isSame(as: before) {
            fail("revision \(before.number) was rewritten")
        }
    }

    // MARK: - The plugin

    /// A process starts a call.
    ///
    /// - Returns: the epoch in which it leads, by the row; nil when it does not.
    func called(_ request: GroupRequest, by process: SimulatedProcess) -> Int? {
        guard let manager = world.replicas.lazy.compactMap(\.manager).first(where: { $0.process === process }) else {
            // A guard lets go, and does nothing else.
            if request.changesGroups { fail("\(process.name) calls \(request.shortText)") }
            if case .free = request, let epoch = guarded(by: process)?.runtime.actingEpoch {
                fail("\(process.name) lets groups go while its manager acts in epoch \(epoch)")
            }
            return nil
        }
        let row = world.file.truth.lease
        let leads = row.isHeld && row.instance == manager.candidate.instance
        if request.changesGroups {
            counts.calls += 1
            // Who has accepted an older state for which nobody could speak: the leader of before acts until its deadline, and is waited out.
            if !leads, row.holder != Lease.unknownHolder {
                fail("\(manager.candidate.instance) calls \(request.shortText) while '\(row.instance)' leads")
            }
            if let spec = request.spec, !stored.contains(spec) {
                fail("\(manager.candidate.instance) tells the plugin \(spec.shortText), which is not stored")
            }
            if let spec = request.spec, isRejected(spec) {
                fail("\(manager.candidate.instance) tells the plugin \(spec.shortText), which is rejected")
            }
        }
        return leads ? row.epoch : nil
    }

    /// Whether every revision that sets it is rejected.
    private func isRejected(_ spec: GroupSpec) -> Bool {
        let statuses = world.file.model.revisions.flatMap(\.changes).filter { change in
            guard change.group == spec.id, case .set(let properties, _) = change.action else { return false }
            return properties == spec.properties
        }.map(\.status)
        return !statuses.isEmpty && statuses.allSatisfy { $0 == .rejected }
    }

    /// Whether some plugin has done what a change says.
    func wasCarriedOut(_ change: Change) -> Bool {
        switch change.action {
        case .set(let properties, _): told.contains(GroupSpec(id: change.group, properties: properties))
        // A plugin that has forgotten a group has nothing to end.
        case .free, .destroy: true
        }
    }

    /// The same, also of what ends a group: no plugin has it.
    private func isInEffect(_ change: Change) -> Bool {
        if case .set = change.action { return wasCarriedOut(change) }
        return world.replicas.allSatisfy { $0.plugin.groups[change.group] == nil }
    }

    private func guarded(by process: SimulatedProcess) -> SimulatedManager? {
        world.replicas.lazy.compactMap(\.manager).first { $0.orphanGuard.process === process }
    }

    /// A plugin has begun to watch a group, or to do something else with it.
    func watched(_ plugin: SimulatedPlugin, _ spec: GroupSpec) {
        told.insert(spec)
        standing.look(world.file.model, open: world.users.waitingCommands.map(\.request), isDone: isInEffect)
        guard world.plan.keepsPluginsApart else { return }
        if let other = world.replicas.first(where: { $0.plugin !== plugin && !$0.plugin.groups.isEmpty }) {
            fail("\(plugin.name)'s plugin is told while \(other.name)'s watches \(other.plugin.groups.keys.sorted())")
        }
    }

    // MARK: - At the end

    func finish() {
        compareAll()
        checkOvertaken(world.file.model.revisions)
        standing.finish(world.file.model).map { text in fail(of: .stands, text) }
        world.users.check()
    }

    struct Counts {
        var terms = 0
        var writes = 0
        var calls = 0
    }
}

extension Revision {
    /// All but the outcomes, which come later.
    fileprivate func isSame(as other: Revision) -> Bool {
        number == other.number && epoch == other.epoch && manager == other.manager && author == other.author
            && operation == other.operation && changes.map(\.group) == other.changes.map(\.group)
            && changes.map(\.action) == other.changes.map(\.action)
    }
}
