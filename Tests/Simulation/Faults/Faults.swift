internal import Manager
internal import ManagerModels
internal import SeededRandom
internal import Store

/// Makes things go wrong, until it is enough; then puts everything right.
final class Faults {
    private unowned let world: World
    private let kinds: [Fault]
    private(set) var count = 0
    /// When everything was put right; nil before.
    private(set) var calmSince: Int?

    init(_ world: World) {
        self.world = world
        kinds = Fault.allCases.filter(world.plan.faults.contains)
    }

    func begin() {
        planNext()
        world.scheduler.plan(at: world.plan.calmAt, for: world.scheduler.world) { [self] in calmDown() }
    }

    private func planNext() {
        later(upTo: 2 * world.plan.faultInterval) { [self] in
            strike(kinds[world.random.below(kinds.count)])
            planNext()
        }
    }

    /// Does something unless everything is to be right by then.
    private func later(upTo delay: Int, _ action: @escaping () -> Void) {
        world.scheduler.plan(after: world.random.below(delay), for: world.scheduler.world) { [self] in
            if calmSince == nil { action() }
        }
    }

    private var leader: SimulatedReplica? { world.replicas.first { $0.manager?.actingEpoch != nil } }

    /// Rather where it hurts.
    private func victim() -> SimulatedReplica {
        if world.random.below(2) == 0, let leader { return leader }
        return world.replicas[world.random.below(world.replicas.count)]
    }

    /// Now, or amid the manager's work: between two of its jobs, between which it expects nothing to happen.
    private func interrupt(_ replica: SimulatedReplica, _ action: @escaping () -> Void) {
        guard world.random.below(3) > 0, let process = replica.manager?.process else { return action() }
        process.interrupt(afterJobs: 1 + world.random.below(60)) { [self] in
            if calmSince == nil, !process.isEnded { action() }
        }
    }

    private func strike(_ fault: Fault) {
        let replica = victim()
        let ttl = world.plan.election.ttl.wholeNanoseconds
        count += 1
        if kinds.contains(.olderCopy) { world.file.keepCopy() }
        world.note("\(fault) \(replica.name)")
        switch fault {
        case .kill:
            interrupt(replica) { [self] in
                replica.end()
                later(upTo: ttl * 2) { replica.start() }
            }
        case .killAtAnswer:
            world.users.whenAcknowledged = { [self] process in
                guard calmSince == nil else { return }
                later(upTo: 20_000_000) { [self] in
                    guard let leader = world.replicas.first(where: { $0.manager?.process === process }) else { return }
                    leader.end()
                    later(upTo: ttl * 2) { leader.start() }
                }
            }
        case .pause:
            interrupt(replica) { [self] in
                replica.stop()
                later(upTo: ttl * 5 / 2) { replica.goOn() }
            }
        case .pauseGuard:
            replica.stopGuard()
            later(upTo: ttl * 5 / 2) { replica.letGuardsGoOn() }
        case .orderlyStop:
            guard let manager = replica.manager else { return }
            world.scheduler.plan(after: 1, for: manager.process) { manager.runtime.stop() }
            later(upTo: ttl * 3) { replica.start() }
        case .suspend:
            interrupt(replica) { [self] in
                replica.host.suspend()
                later(upTo: ttl * 5 / 2) { replica.host.resume() }
            }
        case .powerCut: cutPower(replica.host, ttl)
        case .wallClockJump: replica.host.wallOffset += world.random.within(-20_000...20_000)
        case .olderCopy: putOlderCopy(ttl)
        case .lostFile: loseFile(ttl)
        case .strangeLabel, .cutEngine, .hangingEngine, .movedOffice, .touchedSwarm, .damagedCopy:
            if let swarm = world.swarm { strike(fault, swarm, replica, ttl) }
        case .busyStore: storage(replica.host, ttl) { $0.busy = 500 }
        case .slowStore:
            storage(replica.host, ttl) { weather in
                weather.latency = ttl * 3 / 4
                weather.answerLatency = ttl * 3 / 4
            }
        case .fadingStore: fade((leader ?? replica).host, ttl)
        case .failingStore: storage(replica.host, ttl) { $0.failure = 300 }
        case .ambiguousStore: storage(replica.host, ttl) { $0.ambiguity = 400 }
        case .hangingStore: storage(replica.host, ttl) { $0.hanging = 300 }
        case .slowPlugin: plugin(replica, ttl) { $0.latency = ttl / 3 }
        case .refusingPlugin: plugin(replica, ttl) { $0.refusal = 400 }
        case .haltingPlugin: plugin(replica, ttl) { $0.halt = 400 }
        case .lossyPlugin: plugin(replica, ttl) { $0.loss = 300 }
        case .unreadablePlugin: plugin(replica, ttl) { $0.isUnreadable = true }
        case .deafPlugin:
            let group = world.users.groups[world.random.below(world.users.groups.count)]
            plugin(replica, ttl) { $0.deafTo = group }
            for _ in 0..<6 { later(upTo: ttl) { [self] in world.users.ask(about: group) } }
        case .awayPlugin: plugin(replica, ttl) { $0.isAway = true }
        case .stillPlugin: plugin(replica, ttl) { $0.isStill = true }
        case .forgetfulPlugin:
            replica.plugin.end()
            replica.plugin.start()
        case .crashingPlugin:
            replica.plugin.end()
            later(upTo: ttl) { replica.plugin.start() }
        }
    }

