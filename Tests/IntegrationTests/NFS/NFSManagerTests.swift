import Glibc
import GroupSPI
import NFSLabSupport
import Store
import Testing

/// Managers on two hosts over one database on a real NFS server.
@Suite(.serialized, .nfsLab) struct NFSManagerTests {
    /// The hosts and the server are lost in turn, while a writer on each host commits.
    @Test(arguments: NFSLab.Version.allCases)
    func nothingAcknowledgedIsLostAndNoTwoHostsAct(_ version: NFSLab.Version) async throws {
        try await NFSWorld.with(.init(version)) { world in
            try await world.startPrograms()
            try await historyAndRollbackFromTheOtherHost(world)
            for (number, host) in world.hosts.enumerated() {
                try host.startWriting(host.name, from: (number + 1) * 1_000_000)
            }
            for loss in Loss.chosen(for: version) { try await loseAndRecover(loss, world) }
            for host in world.hosts { try await host.stopWriting() }

            let leader = try await world.leader().host
            let history = try await world.history(from: leader)
            #expect(history.map(\.number) == Array(1...history.count))
            #expect(history.map(\.epoch) == history.map(\.epoch).sorted())
            let marks = history.flatMap(\.marks)
            #expect(Set(marks).count == marks.count, "a commit was stored twice")
            let ledger = world.ledger
            ledger.expectAllOf(marks)
            let entries = ledger.entries
            print(
                "nfs lab: \(version): \(history.count) revisions; of the writers' commits \(entries.acknowledged.count) "
                    + "acknowledged, \(entries.refused.count) refused, \(entries.recorded.count) recorded, "
                    + "\(entries.unknown.count) unknown"
            )
            for host in world.hosts {
                let verdict = try await host.command("verify")
                #expect(verdict.status == 0 && verdict.output.contains("sound"), "\(verdict)")
            }
            try await eventually("the leader's plugin has every group, and the other none") {
                leader.watched == ["web", "c1", "c2"] && world.others(than: leader).allSatisfy { $0.watched.isEmpty }
            }
            // A host that stood still goes on with what it had until its guard has let it go, at once; nothing else overlaps.
            for (first, second, length) in world.overlaps {
                let isRemainder = first.isRemainder || second.isRemainder
                print("nfs lab: \(version): both had \(first.group) for \(length.inSeconds) after a standstill")
                #expect(isRemainder && length < NFSHost.ttl, "\(first) and \(second) for \(length.inSeconds)")
            }
        }
    }

    /// What is asked on a host that does not lead is carried out by the one that does, with no network between them but
    /// the server's.
    private func historyAndRollbackFromTheOtherHost(_ world: NFSWorld) async throws {
        let leader = try await world.leader().host
        let follower = try #require(world.others(than: leader).first)
        for size in [1, 2] {
            let committed = try await leader.infrakit("group", "commit", "-", input: Self.web(size))
            try #require(committed.status == 0, "\(committed)")
            // At once: it reads as applied there too, or whoever reads is told that it may be.
            let read = try await follower.command("history", "-n", "1", "-o", "json")
            let isApplied = try read.json().elements.first?.at("status")?.string == "applied"
            #expect(isApplied || read.errors.contains("the outcome of revision \(size) is not stored yet"), "\(read)")
        }
        let history = try await follower.command("history", "-o", "json")
        let revisions = try history.json().elements
        #expect(revisions.map { $0.at("revision")?.int } == [2, 1], "\(history)")
        #expect(revisions.allSatisfy { $0.at("status")?.string == "applied" }, "\(history)")
        let refused = try await follower.infrakit("group", "commit", "-", input: Self.web(3))
        #expect(refused.status == 1 && refused.errors.contains("\(leader.name) leads (epoch 1)"), "\(refused)")

        let rollback = try await follower.command("rollback", "1", "--message", "from \(follower.name)", "-o", "json")
        #expect(rollback.status == 0, "\(rollback)")
        #expect(try rollback.json().at("revision")?.int == 3 && rollback.json().at("status")?.string == "applied")
        let shown = try await leader.command("history", "-n", "1", "-o", "json")
        let newest = try #require(try shown.json().elements.first)
        #expect(newest.at("author", "host")?.string == follower.name, "\(shown)")
        #expect(newest.at("manager")?.string == leader.name && newest.at("operation")?.string == "rollback", "\(shown)")
        #expect(try await follower.command("diff", "1").status == 0)
        let described = try await leader.infrakit("group", "describe", "-q", "web")
        #expect(described.output.split(separator: "\n").count == 1, "\(described)")
        print(
            "nfs lab: \(world.lab.settings.version): history \(history.took.inSeconds), rollback \(rollback.took.inSeconds) "
                + "from the other host, most of it the program's start"
        )
    }

    private static func web(_ size: Int) -> String {
        #"{"ID":"web","Properties":{"Allocation":{"Size":\#(size)},"Instance":{"Properties":{"Command":["sleep","9999"]}}}}"#
    }

    // MARK: - One loss

