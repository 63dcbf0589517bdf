internal import GroupSPI
internal import Logging
internal import Manager
internal import Replication
internal import Store

/// One replica: its place, its plugin, and its manager, which may be started again and again.
final class SimulatedReplica: @unchecked Sendable {
    let name: String
    let host: SimulatedHost
    let plugin: SimulatedPlugin
    /// Its copy, in swarm mode.
    let disk: SimulatedDisk
    private unowned let world: World
    private var starts = 0
    private(set) var manager: SimulatedManager?
    private var stores: [SimulatedStore] = []
    private var stoppedGuards: [SimulatedProcess] = []
    /// The process whose manager opens its copy.
    private var beginning: SimulatedProcess?

    init(_ name: String, _ world: World, _ host: SimulatedHost) {
        self.name = name
        self.world = world
        self.host = host
        plugin = SimulatedPlugin(name, world, host)
        disk = SimulatedDisk(host)
    }

    private var lockPath: String { "/plugins/\(name)/.group.guard" }

    func start() {
        guard manager == nil, beginning?.isEnded ?? true, !host.isSuspended, !host.isOff else { return }
        // One that starts on an older copy before any that knows better has looked cannot know.
        guard !world.file.isUnnoticed else {
            return world.scheduler.plan(after: 100_000_000, for: world.scheduler.world) { [self] in start() }
        }
        if world.file.isLost {
            // It says so and ends; whatever has started it does so again.
            guard world.broken == .lostIsNew else {
                return world.scheduler.plan(after: 100_000_000, for: world.scheduler.world) { [self] in start() }
            }
            world.file.takeForNew()
        }
        starts += 1
        let process = world.makeProcess(name, on: host)
        world.note("\(name) starts, process \(process.pid)")
        guard let swarm = world.swarm, let node = swarm.node(on: host) else {
            let store = SimulatedStore(world, process, host)
            stores.append(store)
            world.scheduler.act(as: process) {
                manager = makeManager(process, candidate(process), on: store, file: store) { _ in nil }
            }
            return
        }
        beginning = process
        world.scheduler.act(as: process) { begin(process, swarm, node) }
    }

    /// As `infrakit-manager swarm` does.
    private func begin(_ process: SimulatedProcess, _ swarm: SimulatedSwarm, _ node: SimulatedSwarm.Node) {
        let candidate = candidate(process)
        process.start { [unowned self] in
            do throws(StoreError) {
                let store = try await world.openSwarmStore(of: self, process, swarm, node) {
                    self.isGone($0, seenBy: candidate)
                }
                guard !process.isOver else { return }
                beginning = nil
                manager = makeManager(process, candidate, on: store, file: nil) { store.takeoverReason($0) }
            } catch {
                preconditionFailure("\(error)")
            }
        }
    }

    private func candidate(_ process: SimulatedProcess) -> Candidate {
        Candidate(
            id: ReplicaID(Identifier(name))!,
            instance: "\(name)#\(starts)",
            process: ProcessIdentity(
                host: Identifier(host.name),
                bootID: host.bootID,
                pidNamespace: "1",
                pid: process.pid,
                startTime: process.pid
            ),
            socket: "/run/\(name)",
            pluginSocket: "/plugins/\(name)",
            guardLock: lockPath
        )
    }

