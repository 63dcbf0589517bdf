import Glibc
import GroupSPI
import Store
import Testing

/// What never returns: a terminal that was stopped, a pipe that nobody reads, a guard that stands still, a reply that cannot be read.
@Suite struct StandstillTests {
    /// Where a program's standard error goes, and nothing of it is ever taken.
    enum Sink: CaseIterable {
        /// A terminal, and somebody has pressed Ctrl-S.
        case terminal
        case pipe
    }

    /// Keeps the other end open for as long as a test runs.
    private final class Stopped {
        private let descriptor: Int32
        private let links: [String]

        /// - Parameter files: the paths at which the program finds it.
        init(_ sink: Sink, at files: [String]) throws {
            links = files
            switch sink {
            case .terminal:
                descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
                var (locked, number) = (Int32(0), Int32(0))
                // TIOCSPTLCK and TIOCGPTN, which Swift does not import.
                try #require(ioctl(descriptor, 0x4004_5431, &locked) == 0)
                try #require(ioctl(descriptor, 0x8004_5430, &number) == 0)
                let name = "/dev/pts/\(number)"
                let other = open(name, O_RDWR | O_NOCTTY)
                defer { close(other) }
                #expect(write(descriptor, "\u{13}", 1) == 1)
                for file in files { try #require(symlink(name, file) == 0) }
            case .pipe:
                let path = "\(files[0]).pipe"
                try #require(mkfifo(path, 0o600) == 0)
                descriptor = open(path, O_RDWR | O_NONBLOCK)
                let bytes = [UInt8](repeating: 0x2E, count: 4096)
                while write(descriptor, bytes, bytes.count) > 0 {}
                for file in files { try #require(symlink(path, file) == 0) }
            }
        }

        /// Whoever looked into them would wait, too.
        deinit {
            for link in links { unlink(link) }
            close(descriptor)
        }
    }

    private func withStoppedLog(_ sink: Sink, _ body: (World, Host) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let stopped = try Stopped(sink, at: (1...3).map { "\(world.path)/n1-manager-\($0).err" })
            defer { withExtendedLifetime(stopped) {} }
            _ = try n1.launchManager()
            try await eventually("n1 leads") {
                do {
                    return try await world.lease().holder == "n1"
                } catch let error as StoreError where [.missing, .empty].contains(error.code) {
                    // Until its first transaction is over there is no file, or nothing in it.
                    return false
                }
            }
            try await eventually("it takes writes") {
                try await n1.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 1).json.raw.text).status == 0
            }
            for size in 2...30 { try await n1.commit("a", size) }
            try await body(world, n1)
        }
    }

    @Test(arguments: Sink.allCases) func aLogThatStandsStillHoldsNothingUp(_ sink: Sink) async throws {
        try await withStoppedLog(sink) { world, n1 in
            let sequence = try await world.lease().sequence
            try await eventually("it renews") { try await world.lease().sequence > sequence + 3 }
            try await n1.commit("b", 1)
            try n1.manager.send(SIGTERM)
            #expect(try await n1.manager.end() == .exit(0))
            #expect(n1.plugin.watched.isEmpty)
            #expect(try await world.lease().holder == "")
        }
    }

    /// The guard logs to the same terminal, and frees all the same.
    @Test(arguments: Sink.allCases) func theGuardFreesWhateverItsLogDoes(_ sink: Sink) async throws {
        try await withStoppedLog(sink) { _, n1 in
            try n1.manager.send(SIGKILL)
            try await eventually("its groups are free") { n1.plugin.watched.isEmpty }
            try await eventually("its guard has ended") { n1.guards.isEmpty }
        }
    }

    /// Past its last deadline, while its manager renews: what waits in its pipe says so.
    @Test func aGuardThatAloneStoodStillLetsAHealthyLeaderBe() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            // Before a ttl is over no other takes its place.
            try await n1.startManager(["--lease-ttl", "60s", "--renew-deadline", "2s", "--poll-interval", "250ms"])
            try await world.leader(is: n1)
            for group in ["a", "b"] as [Identifier] { try await n1.commit(group, 1) }
            let orphanGuard = try #require(n1.guards.first)
            for _ in 0..<4 {
                kill(orphanGuard, SIGSTOP)
                let sequence = try await world.lease().sequence
                // Longer than the renew deadline.
                try await eventually("the leader renews") { try await world.lease().sequence > sequence + 12 }
                kill(orphanGuard, SIGCONT)
                try await eventually("it renews on") { try await world.lease().sequence > sequence + 16 }
            }
            #expect(n1.plugin.watched == ["a", "b"])
            #expect(world.journal.of("n1").allSatisfy { !$0.request.isFree }, "it let them go")
            #expect(try await world.lease().epoch == 1)
            // It still does what it is there for.
            try n1.manager.send(SIGKILL)
            try await eventually("its groups are free") { n1.plugin.watched.isEmpty }
        }
    }

    /// A leader that were killed now would leave its groups behind. So another takes its place, in a moment: the leader goes on.
    @Test(arguments: ["stop", "kill"]) func aGuardIsReplacedWhileItsLeaderGoesOn(_ how: String) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager(["--lease-ttl", "6s", "--renew-deadline", "4s", "--poll-interval", "250ms"])
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            let orphanGuard = try #require(n1.guards.first)
            kill(orphanGuard, how == "stop" ? SIGSTOP : SIGKILL)
            try await eventually("another has taken its place") { n1.guards.count == 1 && n1.guards != [orphanGuard] }
            #expect(n1.logs(how == "stop" ? "orphan guard stands still" : "orphan guard ended"))
            try await n1.commit("b", 1)
            let sequence = try await world.lease().sequence
            try await eventually("the leader renews") { try await world.lease().sequence > sequence + 4 }
            #expect(try await world.lease().epoch == 1)
            #expect(world.journal.of("n1").allSatisfy { !$0.request.isFree }, "it let them go")
            // It knows what the first one was told.
            try n1.manager.send(SIGKILL)
            try await eventually("its groups are free") { n1.plugin.watched.isEmpty }
        }
    }

    /// The file of the lock at which the guard of the next start waits.
    @Test func aLockFileThatIsRemovedIsMadeAnew() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            n1.plugin.hang(on: "a")
            let lock = "\(n1.directory)/.group.lock/guard"
            for _ in 0..<2 {
                Files.remove(lock)
                try await eventually("it is there again") { Files.exists(lock) }
            }
            // Just before the end: there is no renewal any more at which it would be noticed.
            try n1.manager.send(SIGSTOP)
            Files.remove(lock)
            try await n1.manager.crash()
            try await eventually("its guard lets go") { n1.plugin.waitingCount == 1 }
            try await n1.startManager()
            try await eventually("the next manager waits") {
                let status = try await n1.command("status", "-o", "json").json()
                return status.at("replica", "reason")?.string?.contains("waits for its orphan guard") == true
            }
            n1.plugin.release()
            try await world.leader(is: n1, after: 1)
            try await eventually("n1 watches it") { n1.plugin.watched == ["a"] }
        }
    }

    /// A plugin whose list of groups nobody can read.
    @Test func lettingGoDoesNotDependOnReading() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let n2 = try await world.host("n2")
            try await n2.startManager()
            for group in ["a", "b", "c"] as [Identifier] { try await n1.commit(group, 1) }
            let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
            let unreadable = GroupSpec(id: "foreign", properties: RawJSON(checked: Array(deep.utf8)))
            for host in [n1, n2] { host.plugin.seed(unreadable) }
            let status = try await n1.command("status", "-o", "json").json()
            #expect(status.at("plugin", "reachable")?.bool == true, "\(status.raw)")

            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 watches all") { n2.plugin.watched == ["a", "b", "c", "foreign"] }
            #expect(n1.plugin.watched == ["foreign"])
            try await eventually("n1's guard has ended") { n1.guards.isEmpty }

            // A start, a hand-over and an orderly stop do not depend on it either.
            try await n1.startManager()
            try await n1.waitUntilFollowing(n2)
            #expect(try await world.manager("step-down").status == 0)
            try await world.leader(is: n1)
            try await eventually("n1 watches all") { n1.plugin.watched == ["a", "b", "c", "foreign"] }
            #expect(n2.plugin.watched == ["foreign"])
            try n1.manager.send(SIGTERM)
            try await n1.manager.expectEnd(.exit(0))
            #expect(n1.plugin.watched == ["foreign"])
        }
    }

    /// More than one request may be: it is taken, given back, exported and imported, and let go.
    @Test func whatWasAcceptedIsRead() async throws {
        let seldom = Host.patient + ["--reconcile-interval", "60s"]
        let text = String(repeating: "x", count: 600_000)
        let groups = (1...30).map { #"{"ID":"g\#($0)","Properties":{"Text":"\#(text)"}}"# }
        let names = Set((1...30).map { Identifier("g\($0)") })
        var exported = ""
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager(seldom)
            try await world.leader(is: n1)
            let file = "[\(groups.joined(separator: ","))]"
            let committed = try await world.manager("commit", "-", "--wait", "60s", input: file)
            #expect(committed.status == 0, "\(committed.status) \(committed.errors)")
            #expect(n1.plugin.watched == names)
            exported = try await world.manager("export").output
            #expect(exported.utf8.count > 17_000_000)
            let status = try await n1.command("status", "-o", "json").json()
            #expect(status.at("plugin", "reachable")?.bool == true, "\(status.raw)")
            guard case .groups(let listed) = try await n1.call(.inspect, within: .seconds(60)) else {
                throw Trouble("no groups")
            }
            #expect(Set(listed.map(\.id)) == names)
            try n1.manager.send(SIGKILL)
            try await eventually("its groups are free") { n1.plugin.watched.isEmpty }
        }
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager(seldom)
            try await world.leader(is: n1)
            let imported = try await world.manager("import", "-", "--wait", "60s", input: exported)
            #expect(imported.status == 0, "\(imported.status) \(imported.errors)")
            #expect(n1.plugin.watched == names)
            // What does not fit beside it is refused, and nothing of it stands.
            // A plugin in Go writes `<` as six bytes.
            let angles = String(repeating: "<", count: 170_000)
            let large = (1...50).map { #"{"ID":"h\#($0)","Properties":{"Text":"\#(angles)"}}"# }
            let refused = try await world.manager("commit", "-", input: "[\(large.joined(separator: ","))]")
            #expect(refused.status != 0 && refused.errors.contains("Nothing was changed."), "\(refused.errors)")
            #expect(try await world.history().count == 1)
        }
    }
}
