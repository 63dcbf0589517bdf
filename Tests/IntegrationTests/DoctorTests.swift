import Glibc
import GroupSPI
import SmallFileSystems
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
                #expect(peer.at("message")?.string == "the other `doctor --peer` ran on this host, too", "\(finished)")
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

    /// A store on a small file system, in which something is wrong.
    private func onSmallFileSystem(
        _ kind: SmallFileSystem.Kind = .ext4,
        _ body: (World, SmallFileSystem) async throws -> Void
    ) async throws {
        try await World.with { world in
            do {
                try await SmallFileSystem.with(kind, megabytes: 16, at: world.storeDirectory) { disk in
                    try await MadeDatabase.make(in: world.storeDirectory)
                    try await body(world, disk)
                }
            } catch let absent as SmallFileSystem.Absent {
                try Test.cancel("SKIPPED: \(absent)")
            }
        }
    }

    /// Where no change can be stored, scripts learn it from the status.
    @Test(arguments: [true, false]) func noChangeCanBeStored(_ isForInodes: Bool) async throws {
        try await onSmallFileSystem { world, disk in
            #expect(try await world.manager("doctor").status == 0)
            if isForInodes { disk.fillInodes() } else { try disk.fill() }
            let finished = try await world.manager("doctor", "-o", "json")
            #expect(finished.status == 1, "\(finished)")
            #expect(try levels(finished)["renewal"] == "fatal", "\(finished)")
            #expect(try finding("renewal", finished).at("message")?.string?.hasPrefix("not possible: ") == true)
        }
    }

    @Test func aFrozenFileSystemIsTold() async throws {
        try await onSmallFileSystem { world, disk in
            let finished = try await disk.frozen { try await world.manager("doctor", "-o", "json") }
            #expect(finished.status == 1, "\(finished)")
            #expect(try finding("writes", finished).at("message")?.string?.contains("accepts no writes") == true)
            #expect(try finding("writes", finished).at("fix")?.string?.contains("fsfreeze -u") == true)
            #expect(try levels(finished)["database"] == "ok", "what can be read is looked at: \(finished)")
        }
    }

    @Test func aStoreInMemoryIsTold() async throws {
        try await onSmallFileSystem(.tmpfs) { world, _ in
            let finished = try await world.manager("doctor", "-o", "json")
            #expect(finished.status == 0, "\(finished)")
            #expect(try levels(finished)["memory"] == "warning", "\(finished)")
        }
    }

    @Test func whoElseMayWriteIsTold() async throws {
        try await World.with { world in
            let (directory, file) = (world.storeDirectory, "\(world.storeDirectory)/manager.db")
            try await MadeDatabase.make(in: directory)
            #expect(chmod(directory, 0o700) == 0 && chmod(file, 0o600) == 0)
            var finished = try await world.manager("doctor", "-o", "json")
            #expect(try levels(finished)["rights"] == nil, "\(finished)")
            #expect(chmod(directory, 0o777) == 0)
            finished = try await world.manager("doctor", "-o", "json")
            #expect(try finding("rights", finished).at("message")?.string?.contains("every user can write") == true)
            #expect(chmod(directory, 0o700) == 0 && chmod(file, 0o666) == 0)
            finished = try await world.manager("doctor", "-o", "json")
            #expect(
                try finding("rights", finished).at("message")?.string?.contains("users other than the owner") == true
            )
            #expect(chmod(file, 0o600) == 0)
            guard geteuid() == 0 else { return }
            #expect(chown(file, 4711, 4711) == 0)
            finished = try await world.manager("doctor", "-o", "json")
            #expect(try finding("rights", finished).at("message")?.string?.contains("belongs to user 4711") == true)
        }
    }

    /// A page that no check of the newest revision reads.
    @Test func aDamagedPageIsTold() async throws {
        try await World.with { world in
            try await MadeDatabase.make(in: world.storeDirectory)
            let file = "\(world.storeDirectory)/manager.db"
            var bytes = try #require(Files.bytes(file))
            bytes[bytes.count - 2000] ^= 1
            try Files.write(bytes, to: file)
            let finished = try await world.manager("doctor", "-o", "json")
            #expect(finished.status == 1, "\(finished)")
            let message = try finding("database", finished).at("message")?.string ?? ""
            #expect(message.contains("does not match its checksum"), "\(finished)")
            // Damaged is 1, and what could not be looked at is another status.
            #expect(try await world.manager("verify").status == 1)
            let environment = ["TMPDIR": "\(world.path)/none", "INFRAKIT_STORE_DIR": world.storeDirectory]
            let missing = try await world.run(.manager, ["verify"], environment: environment)
            #expect(missing.status == 5, "\(missing)")
        }
    }

    /// A database that was lost is not new, whoever asks; a person's word makes it so.
    @Test func aLostDatabaseIsNotNew() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            let file = "\(world.storeDirectory)/manager.db"
            try await eventually("its outcome is stored") { try await world.history().last?.status.name == "applied" }
            // A write that is under way would put what it has in memory into the file.
            try await eventually("nobody writes") { !Files.exists("\(file)-journal") }
            try #require(truncate(file, 0) == 0)
            let doctor = try await n1.command("doctor", "-o", "json")
            #expect(doctor.status == 1, "\(doctor)")
            #expect(try finding("database", doctor).at("message")?.string?.contains("there was a database") == true)
            #expect(try finding("database", doctor).at("fix")?.string?.contains("a backup") == true)
            let history = try await n1.command("history")
            #expect(history.status == 5 && history.errors.contains("accept --empty"), "\(history)")
            try await n1.manager.crash()
            try await eventually("n1's guard has ended") { n1.guards.isEmpty }
            let started = try await world.run(.manager, ["os", "--id", "n2"], environment: n1.environment)
            #expect(started.status == 5 && started.errors.contains("there was a database"), "\(started)")
            #expect(Files.bytes(file) == [])
            let accepted = try await n1.command("accept", "--empty")
            #expect(accepted.status == 0 && accepted.output.contains("its first revision will be 1"), "\(accepted)")
            try await n1.startManager()
            try await world.leader()
            try await n1.commit("b", 1)
            #expect(try await world.history().map(\.number) == [1])
        }
    }
}