    private func strike(_ fault: Fault, _ swarm: SimulatedSwarm, _ replica: SimulatedReplica, _ ttl: Int) {
        switch fault {
        case .cutEngine, .hangingEngine:
            guard let node = swarm.node(on: replica.host) else { return }
            swarm.set(fault == .cutEngine ? .cut : .hanging, on: node)
            later(upTo: ttl * 3) { swarm.set(.none, on: node) }
        case .movedOffice: swarm.moveOffice()
        case .touchedSwarm: swarm.touch()
        case .damagedCopy:
            // What one alone knows would be gone with it.
            if !swarm.isLost { replica.disk.isDamaged = true }
        default: swarm.strike(world.replicas.map(\.disk))
        }
    }

    private func putOlderCopy(_ ttl: Int) {
        let managers = world.replicas.compactMap(\.manager?.file)
        guard leader != nil, world.file.replace(knownTo: managers, and: world.users.waitingCommands) else { return }
        world.note("an older copy is in the place of the file")
        // At once, before all have looked; or when they have.
        later(upTo: world.random.below(2) == 0 ? ttl / 2 : ttl * 3) { [self] in decide() }
    }

    private func loseFile(_ ttl: Int) {
        guard world.file.lose() else { return }
        world.note("the file is gone")
        later(upTo: ttl * 2) { [self] in
            guard world.file.isLost else { return }
            world.file.putBack()
            // Or somebody has a new one begun, and managers still run that have seen the lost one.
            let managers = world.replicas.compactMap(\.manager?.file)
            guard world.random.below(2) == 0,
                world.file.beginAnew(knownTo: managers, and: world.users.waitingCommands)
            else { return world.note("the file is put back") }
            world.note("a new file is in the place of the lost one")
            later(upTo: ttl * 3) { [self] in decide() }
        }
    }

    /// A person finds out. What nobody has noticed yet nobody has acted on.
    private func decide() {
        world.file.putBack()
        world.file.decide(accepting: world.random.below(2) == 0)
        world.note("the file: epoch \(world.file.model.lease.epoch), revision \(world.file.model.revisions.count)")
    }

    private func cutPower(_ host: SimulatedHost, _ ttl: Int) {
        let replicas = world.replicas.filter { $0.host === host }
        for replica in replicas { replica.crash() }
        host.crash()
        later(upTo: ttl * 2) { [self] in boot(host, replicas) }
    }

    private func boot(_ host: SimulatedHost, _ replicas: [SimulatedReplica]) {
        guard host.isOff else { return }
        host.reboot(offset: world.random.within(1...100) * 1_000_000_000)
        for replica in replicas {
            replica.plugin.start()
            replica.start()
        }
    }

    private func storage(_ host: SimulatedHost, _ ttl: Int, _ change: @escaping (inout StorageWeather) -> Void) {
        // The file itself has trouble, or one host's way to it.
        let hosts = world.random.below(2) == 0 ? world.hosts : [host]
        for host in hosts { change(&host.storage) }
        later(upTo: ttl * 2) {
            for host in hosts { host.clearUp() }
        }
    }

    /// One host's way to the file: answers come late, then none, for long enough that another replica takes over.
    private func fade(_ host: SimulatedHost, _ ttl: Int) {
        host.storage.answerLatency = ttl * 3 / 5
        later(upTo: ttl * 3 / 4) { [self] in
            host.storage.hanging = 1000
            later(upTo: ttl * 3) { host.clearUp() }
        }
    }

    private func plugin(_ replica: SimulatedReplica, _ ttl: Int, _ change: @escaping (inout PluginWeather) -> Void) {
        change(&replica.plugin.weather)
        later(upTo: ttl * 2) { replica.plugin.weather = .calm }
    }

    /// Nothing is wrong any more.
    private func calmDown() {
        calmSince = world.scheduler.now
        world.note("calm")
        decide()
        world.swarm?.calmDown(world.replicas.map(\.disk))
        for host in world.hosts {
            host.clearUp()
            boot(host, [])
            host.resume()
        }
        for replica in world.replicas {
            replica.plugin.start()
            replica.plugin.weather = .calm
            replica.goOn()
            replica.letGuardsGoOn()
            replica.start()
        }
    }
}
