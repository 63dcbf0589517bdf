import Glibc
import GroupSPI
import PluginRPC
import SmallFileSystems
import Store
import Testing

/// A store that cannot be used: status 5, a sentence, and nothing touched.
@Suite struct StoreTroubleTests {
    /// A database with a revision in it, which no manager uses any more.
    private func withDatabase(_ body: (World, Host, String) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            for group in 0..<20 {
                _ = try await n1.call(.commit(.sized("g\(group)", 1), pretend: false), within: .seconds(60))
            }
            try n1.manager.send(15)
            try await n1.manager.end()
            try await body(world, n1, "\(world.storeDirectory)/manager.db")
        }
    }

    /// Every command, and a manager, fail with status 5 and a sentence that has all these words in it.
    private func expectUnusable(
        _ world: World,
        _ host: Host,
        _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for verb in [["history"], ["show"], ["status"], ["leadership"], ["rollback", "1"], ["step-down"], ["os"]] {
            let finished = try await world.run(.manager, verb, environment: host.environment)
            #expect(finished.status == 5, "\(finished)", sourceLocation: sourceLocation)
            #expect(finished.output.isEmpty, "\(finished)", sourceLocation: sourceLocation)
            for word in words {
                #expect(finished.errors.contains(word), "\(finished)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test func aDirectoryThatIsMissing() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            Files.remove(world.storeDirectory)
            try await expectUnusable(world, n1, world.storeDirectory, "Create it")
            #expect(!Files.exists(world.storeDirectory), "it was created")
        }
    }

    @Test func noDatabaseYet() async throws {
        try await World.with { world in
            let finished = try await world.manager("history")
            #expect(finished.status == 5 && finished.errors.contains("no database"), "\(finished)")
            #expect(Files.names(in: world.storeDirectory).isEmpty, "a command created something")
        }
    }

    @Test func aFileWithASecondName() async throws {
        try await withDatabase { world, n1, file in
            let bytes = try #require(Files.bytes(file))
            try Files.makeDirectory("\(world.path)/other")
            #expect(link(file, "\(world.path)/other/manager.db") == 0)
            try await expectUnusable(world, n1, file, "2 names", "hard links")
            #expect(Files.bytes(file) == bytes, "the file was touched")
            let verified = try await world.run(.manager, ["verify", "--file", file], environment: n1.environment)
            #expect(verified.status == 0, "\(verified)")
        }
    }

    /// As a container is given one file: its journal would lie in the container.
    @Test func aFileThatIsMountedByItself() async throws {
        try await withDatabase { world, n1, file in
            let other = "\(world.path)/other"
            try Files.makeDirectory(other)
            try Files.write("", to: "\(other)/manager.db")
            let script = "mount --bind '\(file)' '\(other)/manager.db' && exec \"$@\""
            let program = try RunningProgram(
                [
                    "/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh", try BuiltProgram.manager.path(),
                    "history",
                ],
                environment: n1.environment.merging(["INFRAKIT_STORE_DIR": other]) { $1 },
                files: "\(world.path)/mounted"
            )
            let status = try await program.end()
            if program.errors.contains("unshare:") || program.errors.contains("mount:") {
                try Test.cancel("SKIPPED: a bind mount of one file: \(program.errors)")
            }
            #expect(status == .exit(5) && program.errors.contains("is a mount point by itself"), "\(program.errors)")
            #expect(Files.names(in: other) == ["manager.db"])
        }
    }

    /// A change for which there is no room is refused, and costs nobody else anything: the leader goes on.
    @Test func aChangeThatDoesNotFitOnTheDisk() async throws {
        try await World.with { world in
            do {
                try await SmallFileSystem.with(.ext4, megabytes: 16, at: world.storeDirectory) { disk in
                    let n1 = try await world.leadingHost()
                    try await n1.commit("a", 1)
                    try disk.fill()
                    // Room for small changes, and for the journal of one.
                    let ballast = "\(world.storeDirectory)/ballast"
                    var status = stat()
                    try #require(stat(ballast, &status) == 0)
                    try #require(truncate(ballast, status.st_size - 300 * 1024) == 0)
                    try await refusesWhatDoesNotFit(n1, in: world)
                }
            } catch let absent as SmallFileSystem.Absent {
                try Test.cancel("SKIPPED: \(absent)")
            }
        }
    }

    /// The same of a limit on the file, as of a quota: the kernel says so in other words.
    @Test func aChangeThatALimitDoesNotAllow() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            let path = StoreConfiguration.path(in: world.storeDirectory)
            var status = stat()
            try #require(stat(path, &status) == 0)
            let size = Int(status.st_size) + 300 * 1024
            let limiting = try RunningProgram(
                ["/usr/bin/prlimit", "--pid=\(try n1.manager.pid)", "--fsize=\(size):\(size)"],
                environment: [:],
                input: "/dev/null",
                files: "\(world.path)/prlimit"
            )
            #expect(try await limiting.end() == .exit(0), "\(limiting.errors)")
            try await refusesWhatDoesNotFit(n1, in: world)
        }
    }

    /// What is large is refused, again and again; what is small is stored, by the same leader.
    private func refusesWhatDoesNotFit(_ n1: Host, in world: World) async throws {
        let epoch = try await world.lease().epoch
        for round in 2..<6 {
            let text = String(repeating: "\(round)", count: 1_000_000)
            let big = GroupSpec(
                id: "big",
                properties: RawJSON(checked: Array(#"{"Allocation":{"Size":1},"Text":"\#(text)"}"#.utf8))
            )
            let refused = await #expect(throws: GroupError.self) {
                _ = try await n1.call(.commit(big, pretend: false), within: .seconds(60))
            }
            #expect(refused?.message.contains("nothing was changed") == true, "\(String(describing: refused))")
            #expect(refused?.message.contains("may have been stored") == false)
            try await n1.commit("a", round)
        }
        #expect(try await world.lease().epoch == epoch)
        let groups = try await world.history().flatMap(\.groups)
        #expect(!groups.contains("big"), "\(groups)")
        try await world.everythingIsApplied()
    }

    @Test func anotherProgramsDatabase() async throws {
        try await withDatabase { world, n1, file in
            let bytes = try change(file, "PRAGMA application_id = 16909060")
            try await expectUnusable(world, n1, file, "another program")
            #expect(Files.bytes(file) == bytes, "the file was touched")
        }
    }

    @Test func aNewerSchema() async throws {
        try await withDatabase { world, n1, file in
            let bytes = try change(file, "PRAGMA user_version = 99")
            try await expectUnusable(world, n1, file, "99", "newer")
            #expect(Files.bytes(file) == bytes, "the file was touched")
        }
    }

    @Test func noDatabaseAtAll() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let file = "\(world.storeDirectory)/manager.db"
            let text = String(repeating: "This is a letter, not a database.\n", count: 300)
            try Files.write(text, to: file)
            try await expectUnusable(world, n1, file, "not an SQLite database")
            #expect(Files.read(file) == text, "the file was touched")
        }
    }

    @Test func aDamagedFile() async throws {
        try await withDatabase { world, n1, file in
            // Every page but the first.
            let size = (Files.bytes(file) ?? []).count
            try #require(size > 8192)
            let bytes = try patch(file, at: 4096, with: [UInt8](repeating: 0xA5, count: size - 4096))
            for verb in [["history"], ["show"], ["status"], ["leadership"]] {
                let finished = try await world.run(.manager, verb, environment: n1.environment)
                #expect(finished.status == 5, "\(finished)")
                #expect(finished.errors.contains(file) && finished.errors.contains("damaged"), "\(finished)")
            }
            #expect(Files.bytes(file) == bytes, "the file was touched")
        }
    }

    @Test func aDirectoryWithoutTheRightToWrite() async throws {
        // Root may write anywhere.
        guard getuid() != 0 else { return }
        try await World.with { world in
            let n1 = try await world.host("n1")
            chmod(world.storeDirectory, 0o500)
            let finished = try await n1.command("os")
            chmod(world.storeDirectory, 0o700)
            #expect(finished.status == 5, "\(finished)")
        }
    }

    /// As a program that leaves the checksums right.
    ///
    /// - Returns: the file's bytes afterwards.
    private func change(_ file: String, _ statement: String) throws -> [UInt8] {
        let connection = try ForeignConnection(file, isSealed: true)
        defer { connection.close() }
        try connection.execute(statement)
        return try #require(Files.bytes(file))
    }

    /// - Returns: the file's bytes afterwards.
    private func patch(_ file: String, at offset: Int, with patch: [UInt8]) throws -> [UInt8] {
        var bytes = try #require(Files.bytes(file))
        bytes.replaceSubrange(offset..<(offset + patch.count), with: patch)
        try Files.write(bytes, to: file)
        return bytes
    }
}