    private func loseAndRecover(_ loss: Loss, _ world: NFSWorld) async throws {
        let before = try await world.leader()
        let old = before.host
        try await writesSucceed(world)
        let fault = loss.fault(old.name)
        var report = "nfs lab: \(world.lab.settings.version): \(fault)"
        let began = ContinuousClock.now
        switch fault {
        case .kill: old.noteStandstill(goesOn: false)
        case .pause: old.noteStandstill(goesOn: true)
        default: break
        }
        try await world.lab.inflict(fault)
        let inflicted = ContinuousClock.now

        switch fault {
        case .cut, .hang:
            report += ", let go after \((try await letsGoInTime(old, inflicted) - began).inSeconds)"
            report += ", \(try await answersWithoutTheServer(old))"
        default: break
        }
        var next: NFSWorld.Leader?
        switch fault {
        case .kill, .pause, .cut:
            // The lost host may have held a lock: NFS 4 gives it up with the server's lease, NFS 3 when the host is back.
            next = try await world.nextLeader(after: before.epoch, within: .seconds(45))
            if let next {
                #expect(next.host.name != old.name)
                report += ", \(next.host.name) leads after \((next.since - began).inSeconds)"
                try await writesSucceed(world)
            } else {
                #expect(world.lab.settings.version == .v3, "nobody has taken over")
                report += ", nobody can take over: the lost host had a lock"
            }
        case .hang, .loss: break
        }

        if case .pause = fault {
            // How long the fault lasts: until the server has given its leases up too, and it goes on with connections whose
            // state is gone.
            let rest = began + .seconds(world.lab.settings.lease + 2) - ContinuousClock.now
            try await Task.sleep(for: max(rest, Duration.zero), clock: .suspending)
        }
        let remedied = ContinuousClock.now
        if case .pause = fault { old.noteMotion() }
        try await world.lab.remedy(fault)
        if case .kill = fault {
            try await old.startPrograms()
            try old.startWritingAgain(old.name)
        }
        let leader =
            if let next { next } else { try await world.leader(after: fault == .loss ? 0 : before.epoch) }
        for host in world.others(than: leader.host) {
            try await eventually("\(host.name) follows", within: .seconds(90)) { host.role == "follower" }
        }
        try await writesSucceed(world)
        report += ", all is well \((ContinuousClock.now - remedied).inSeconds) after the end of it"
        print(report)
    }

    private func writesSucceed(_ world: NFSWorld) async throws {
        let then = acknowledged(world)
        try await eventually("writes succeed", within: .seconds(120)) { acknowledged(world) > then + 2 }
    }

    private func acknowledged(_ world: NFSWorld) -> Int {
        world.hosts.reduce(0) { $0 + $1.answers.count { $0.status == 0 } }
    }

    /// The leader cannot renew: its groups are let go before the lease is over, by itself.
    ///
    /// - Parameter loss: when it was complete; a last renewal may have come in just before.
    /// - Returns: when it let them go.
    private func letsGoInTime(
        _ old: NFSHost,
        _ loss: ContinuousClock.Instant
    ) async throws -> ContinuousClock.Instant {
        try await eventually("\(old.name) lets its groups go", within: .seconds(60)) { old.watched.isEmpty }
        let freed = try #require(old.watches.map(\.until).max())
        #expect(freed - loss < NFSHost.ttl, "\(old.name) let its groups go only after \((freed - loss).inSeconds)")
        return freed
    }

    /// Users are answered, also those who ask what only the server knows.
    private func answersWithoutTheServer(_ host: NFSHost) async throws -> String {
        let commit = try await host.infrakit("group", "commit", "-", input: Self.web(1))
        #expect(commit.status == 1, "\(commit)")
        #expect(
            commit.errors.contains("store unreachable") || commit.errors.contains("not the leader"),
            "\(commit)"
        )
        #expect(commit.took < .seconds(15), "\(commit)")
        // Told in time; but the process may not end before the server is back: while the host has a page of the file to write,
        // the kernel lets nobody out who looks at the file.
        let began = ContinuousClock.now
        var longest = Duration.zero
        for program in try ["status", "history", "doctor"].map({ try host.launch([$0]) }) {
            let line = try await eventually("a command says that nothing answers", within: .seconds(60)) {
                program.lines.first { $0.text.contains("does not answer") }
            }
            longest = max(longest, line.at - began)
        }
        #expect(longest < .seconds(40), "\(longest)")
        return "a commit is refused within \(commit.took.inSeconds), other commands within \(longest.inSeconds)"
    }
}

/// What is lost, and how.
private enum Loss: CaseIterable {
    case kill, pause, cut, hang, server

    func fault(_ leader: String) -> NFSLab.Fault {
        switch self {
        case .kill: .kill(leader)
        case .pause: .pause(leader)
        case .cut: .cut(leader)
        case .hang: .hang
        case .server: .loss
        }
    }

    /// With NFS 3 only what differs, unless `NFS_ALL` asks for everything.
    static func chosen(for version: NFSLab.Version) -> [Loss] {
        version == .v42 || getenv("NFS_ALL") != nil ? allCases : [.kill]
    }
}
