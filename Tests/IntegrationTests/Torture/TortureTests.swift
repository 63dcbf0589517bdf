import Glibc
import GroupSPI
import SmallFileSystems
import Store
import Testing

/// Three real managers, writers at each, and a nemesis, for as long as `TORTURE_SECONDS` says.
@Suite struct TortureTests {
    private static let seconds = number("TORTURE_SECONDS") ?? 20
    private static let seed = number("TORTURE_SEED").map(UInt64.init) ?? .random(in: 0...999_999)

    private static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }

    @Test func nothingAcknowledgedIsLostAndNoTwoPluginsAct() async throws {
        try await World.with { world in
            do {
                try await SmallFileSystem.with(.ext4, megabytes: 512, at: world.storeDirectory) { disk in
                    let nemesis = try await Nemesis(world, disk: disk, seed: Self.seed)
                    try await torture(nemesis)
                }
            } catch let absent as SmallFileSystem.Absent {
                try Test.cancel("SKIPPED: \(absent)")
            }
        }
    }

    private func torture(_ nemesis: Nemesis) async throws {
        let (world, hosts) = (nemesis.world, nemesis.hosts)
        try await nemesis.start()
        try await world.leader()
        let ledger = Ledger()
        var strikes: [Fault: Strikes] = [:]
        let end = ContinuousClock.now + .seconds(Self.seconds)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for writer in 0..<3 {
                tasks.addTask { try await ledger.write(writer, hosts, patience: .seconds(5)) }
            }
            tasks.addTask { try await readUntilOver(ledger, world) }
            do {
                while ContinuousClock.now < end {
                    let leader = try await world.leader()
                    let faults = try await nemesis.strike(leader)
                    let healed = ContinuousClock.now
                    let before = ledger.entries.acknowledged.count
                    try await eventually("writes succeed again after \(faults)", within: .seconds(60)) {
                        ledger.entries.acknowledged.count >= before + 3
                    }
                    for fault in faults { strikes[fault, default: Strikes()].add(ContinuousClock.now - healed) }
                    for host in hosts {
                        let manager = try host.manager
                        try #require(manager.isRunning, "\(host.name) ended with \(String(describing: manager.ending))")
                    }
                }
            } catch {
                print("torture: to try it again: make torture SEED=\(Self.seed)")
                ledger.end()
                throw error
            }
            ledger.end()
            try await tasks.waitForAll()
        }
        try await check(nemesis, ledger)
        report(strikes, ledger, try await world.lease().epoch)
    }

    /// Commands that read never crash, whatever goes on.
    private func readUntilOver(_ ledger: Ledger, _ world: World) async throws {
        while !ledger.isOver {
            for words in [["status", "-o", "json"], ["history", "-n", "5"], ["leadership"]] {
                let finished = try await world.run(
                    .manager,
                    words,
                    environment: [
                        "INFRAKIT_STORE_DIR": world.storeDirectory, "INFRAKIT_PLUGINS_DIR": "\(world.path)/none",
                    ]
                )
                #expect([0, 3, 4, 5].contains(finished.status), "\(finished)")
            }
        }
    }

    private func check(_ nemesis: Nemesis, _ ledger: Ledger) async throws {
        let world = nemesis.world
        let history = try await world.history()
        #expect(history.map(\.number) == Array(1...history.count))
        #expect(history.map(\.epoch) == history.map(\.epoch).sorted(), "one of an old term after one of a new")
        ledger.expectAllOf(history)
        let terms = try await world.store.terms(within: .seconds(20)).map(\.epoch)
        #expect(terms == Array(Set(terms)).sorted(by: >), "epochs do not rise: \(terms)")
        let verdict = try await world.manager("verify")
        #expect(verdict.status == 0, "\(verdict)")

        // What stands is what the leader's plugin has, and nobody else has any of it.
        let standing = try await world.store.standing(within: .seconds(20)).states.compactMap(\.spec?.spec)
        let leader = try await world.leader()
        try await eventually("the leader's plugin has what stands, and the others nothing") {
            standing.allSatisfy { leader.plugin.spec(of: $0.id) == $0 }
                && nemesis.hosts.allSatisfy { $0.name == leader.name || $0.plugin.watched.isEmpty }
        }
    }

    private func report(_ strikes: [Fault: Strikes], _ ledger: Ledger, _ epoch: Int) {
        let entries = ledger.entries
        print(
            "torture: seed \(Self.seed), \(Self.seconds) s, \(epoch) terms: \(entries.acknowledged.count) commits "
                + "acknowledged, \(entries.recorded.count) recorded, \(entries.refused.count) refused, "
                + "\(entries.unknown.count) unknown"
        )
        for (fault, strikes) in strikes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            print("torture: \(fault.rawValue): \(strikes)")
        }
    }
}

/// How often a fault was made, and how long it was until three more writes were acknowledged.
private struct Strikes: CustomStringConvertible {
    private var times: [Duration] = []

    mutating func add(_ time: Duration) { times.append(time) }

    var description: String {
        let longest = times.max() ?? .zero
        return "\(times.count) times, writes again at most \(longest / 1_000_000 * 1_000_000) after its end"
    }
}
