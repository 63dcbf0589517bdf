import Glibc
import GroupSPI
import NFSLabSupport
import Store
import Testing

/// A real NFS server, and on each of its clients a manager of ours with the built-in plugin.
struct NFSWorld {
    let lab: NFSLab
    let hosts: [NFSHost]

    private static let turn = Turnstile(places: 1)

    /// Runs a lab for a test, with no other test beside it: its kernels take turns on few processors. One that does not start
    /// is no failure of what is tested.
    static func with(_ settings: NFSLab.Settings = .init(), _ body: (NFSWorld) async throws -> Void) async throws {
        await Self.turn.enter()
        defer { Self.turn.leave() }
        await Turnstile.tests.enterAlone()
        defer { Turnstile.tests.leaveAlone() }
        do {
            try await NFSLab.run(settings) { lab in
                let world = NFSWorld(lab: lab, hosts: lab.clients.map { NFSHost($0, lab) })
                do {
                    try await body(world)
                } catch {
                    for host in world.hosts { host.printLog() }
                    throw error
                }
            }
        } catch let trouble as NFSLab.Trouble where trouble.isAbsent {
            try Test.cancel("SKIPPED: \(trouble)")
        }
    }

    func host(_ name: String) throws -> NFSHost { try #require(hosts.first { $0.name == name }) }

    func others(than host: NFSHost) -> [NFSHost] { hosts.filter { $0.name != host.name } }

    /// Makes the store directory, and starts plugin and manager on every host: the first one leads.
    func startPrograms() async throws {
        let made = await hosts[0].run("mkdir", "-p", NFSHost.storeDirectory)
        try #require(made.status == 0, "\(made)")
        for host in hosts {
            try await host.startPrograms()
            try await leader()
        }
    }

    // MARK: - Leadership

    /// Waits for a host that leads and has read what stands, as it says itself.
    @discardableResult
    func leader(
        after epoch: Int = 0,
        within limit: Duration = .seconds(90),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Leader {
        try await eventually("somebody leads after \(epoch)", within: limit, sourceLocation: sourceLocation) {
            newestLeader(after: epoch)
        }
    }

    /// - Returns: nil when nobody leads by then.
    func nextLeader(after epoch: Int, within limit: Duration) async throws -> Leader? {
        try await found(within: limit) { newestLeader(after: epoch) }
    }

    private func newestLeader(after epoch: Int) -> Leader? {
        hosts.compactMap { host in
            host.leadership.map { Leader(host: host, epoch: $0.epoch, since: $0.since) }
        }.filter { $0.epoch > epoch }.max { $0.epoch < $1.epoch }
    }

    struct Leader {
        let host: NFSHost
        let epoch: Int
        let since: ContinuousClock.Instant
    }

    // MARK: - What is true at the end

    /// The history, from a copy that a host has made.
    func history(from host: NFSHost) async throws -> [Revision] {
        let backup = try await host.command("backup", "/root/copy.db")
        try #require(backup.status == 0, "\(backup)")
        var template = Array("/tmp/ik-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { Files.remove(folder) }
        let path = "\(folder)/\(StoreConfiguration.fileName)"
        try await lab.verb("pull", "\(host.name):/root/copy.db", path)
        _ = await host.run("rm", "/root/copy.db")
        let store = Store.openForCommand(StoreConfiguration(path: path))
        return try await store.history(HistoryQuery(), within: .seconds(20)).revisions.reversed()
    }

    /// What the writers of all hosts know of their writes.
    var ledger: Ledger {
        let ledger = Ledger()
        for answer in hosts.flatMap(\.answers) {
            ledger.note(answer.mark, answer.status == 0 ? nil : answer.message)
        }
        return ledger
    }

    /// The times in which plugins of two hosts had one group.
    var overlaps: [(Watch, Watch, Duration)] {
        let watches = hosts.flatMap(\.watches)
        return watches.indices.flatMap { first in
            watches[(first + 1)...].compactMap { other in
                watches[first].overlap(other).map { (watches[first], other, $0) }
            }
        }
    }
}

extension Revision {
    /// The marks that writers have given what it sets.
    var marks: [Int] {
        changes.compactMap { change in
            guard case .set(let properties, _) = change.action else { return nil }
            return JSONView(properties).member("Mark")?.int
        }
    }
}

extension LabResult {
    /// Its standard output, parsed.
    func json() throws -> JSONView {
        do {
            return try JSONView(Array(output.utf8))
        } catch {
            throw Trouble("no JSON: \(error)\n\(self)")
        }
    }
}

extension Trait where Self == ConditionTrait {
    static var nfsLab: Self {
        .enabled("there is an NFS lab here") {
            if let hindrance = NFSLab.hindrance { print("SKIPPED: NFS lab: \(hindrance)") }
            return NFSLab.hindrance == nil
        }
    }
}
