import Glibc
import GroupSPI
import Store
import Testing

/// `doctor`.
@Suite struct DoctorTests {
    private func levels(_ finished: Finished) throws -> [String: String] {
        let findings = try finished.json().elements
        return Dictionary(
            findings.map { ($0.at("check")?.string ?? "", $0.at("level")?.string ?? "") },
            uniquingKeysWith: { first, second in "\(first) \(second)" }
        )
    }

    private func finding(_ check: String, _ finished: Finished) throws -> JSONView {
        try #require(try finished.json().elements.first { $0.at("check")?.string == check }, "\(finished)")
    }

    @Test func findsNothingWhereAllIsWell() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            let before = Files.names(in: world.storeDirectory).filter { !$0.hasSuffix("-journal") }
            let finished = try await n1.command("doctor", "-o", "json")
            #expect(finished.status == 0, "\(finished)")
            var levels = try levels(finished)
            // How full the disk of the machine is that runs the tests is its own affair.
            levels["room"] = nil
            #expect(
                levels == [
                    "mount": "ok", "locks": "ok", "database": "ok", "leadership": "ok", "clocks": "ok", "manager": "ok",
                    "renewal": "ok", "plugin": "ok",
                ],
                "\(finished)"
            )
            #expect(try finding("leadership", finished).at("message")?.string?.contains("n1 leads in epoch 1") == true)
            #expect(try finding("manager", finished).at("message")?.string == "n1: leader")
            #expect(try finished.json().elements.allSatisfy { $0.names == ["check", "level", "message", "fix"] })
            #expect(try finding("database", finished).at("fix")?.isNull == true)
            let text = try await n1.command("doctor")
            #expect(text.status == 0 && text.output.hasPrefix("ok       mount: "), "\(text)")
            #expect(Files.names(in: world.storeDirectory).filter { !$0.hasSuffix("-journal") } == before)
        }
    }

    @Test func tellsThatThePluginIsDeadAndWhatItHasLeftOpen() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            n1.plugin.refuse("a", saying: "never")
            _ = try await n1.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 2).json.raw.text)
            await n1.plugin.die()
            _ = try await n1.infrakit("group", "commit", "-", input: GroupSpec.sized("b", 2).json.raw.text)
            let finished = try await n1.command("doctor", "-o", "json")
            #expect(finished.status == 1, "\(finished)")
            #expect(try finding("plugin", finished).at("level")?.string == "fatal")
            #expect(
                try finding("plugin", finished).at("message")?.string?.hasPrefix("'group-stateless' does not answer: ")
                    == true
            )
            #expect(try finding("plugin", finished).at("fix")?.string?.contains("start the group plugin") == true)
            #expect(try finding("rejected", finished).at("message")?.string?.hasSuffix("revision 2") == true)
            #expect(try finding("pending", finished).at("message")?.string?.hasSuffix("revision 3") == true)
            let text = try await n1.command("doctor")
            #expect(text.status == 1 && text.output.contains("\nfatal    plugin: "), "\(text)")
            #expect(text.output.contains("\n         fix: start the group plugin"), "\(text)")

            n1.plugin.accept("a")
            try await n1.plugin.start()
            try await eventually("b is applied") { try await world.history().last?.status.name == "applied" }
            try await n1.commit("a", 3)
            let mended = try await n1.command("doctor", "-o", "json")
            #expect(mended.status == 0, "\(mended)")
            let levels = try levels(mended)
            #expect(levels["plugin"] == "ok" && levels["pending"] == nil && levels["rejected"] == nil, "\(mended)")
        }
    }

    @Test func tellsThatNoManagerRuns() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let fresh = try await n1.command("doctor", "-o", "json")
            #expect(fresh.status == 0, "\(fresh)")
            #expect(try levels(fresh)["database"] == "warning" && levels(fresh)["manager"] == "warning")
            try await n1.startManager()
            try await world.leader()
            // Another host with the same database: the leader is known, a manager is missing.
            let other = try await world.manager("doctor", "-o", "json")
            #expect(other.status == 0, "\(other)")
            #expect(try levels(other)["leadership"] == "ok" && levels(other)["manager"] == "warning")
            #expect(try levels(other)["plugin"] == nil)
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            let finished = try await n1.command("doctor", "-o", "json")
            #expect(finished.status == 0, "\(finished)")
            #expect(try finding("leadership", finished).at("message")?.string == "nobody leads")
            #expect(try finding("leadership", finished).at("level")?.string == "warning")
            let nowhere = try await n1.command("doctor", "-o", "json", "--store-dir", "\(world.path)/none")
            #expect(nowhere.status == 1, "\(nowhere)")
            #expect(try levels(nowhere) == ["mount": "fatal"], "\(nowhere)")
            try Files.write("words", to: "\(world.storeDirectory)/manager.db")
            let broken = try await n1.command("doctor", "-o", "json")
            #expect(try broken.status == 1 && levels(broken)["database"] == "fatal", "\(broken)")
        }
    }

    /// Two runs on one host meet, and know that it proves nothing.
    @Test func twoOnOneHostMeet() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            async let first = n1.command("doctor", "--peer", "50s", "-o", "json")
            async let second = n1.command("doctor", "--peer", "50s", "-o", "json")
            for finished in [try await first, try await second] {
                #expect(finished.status == 0, "\(finished)")
                let peer = try finding("peer", finished)
                #expect(peer.at("level")?.string == "warning")
                #expect(peer.at("message")?.string == "the other `doctor` ran on this host too", "\(finished)")
            }
            let alone = try await n1.command("doctor", "--peer", "300ms", "-o", "json")
            #expect(try alone.status == 0 && finding("peer", alone).at("level")?.string == "warning", "\(alone)")
            #expect(try finding("peer", alone).at("message")?.string == "no other host has joined", "\(alone)")
            #expect(!Files.names(in: world.storeDirectory).contains { $0.contains("probe") }, "files are left behind")
        }
    }

    /// Asked to end in the middle, it takes its files along.
    @Test(arguments: [SIGHUP, SIGINT, SIGTERM])
    func leavesNothingWhenItIsInterrupted(_ signal: Int32) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let doctor = try world.start(.manager, ["doctor", "--peer", "10m"], environment: n1.environment)
            try await eventually("it waits for another host") {
                Files.names(in: world.storeDirectory).contains { $0.hasSuffix("peerprobe.notes") }
            }
            doctor.send(signal)
            try await doctor.expectEnd(.signal(signal))
            #expect(!Files.names(in: world.storeDirectory).contains { $0.contains("probe") }, "files are left behind")
        }
    }
}
