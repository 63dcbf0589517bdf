internal import Manager
internal import ManagerModels
internal import SeededRandom
internal import Store

/// The shared file as one process sees it: with the threads, the time limits and the troubles of the real store.
final class SimulatedStore: @unchecked Sendable {
    enum Purpose {
        case reading, writing
    }

    /// What a transaction is, for those who watch over it.
    enum Kind {
        case reading
        /// Reads the lease.
        case looking
        /// Takes the lease.
        case acquiring
        /// Gives it back.
        case releasing
        /// Notes that nobody may act on it.
        case suspending
        /// Holds on to the lease.
        case renewing
        /// Has to prove that its writer leads.
        case fenced
        /// Anybody may do it.
        case open

        var purpose: Purpose { [.reading, .looking].contains(self) ? .reading : .writing }
    }

    let world: World
    let process: SimulatedProcess
    let host: SimulatedHost
    /// Of the time that this process sees pass for the history.
    var count = TimeCount()
    /// What this process has seen of the file.
    private(set) var knowledge = StoreKnowledge()
    private let reader = StoreLane()
    private let writer = StoreLane()

    init(_ world: World, _ process: SimulatedProcess, _ host: SimulatedHost) {
        self.world = world
        self.process = process
        self.host = host
    }

    var bootTime: Int { host.bootTime.nanoseconds / 1_000_000 }

    /// How much time the history has seen pass, as this process counts.
    func elapsed(_ model: StoreModel) -> Int {
        count.advance(from: model.elapsed, ttl: model.lease.ttl, at: bootTime)
    }

    var seen: Watermark { knowledge.seen }
    /// The lease that a command has read last, while it waited for its request.
    var sighted: Lease?

    /// Whether it notices a file that is older than what it has seen.
    var notices: Bool { world.broken != .olderStateUnnoticed }

    func note(_ lease: Lease, readSince moment: Int) { knowledge.note(lease, readSince: moment) }
    func note(_ revision: Revision) { knowledge.seen.note(revision.number, revision.hash) }
    func give(_ number: Int) { knowledge.give(number) }
    func begin(_ lease: Lease, since moment: Int, for time: Duration) {
        knowledge.begin(lease, since: moment, for: time, on: nil)
    }
    func renewed(_ lease: Lease, since moment: Int, for time: Duration) {
        knowledge.renewed(lease, since: moment, for: time)
    }

    /// As the store, with less room for what happens unseen: every number has its place here.
    func witness(_ fence: Fence?) -> Witness {
        var witness = knowledge.witness(fence, on: nil, at: bootTime)
        witness.unseen = world.broken == .acceptLeavesNoRoom ? (0, 0) : (50, 100)
        return witness
    }

    /// - Throws: ``StoreError`` `stale`.
    func requireSeen(_ model: StoreModel) throws(StoreError) {
        guard notices else { return }
        guard model.lease.suspension == nil, seen.epoch == 0 || !model.isOlder(than: seen) else {
            throw StoreError.stale("file")
        }
    }

    /// What is gone on from is of the newest state.
    func requireNewest(_ model: StoreModel) throws(StoreError) {
        guard notices, seen.epoch > 0 else { return }
        guard !model.isOlder(than: seen) else { throw StoreError.stale("file") }
    }

    /// The same, and that the history has what was seen.
    func requireAll(_ model: StoreModel) throws(StoreError) {
        guard notices else { return }
        guard !model.isOlder(than: seen) else { throw StoreError.stale("file") }
        guard model.holding(seen) == .all else { throw StoreError.stale("file") }
    }

    private var file: SharedFile { world.file }
    private var scheduler: Scheduler { world.scheduler }

    /// - Parameter body: the transaction.
    func run<Value: Sendable>(
        _ name: StaticString,
        _ kind: Kind,
        _ timeout: Duration,
        _ body: @escaping (inout StoreModel) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let purpose = kind.purpose
        let over = Result<Value, StoreError>.failure(StoreError(.io, "the schedule is over"))
        let result = await process.wait(on: scheduler, fallback: over) { promise in
            let lane = purpose == .reading ? reader : writer
            let work = StoreWork()
            host.planAwake(at: scheduler.now + host.trueLength(timeout), for: process) {
                guard !promise.isDone else { return }
                let hadBegun = work.phase != .waiting
                if !hadBegun { work.phase = .over }
                promise.fulfil(.failure(Self.late(purpose, hadBegun: hadBegun)))
            }
            lane.add(work) { [self] in
                carryOut(work, name, kind, lane, promise) { [self] model throws(StoreError) in
                    if kind == .reading { try requireNewest(model) }
                    return try body(&model)
                }
            }
        }
        return try result.get()
    }

    private static func late(_ purpose: Purpose, hadBegun: Bool) -> StoreError {
        guard hadBegun else { return StoreError(.busy, "no answer in time; nothing was stored") }
        return purpose == .reading
            ? StoreError(.noAnswer, "no answer in time")
            : StoreError(.unknownOutcome, "no answer in time; stored or not")
    }

