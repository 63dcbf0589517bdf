import Glibc
import SeededRandom
import SmallFileSystems
import Testing

/// Three hosts with a manager and a plugin each, and what goes wrong there.
final class Nemesis {
    /// A lease of three seconds: faults that outlast it need not last long.
    private static let words = ["--lease-ttl", "3s", "--poll-interval", "250ms"]

    let world: World
    let hosts: [Host]
    private let disk: SmallFileSystem
    private var clocks: [String: WallClock] = [:]
    private var random: SeededGenerator

    init(_ world: World, disk: SmallFileSystem, seed: UInt64) async throws {
        self.world = world
        self.disk = disk
        random = SeededGenerator(seed)
        var hosts: [Host] = []
        for name in ["n1", "n2", "n3"] {
            hosts.append(try await world.host(name))
            clocks[name] = try WallClock(path: "\(world.path)/\(name).clock")
        }
        self.hosts = hosts
    }

    func start() async throws {
        for host in hosts { try await start(host) }
    }

    private func start(_ host: Host) async throws {
        try await host.startManager(Self.words, environment: clocks[host.name]?.environment ?? [:])
    }

    // MARK: - What goes wrong

    /// One fault, or two at once, mostly of the leader; how long; and then everything is well again.
    ///
    /// - Parameter leader: who leads.
    /// - Returns: what it was.
    func strike(_ leader: Host) async throws -> [Fault] {
        var strikes = [try choose(leader)]
        if random.below(3) == 0 {
            let second = try choose(leader)
            let faults = Set([strikes[0].fault, second.fault])
            // A manager that is lost together with its guard leaves its groups with the plugin (docs/lease.md).
            let losesAll = faults.contains(.guardKill) && !faults.isDisjoint(with: [.kill, .killAll, .standstill])
            if faults.count == 2, !losesAll { strikes.append(second) }
        }
        for (fault, host) in strikes { try await inject(fault, host) }
        // How long the fault lasts: shorter than a lease, or longer.
        try await Task.sleep(for: .milliseconds(random.within(200...4500)), clock: .suspending)
        for (fault, host) in strikes { try await remedy(fault, host) }
        for host in hosts {
            try await eventually("\(host.name) serves its socket") { Files.exists("\(host.directory)/group") }
        }
        return strikes.map(\.fault)
    }

    private func choose(_ leader: Host) throws -> (fault: Fault, host: Host) {
        let fault = try #require(Fault.allCases.randomElement(using: &random))
        let host = random.below(3) == 0 ? hosts[random.below(hosts.count)] : leader
        return (fault, host)
    }

    private func inject(_ fault: Fault, _ host: Host) async throws {
        switch fault {
        case .kill: try await host.manager.crash()
        case .killAll: for host in hosts { try await host.manager.crash() }
        case .standstill: try host.manager.send(SIGSTOP)
        case .guardKill: for guardian in host.guards { Glibc.kill(guardian, SIGKILL) }
        case .clockForward: try clocks[host.name]?.jump(by: random.within(1...100_000))
        case .clockBack: try clocks[host.name]?.jump(by: -random.within(1...100_000))
        case .fullDisk: try disk.fill()
        case .pluginKill: await host.plugin.die()
        case .socketRemoval: Files.remove("\(host.directory)/group")
        }
    }

    private func remedy(_ fault: Fault, _ host: Host) async throws {
        switch fault {
        case .kill: if try !host.manager.isRunning { try await start(host) }
        case .killAll: for host in hosts where try !host.manager.isRunning { try await start(host) }
        case .standstill: try host.manager.send(SIGCONT)
        // A clock that is wrong stays so until it jumps again; the rest is the manager's to mend.
        case .guardKill, .clockForward, .clockBack, .socketRemoval: break
        case .fullDisk: disk.makeRoom()
        case .pluginKill: try await host.plugin.start()
        }
    }
}
