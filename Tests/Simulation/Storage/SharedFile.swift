internal import GroupSPI
internal import ManagerModels
internal import SeededRandom
internal import Store

/// The database that all replicas share: transactions, one at a time, and the lock that keeps them apart.
final class SharedFile: @unchecked Sendable {
    private(set) var model = StoreModel()
    private unowned let world: World
    /// What it was at some moments, the newest last.
    private var copies: [StoreModel] = []
    /// The file that an older copy has taken the place of.
    private(set) var newer: StoreModel?
    /// There is nothing at its path.
    private(set) var isLost = false
    /// The work that is in the middle of a transaction and does not come out of it.
    private var locker: StoreWork?

    init(_ world: World) {
        self.world = world
    }

    // MARK: - Older copies

    /// The file that counts: what the older copy says of who leads is not so.
    var truth: StoreModel { newer ?? model }

    /// Nobody who knows better has looked at the copy.
    var isUnnoticed: Bool { newer != nil && model.lease.suspension == nil }

    /// Somebody copies the file away.
    func keepCopy() {
        guard newer == nil, !isLost else { return }
        copies.append(model)
        if copies.count > 6 { copies.removeFirst(1 + world.random.below(5)) }
    }

    /// Somebody puts a copy in the place of the file, of which all that run have seen more: managers, and commands that wait. What
    /// others conclude from it is true of the copy only (docs/storage.md).
    ///
    /// - Returns: false when there is none.
    func replace(knownTo stores: [SimulatedStore], and commands: [SimulatedCommand]) -> Bool {
        replace(by: copies, stores, commands)
    }

    /// The same with a file in which nothing was ever stored.
    func beginAnew(knownTo stores: [SimulatedStore], and commands: [SimulatedCommand]) -> Bool {
        replace(by: [StoreModel()], stores, commands)
    }

    private func replace(
        by copies: [StoreModel],
        _ stores: [SimulatedStore],
        _ commands: [SimulatedCommand]
    ) -> Bool {
        let older = copies.filter { copy in
            !stores.isEmpty && stores.allSatisfy { $0.seen.epoch > 0 && !$0.seen.isReached(by: copy.lease) }
                && commands.allSatisfy { $0.hasSeenMore(than: copy.lease) }
        }
        guard newer == nil, !isLost, !older.isEmpty else { return false }
        newer = model
        model = older[world.random.below(older.count)]
        return true
    }

    // MARK: - A lost file

    /// - Returns: false when there is nothing to lose yet.
    func lose() -> Bool {
        guard newer == nil, !isLost, model.lease.epoch > 0 else { return false }
        isLost = true
        return true
    }

    func putBack() { isLost = false }

    /// Somebody starts who takes a lost file for one that never was.
    func takeForNew() {
        isLost = false
        model = StoreModel()
    }

    private static let gone = StoreError(.lost, "the file is gone, and there was one")

    /// The newer file is put back, or what is there is accepted.
    func decide(accepting: Bool) {
        guard let newer else { return }
        self.newer = nil
        if accepting, model.lease.suspension != nil {
            copies = []
            model.acceptOlderState()
            if world.broken == .acceptWaitsForNobody { model.corrupt(model.lease.next(holder: "")) }
            world.checker.accepted(model, in: newer)
        } else {
            model = newer
        }
    }

    func isLocked(for work: StoreWork) -> Bool { locker != nil && locker !== work }

    func lock(_ work: StoreWork) { if locker == nil { locker = work } }
    func unlock(_ work: StoreWork) { if locker === work { locker = nil } }

    /// Carries a transaction out: whole, or not at all.
    func transact<Value>(
        _ name: StaticString,
        _ kind: SimulatedStore.Kind,
        by process: SimulatedProcess,
        _ body: (inout StoreModel) throws(StoreError) -> Value
    ) -> Result<Value, StoreError> {
        guard !isLost else { return .failure(Self.gone) }
        let before = (lease: model.lease, revisions: model.revisions.count)
        let isOlder = newer != nil
        let result: Result<Value, StoreError>
        do throws(StoreError) {
            result = .success(try body(&model))
        } catch {
            result = .failure(error)
        }
        if case .success = result {
            world.checker.transacted(kind, by: process, before.lease, before.revisions, model, isOlder: isOlder)
        }
        world.trace.note(world.scheduler.now, process) {
            switch result {
            case .success: "store: \(name) → \(self.change(since: before))"
            case .failure(let error): "store: \(name) → \(error.code.rawValue)"
            }
        }
        return result
    }

    /// In swarm mode: a manager has written the label. This is what it was told of all that was written.
    func written(_ snapshot: Snapshot, by process: SimulatedProcess) {
        let before = (lease: model.lease, revisions: model.revisions.count)
        if let trouble = model.take(snapshot, asked: { [world] in world.users.asked($0) }) {
            return world.checker.fail("\(process.name): \(trouble)")
        }
        let kind: SimulatedStore.Kind =
            if model.lease.epoch != before.lease.epoch {
                .acquiring
            } else if before.lease.isHeld, !model.lease.isHeld {
                .releasing
            } else {
                .fenced
            }
        world.checker.transacted(kind, by: process, before.lease, before.revisions, model, isOlder: false)
        world.trace.note(world.scheduler.now, process) { "label: \(self.change(since: before))" }
    }

    /// What would come of a transaction that is not carried out.
    func attempt<Value>(_ body: (inout StoreModel) throws(StoreError) -> Value) -> Result<Value, StoreError> {
        guard !isLost else { return .failure(Self.gone) }
        var copy = model
        do throws(StoreError) {
            return .success(try body(&copy))
        } catch {
            return .failure(error)
        }
    }

    /// Somebody without a manager, such as a command, writes.
    func write(_ body: (inout StoreModel) -> Void) {
        if !isLost { body(&model) }
    }

    private func change(since before: (lease: Lease, revisions: Int)) -> String {
        if model.revisions.count > before.revisions, let revision = model.revisions.last {
            return "revision \(revision.number): \(revision.operation.name) \(revision.groups.joined(separator: " "))"
                + " by \(revision.author.user ?? "?"), epoch \(revision.epoch)"
        }
        let lease = model.lease
        return lease == before.lease
            ? "ok" : "held by '\(lease.instance)'\(lease.isHeld ? "" : " no more"), \(lease.epoch)/\(lease.sequence)"
    }
}