    // MARK: - One piece of work

    private enum Course {
        case smooth, busy, failure
        case ambiguity(isStored: Bool, isFoundOut: Bool)
        /// Amid the work; what others see of it depends on whether it has the lock.
        case hang(isLocking: Bool)
    }

    private func course(_ purpose: Purpose) -> Course {
        let weather = host.storage
        var chance = world.random.below(1000)
        func isHit(_ share: Int) -> Bool {
            chance -= share
            return chance < 0
        }
        if isHit(weather.busy) { return .busy }
        if isHit(weather.failure) { return .failure }
        if isHit(weather.hanging) { return .hang(isLocking: purpose == .writing && world.random.below(3) == 0) }
        if purpose == .writing, isHit(weather.ambiguity) {
            return .ambiguity(isStored: world.random.below(2) == 0, isFoundOut: world.random.below(3) == 0)
        }
        return .smooth
    }

    private func carryOut<Value: Sendable>(
        _ work: StoreWork,
        _ name: StaticString,
        _ kind: Kind,
        _ lane: StoreLane,
        _ promise: Promise<Result<Value, StoreError>>,
        _ body: @escaping (inout StoreModel) throws(StoreError) -> Value
    ) {
        let purpose = kind.purpose
        func answer(_ result: Result<Value, StoreError>) {
            file.unlock(work)
            lane.finish(work)
            let delay = world.random.below(max(1, host.storage.answerLatency))
            scheduler.plan(after: delay, for: process) { promise.fulfil(result) }
        }
        func transact() -> Result<Value, StoreError> {
            work.whenKilled = nil
            guard purpose == .writing else { return file.attempt(body) }
            return file.transact(name, kind, by: process, body)
        }
        let course = course(purpose)
        note(name, course)
        switch course {
        case .busy:
            scheduler.plan(after: host.trueLength(world.plan.election.busyTimeout), for: process) {
                answer(.failure(StoreError(.busy, "locked")))
            }
        case .failure:
            scheduler.plan(after: latency(), for: process) { answer(.failure(StoreError(.io, "I/O error"))) }
        case .hang(let isLocking):
            if isLocking { file.lock(work) }
            host.hung.append { [self] in
                guard work.phase == .running else { return }
                plan(work, purpose) { busy in answer(busy.map { .failure($0) } ?? transact()) }
            }
        case .ambiguity(let isStored, let isFoundOut):
            plan(work, purpose) { [self] busy in
                if let busy { return answer(.failure(busy)) }
                let result = isStored ? transact() : file.attempt(body)
                // A transaction that contradicts the fence does not come to its commit.
                guard case .success = result else { return answer(result) }
                if !isFoundOut { return answer(.failure(StoreError(.unknownOutcome, "the commit failed"))) }
                answer(isStored ? result : .failure(StoreError(.io, "I/O error at the commit; not stored")))
            }
        case .smooth:
            if purpose == .writing { work.whenKilled = { _ = transact() } }
            plan(work, purpose) { busy in answer(busy.map { .failure($0) } ?? transact()) }
        }
    }

    /// Does something when the file is not locked by another, or hands over `busy` when the time for that is up.
    private func plan(
        _ work: StoreWork,
        _ purpose: Purpose,
        until limit: Int? = nil,
        _ action: @escaping (_ busy: StoreError?) -> Void
    ) {
        scheduler.plan(after: latency(), for: process) { [self] in
            // A reader gets past a writer that has not come to its commit.
            guard purpose == .writing, file.isLocked(for: work) else { return action(nil) }
            let limit = limit ?? scheduler.now + host.trueLength(world.plan.election.busyTimeout)
            if scheduler.now >= limit { return action(StoreError(.busy, "locked")) }
            plan(work, purpose, until: limit, action)
        }
    }

    private func latency() -> Int { world.random.below(max(1, host.storage.latency)) }

    private func note(_ name: StaticString, _ course: Course) {
        if case .smooth = course { return }
        world.trace.note(scheduler.now, process) { "store: \(name) … \(course)" }
    }

    // MARK: - The process

    /// The process stands still: perhaps amid a transaction, with the lock.
    func stop() {
        guard let work = writer.running, world.random.below(2) == 0 else { return }
        file.lock(work)
    }

    func goOn() {
        if let work = writer.running { file.unlock(work) }
    }

    /// The process has ended: what it had told the kernel may take place all the same; its locks are gone.
    func end() {
        guard let work = writer.running else { return }
        if !file.isLocked(for: work), world.random.below(3) == 0 { work.whenKilled?() }
        file.unlock(work)
        work.whenKilled = nil
        work.phase = .over
    }

    /// The schedule is over.
    func clear() {
        reader.clear()
        writer.clear()
    }
}
