internal import GroupSPI
internal import Manager
internal import SeededRandom
internal import Store

/// A command that asks the leader for something, as a process of its own on any host: with the real client, which may be killed,
/// interrupted, stopped and suspended like any other.
final class SimulatedCommand: @unchecked Sendable {
    /// What its user is told.
    enum Told {
        case carriedOut(revision: Int?)
        case refused(String)
        /// Nothing was changed.
        case nothing
        /// It may still be carried out.
        case unknown(revision: Int?)
    }

    let request: Request
    private let world: World
    private let process: SimulatedProcess
    private let store: any RequestStore
    /// The shared file, in os mode.
    private let file: SimulatedStore?
    /// Its node's copy, in swarm mode.
    private let copy: SimulatedReplicaFile?
    private let host: SimulatedHost
    /// True times, in nanoseconds.
    private(set) var askedAt = 0
    private(set) var toldAt: Int?
    /// When its process ended without having been told.
    private(set) var diedAt: Int?
    private(set) var told: Told?

    init(_ world: World, _ kind: Request.Kind, id: String, author: Caller) {
        self.world = world
        host = world.hosts[world.random.below(world.hosts.count)]
        process = world.makeProcess("command \(id)", on: host)
        if world.plan.isSwarm {
            let here = world.replicas.filter { [host] in $0.host === host }
            let disk = (here.randomElement(using: &world.random) ?? world.replicas[0]).disk
            let copy = SimulatedReplicaFile(world, disk, "the copy of \(host.name)")
            (file, self.copy) = (nil, copy)
            store = copy
        } else {
            let file = SimulatedStore(world, process, host)
            (self.file, copy) = (file, nil)
            store = file
        }
        let ttl = world.plan.election.ttl
        let patience = [ttl / 3, ttl, ttl * 4][world.random.below(3)]
        request = Request(
            id: id,
            kind: kind,
            author: author,
            time: host.wallTime,
            patience: patience.milliseconds
        )
        process.whenEnded { [self] in
            file?.end()
            if told == nil { diedAt = world.scheduler.now }
        }
    }

    func begin() {
        guard !host.isOff else { return process.end() }
        world.scheduler.plan(after: 1, for: process) { [self] in
            askedAt = world.scheduler.now
            process.start { [self] in
                let told = await ask()
                guard !process.isOver else { return }
                finish(told)
            }
        }
        let length = request.patience * 1_000_000
        switch world.random.below(6) {
        // By `kill -9`, or for lack of memory.
        case 0, 1: world.scheduler.plan(after: world.random.below(length), for: world.scheduler.world) { self.die() }
        case 2: world.scheduler.plan(after: world.random.below(length), for: process) { self.process.interruptTasks() }
        default: break
        }
    }

    /// Neither has it ended, nor has its user been told.
    var isWaiting: Bool { told == nil && diedAt == nil }

    func hasSeenMore(than lease: Lease) -> Bool {
        guard let sighted = file?.sighted ?? copy?.sighted else { return false }
        return (lease.epoch, lease.sequence) < (sighted.epoch, sighted.sequence)
    }

    private func finish(_ told: Told) {
        (self.told, toldAt) = (told, world.scheduler.now)
        world.trace.note(world.scheduler.now, process) { "\(self.request.author.user ?? "") is told: \(told)" }
        // Its end is not its own doing.
        world.scheduler.plan(after: 1, for: world.scheduler.world) { self.process.end() }
    }

    private func die() {
        guard told == nil, !process.isEnded else { return }
        world.note("command \(request.id) is killed")
        process.end()
    }

    private func ask() async -> Told {
        let clock = SimulatedClock(process: process, host: host)
        guard world.broken != .troubleIsRefusal else { return await askImpatiently(clock) }
        let client = RequestClient(store, clock: clock, within: .seconds(20)) { [self] in tellLeader() }
        switch await client.ask(request, for: .milliseconds(request.patience)) {
        case .carriedOut(let request, _): return .carriedOut(revision: request.revision)
        case .refused(let words): return .refused(words)
        case .nothing: return .nothing
        case .unknown(let unknown): return .unknown(revision: unknown.revision)
        }
    }

    /// Takes trouble while it waits for a refusal.
    private func askImpatiently(_ clock: SimulatedClock) async -> Told {
        let deadline = clock.now() + .milliseconds(request.patience)
        do {
            try await store.submit(request, within: .seconds(20))
            while clock.now() < deadline {
                let sight = try await store.sight(of: request, within: .seconds(20))
                if sight.request?.state == .done { return .carriedOut(revision: sight.request?.revision) }
                try? await clock.sleep(until: clock.now() + .milliseconds(50))
            }
            if try await store.cancelRequest(request.id, within: .seconds(20)) { return .nothing }
            return .unknown(revision: nil)
        } catch {
            return error.code == .unknownOutcome ? .unknown(revision: nil) : .nothing
        }
    }

    /// As a command on the leader's host does.
    private func tellLeader() -> Bool {
        guard let replica = world.replicas.first(where: { $0.manager?.actingEpoch != nil }), replica.host === host,
            let manager = replica.manager
        else { return false }
        world.scheduler.plan(after: 50_000, for: manager.process) {
            manager.process.start { _ = await manager.runtime.proxy.lookForRequests() }
        }
        return true
    }

    func clear() { file?.clear() }
}