    /// - Parameters:
    ///   - file: the store, where it is the shared file.
    ///   - takeoverReason: what the store says of who may take the lease over.
    private func makeManager(
        _ process: SimulatedProcess,
        _ candidate: Candidate,
        on store: any StateStore,
        file: SimulatedStore?,
        takeoverReason: @escaping @Sendable (Lease) -> String?
    ) -> SimulatedManager? {
        var made: SimulatedGuard?
        var managerDependencies =
            world.broken?.managerDependencies(SimulatedClock(process: process, host: host)) ?? ManagerDependencies()
        managerDependencies.seed = world.random.next()
        managerDependencies.makeRequestID = { [world] in world.users.makeRequestID() }
        if world.broken?.hasNoDeadline != true {
            managerDependencies.makeDeadline = { [host] action in SimulatedDeadline(process, host, action) }
        }
        do {
            let runtime = try ManagerRuntime(
                ManagerConfiguration(candidate: candidate, election: world.plan.election, term: world.plan.term),
                store: store,
                plugin: PluginConnection(world, plugin, process, host),
                clock: SimulatedClock(process: process, host: host),
                logger: world.logger(process),
                takeoverReason: { [unowned self] in
                    file == nil ? takeoverReason($0) : self.takeoverReason($0, seenBy: candidate)
                },
                managerDependencies: managerDependencies,
                makeHolderMonitor: { [unowned self] ended in
                    SimulatedLeaseHolderMonitor(
                        world,
                        process,
                        host,
                        seenFrom: candidate.process,
                        isGone: { [unowned self] in isGone($0, seenBy: candidate) },
                        ended: ended
                    )
                },
                makeGuard: { inhibit in
                    let orphanGuard = SimulatedGuard(world, process, host, inhibit)
                    made = orphanGuard
                    return orphanGuard
                }
            )
            guard let orphanGuard = made else { return nil }
            let lock = host.locks[lockPath] ?? LocalLock()
            host.locks[lockPath] = lock
            orphanGuard.start(plugin, lock: lock)
            process.start { [unowned self] in
                await runtime.run()
                // Its end is not its own doing.
                world.scheduler.plan(after: 1, for: world.scheduler.world) { self.end(process) }
            }
            return SimulatedManager(
                process: process,
                candidate: candidate,
                runtime: runtime,
                file: file,
                orphanGuard: orphanGuard
            )
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private func takeoverReason(_ lease: Lease, seenBy candidate: Candidate) -> String? {
        guard lease.isHeld else { return "released" }
        return isGone(lease, seenBy: candidate) ? "the process of \(lease.holder) has ended" : nil
    }

    /// As the real probe finds it: only what runs on this boot of this host can be seen.
    private func isGone(_ lease: Lease, seenBy candidate: Candidate) -> Bool {
        guard lease.isHeld else { return false }
        switch world.broken {
        case .wallClocksCompared: return lease.expiresAt < host.wallTime
        case .deadHolderAcrossHosts: return host.process(lease.process.pid) == nil
        default: break
        }
        guard candidate.process.canSee(lease.process), host.process(lease.process.pid) == nil else { return false }
        guard let lock = host.locks[lease.guardLock], !lock.isFree else { return true }
        return lock.holder === manager?.orphanGuard.process
    }

    // MARK: - Its end

    /// The manager's process ends, by itself or killed.
    func end(_ process: SimulatedProcess? = nil) {
        guard let manager, process == nil || process === manager.process else { return }
        world.note("\(name) ends, process \(manager.process.pid)")
        manager.process.end()
        manager.file?.end()
        manager.orphanGuard.managerEnded()
        self.manager = nil
        // An order to stop from before, carried out only now: it does not stay away.
        guard world.faults.calmSince != nil else { return }
        world.scheduler.plan(after: 1_000_000, for: world.scheduler.world) { [self] in start() }
    }

    /// Its host is without power.
    func crash() {
        if let manager {
            manager.process.end()
            manager.file?.end()
        }
        manager = nil
        beginning?.end()
        plugin.end()
    }

    func stop() {
        guard let manager, manager.process.isRunnable else { return }
        manager.process.stop()
        manager.file?.stop()
    }

    func goOn() {
        guard let manager, manager.process.isStopped else { return }
        manager.process.goOn()
        manager.file?.goOn()
        world.scheduler.revive(manager.process)
    }

    func stopGuard() {
        guard let process = manager?.orphanGuard.process, process.isRunnable else { return }
        process.stop()
        stoppedGuards.append(process)
    }

    /// Also of managers that have ended meanwhile.
    func letGuardsGoOn() {
        for process in stoppedGuards {
            process.goOn()
            world.scheduler.revive(process)
        }
        stoppedGuards = []
    }

    func clear() {
        for store in stores { store.clear() }
        (stores, stoppedGuards, manager) = ([], [], nil)
        plugin.end()
    }
}

/// One run of a manager.
struct SimulatedManager {
    let process: SimulatedProcess
    let candidate: Candidate
    let runtime: ManagerRuntime
    /// The shared file as it sees it; nil in swarm mode.
    let file: SimulatedStore?
    let orphanGuard: SimulatedGuard

    /// The epoch in which it acts, as it believes; nil when it does not, or cannot.
    var actingEpoch: Int? { process.isRunnable ? runtime.actingEpoch : nil }
}
