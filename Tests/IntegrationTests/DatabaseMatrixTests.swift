import CSQLite
import Glibc
import GroupSPI
import Migrations
import Store
import Testing

/// Every verb that uses a database, against every database that cannot be used: status 5 (of `diff`: 2), one sentence that
/// names the file and the remedy, nothing on the standard output, and the file as it was.
@Suite struct DatabaseMatrixTests {
    /// What is wrong with the database.
    enum Trouble: String, CaseIterable {
        case noDirectory, notADirectory, noFile, emptyFile, isADirectory, foreign, foreignWithLog, text, newer, older
        case damagedHeader, damagedSchema, damagedPages, truncated, writeAheadLog, leftLog, locked

        /// What the sentence says; the path comes to it.
        var words: [String] {
            switch self {
            case .noDirectory: ["Create it"]
            case .notADirectory: ["is not a directory", "Name another"]
            case .noFile: ["no database at", "--store-dir", "INFRAKIT_STORE_DIR"]
            case .emptyFile: ["is empty", "Start one"]
            case .isADirectory: ["is a directory", "Move it away"]
            case .foreign, .foreignWithLog: ["another program's database", "Name another store directory"]
            case .text: ["not an SQLite database", "Name another store directory"]
            case .newer: ["schema version 99", "newer", "Upgrade this host"]
            case .older: ["schema version 1", "migrates it when it starts"]
            case .damagedHeader, .damagedSchema, .damagedPages, .truncated: ["is damaged", "restore a backup"]
            case .writeAheadLog, .leftLog: ["journal mode 'wal'", "PRAGMA journal_mode=DELETE"]
            case .locked: ["is locked by another process", "Try again"]
            }
        }

        /// Where a manager that starts does not make things good, nor waits until they are.
        var stopsManagers: Bool { ![.noFile, .emptyFile, .older, .damagedPages, .locked].contains(self) }
    }

    /// Every verb that uses a database, but `doctor`, which never fails for want of one.
    private static func verbs(_ world: World) -> [[String]] {
        let groups = "\(world.path)/groups.json"
        return [
            ["history"], ["history", "-o", "json"], ["history", "--path", "Allocation.Size"],
            ["history", "--group", "cattle"], ["history", "--follow"], ["show"], ["show", "1"], ["show", "before"],
            ["show", "1", "--group", "cattle"], ["diff", "1"], ["diff", "before", "1", "-o", "json"],
            ["rollback", "1"], ["rollback", "1", "--dry-run"], ["commit", groups], ["commit", groups, "--dry-run"],
            ["import", groups], ["confirm"], ["confirm", "3"], ["ack", "3"], ["tag"], ["tag", "-o", "json"],
            ["tag", "1", "new"],
            ["untag", "before"], ["status"], ["status", "-o", "json"], ["leadership"], ["step-down"], ["verify"],
            ["verify", "-o", "json"], ["verify", "--in-place"], ["backup", "\(world.path)/copy.db"], ["export"],
            ["export", "--revision", "before"],
        ]
    }

    private static let groups =
        #"{"Groups":{"cattle":{"Plugin":"","Properties":{"ID":"cattle","Properties":{"Allocation":{"Size":9}}}}}}"#

    @Test(arguments: Trouble.allCases) func everyVerbSaysSo(_ trouble: Trouble) async throws {
        try await World.with { world in
            try Files.write(Self.groups, to: "\(world.path)/groups.json")
            let file = "\(world.storeDirectory)/manager.db"
            let holder = try await prepare(trouble, world)
            // Not while the lock is held: closing the file would drop it.
            let before = trouble == .locked ? nil : ["", "-wal"].map { Files.bytes(file + $0) }
            let names = Files.names(in: world.storeDirectory)
            try await withThrowingTaskGroup(of: Finished.self) { group in
                for verb in Self.verbs(world) { group.addTask { try await run(verb, world) } }
                for try await finished in group { check(finished, trouble, world) }
            }
            if trouble.stopsManagers {
                let finished = try await run(["os", "--id", "n1"], world)
                check(finished, trouble, world)
            }
            #expect(Files.names(in: world.storeDirectory) == names, "something was created or removed")
            if let holder {
                try holder.execute("ROLLBACK")
                holder.close()
                #expect(Files.bytes(file) == Files.bytes("\(world.path)/before.db"), "the file was touched")
            } else {
                #expect(["", "-wal"].map { Files.bytes(file + $0) } == before, "the file was touched")
            }
            #expect(!Files.exists("\(world.path)/copy.db") && !Files.exists("\(world.path)/copy.db.partial"))
            // The copies of `verify` are gone.
            #expect(Files.names(in: "\(world.path)/tmp").isEmpty)
        }
    }

    /// `doctor` is for such cases: it says the same, beside what else it has found.
    @Test(arguments: Trouble.allCases) func doctorNamesTheTrouble(_ trouble: Trouble) async throws {
        try await World.with { world in
            let holder = try await prepare(trouble, world)
            defer { holder?.close() }
            let finished = try await run(["doctor", "-o", "json"], world)
            let isNew = [.noFile, .emptyFile].contains(trouble)
            #expect(finished.status == (isNew ? 0 : 1), "\(finished)")
            #expect(finished.errors.isEmpty, "\(finished)")
            let check = [.noDirectory, .notADirectory].contains(trouble) ? "mount" : "database"
            let finding = try #require(
                try finished.json().elements.first { $0.at("check")?.string == check },
                "\(finished)"
            )
            #expect(finding.at("level")?.string == (isNew ? "warning" : "fatal"), "\(finished)")
            let message = finding.at("message")?.string ?? ""
            #expect(message.contains(world.storeDirectory), "\(finished)")
            if check == "database" { #expect(trouble.words.allSatisfy { message.contains($0) }, "\(finished)") }
            #expect(finding.at("fix")?.string?.isEmpty == false, "\(finished)")
            #expect(Files.names(in: world.storeDirectory).allSatisfy { !$0.hasPrefix(".manager") }, "left behind")
        }
    }

    // MARK: - The troubles

    /// - Returns: the connection that holds the lock.
    private func prepare(_ trouble: Trouble, _ world: World) async throws -> ForeignConnection? {
        try Files.makeDirectory("\(world.path)/tmp")
        let directory = world.storeDirectory
        let file = "\(directory)/manager.db"
        switch trouble {
        case .noDirectory: Files.remove(directory)
        case .notADirectory:
            Files.remove(directory)
            try Files.write("a file", to: directory)
        case .noFile: break
        case .emptyFile: try Files.write("", to: file)
        case .isADirectory: try Files.makeDirectory(file)
        case .foreign, .foreignWithLog:
            let connection = try ForeignConnection(file)
            if trouble == .foreignWithLog { try connection.execute("PRAGMA journal_mode = WAL") }
            try connection.execute("CREATE TABLE revision (number INTEGER); INSERT INTO revision VALUES (1)")
            connection.close()
        case .text: try Files.write(String(repeating: "A letter, not a database.\n", count: 400), to: file)
        case .older:
            let connection = try ForeignConnection(file, isSealed: true)
            try connection.execute("BEGIN; \(Migrations.scripts[0]); PRAGMA user_version = 1")
            try connection.execute("PRAGMA application_id = 0x496E664B; COMMIT")
            connection.close()
        case .newer:
            try await MadeDatabase.make(in: directory)
            let connection = try ForeignConnection(file, isSealed: true)
            try connection.execute("PRAGMA user_version = 99")
            connection.close()
        // https://sqlite.org/fileformat2.html#the_database_header
        // The page size, which is no power of two then.
        case .damagedHeader: try await patch(at: 16, with: [0x12, 0x34], world)
        // The page that lists the tables.
        case .damagedSchema: try await patch(at: 100, with: [UInt8](repeating: 0xA5, count: 3996), world)
        case .damagedPages: try await patch(at: 4096, with: nil, world)
        case .truncated:
            try await MadeDatabase.make(in: directory)
            truncate(file, 5000)
        case .writeAheadLog:
            try await MadeDatabase.make(in: directory)
            let connection = try ForeignConnection(file)
            try connection.execute("PRAGMA journal_mode = WAL")
            connection.close()
        case .leftLog:
            // What a killed process leaves: pages that only the log has. Who opens it as SQLite does moves them.
            let other = "\(world.path)/other"
            try Files.makeDirectory(other)
            let source = try await MadeDatabase.make(in: other)
            let connection = try ForeignConnection(source)
            try connection.execute("PRAGMA journal_mode = WAL; UPDATE tag SET name = 'behind'")
            for suffix in ["", "-wal"] {
                try Files.write(try #require(Files.bytes(source + suffix)), to: file + suffix)
            }
            connection.close()
        case .locked:
            try await MadeDatabase.make(in: directory)
            try Files.write(Files.bytes(file) ?? [], to: "\(world.path)/before.db")
            let connection = try ForeignConnection(file)
            try connection.execute("BEGIN EXCLUSIVE")
            return connection
        }
        return nil
    }

    /// - Parameter bytes: nil to overwrite all that follows.
    private func patch(at offset: Int, with bytes: [UInt8]?, _ world: World) async throws {
        let file = try await MadeDatabase.make(in: world.storeDirectory)
        var content = try #require(Files.bytes(file))
        let patch = bytes ?? [UInt8](repeating: 0xA5, count: content.count - offset)
        content.replaceSubrange(offset..<(offset + patch.count), with: patch)
        try Files.write(content, to: file)
    }

    // MARK: - The verdict

    private func run(_ words: [String], _ world: World) async throws -> Finished {
        try await world.run(
            .manager,
            words,
            environment: [
                "INFRAKIT_STORE_DIR": world.storeDirectory, "INFRAKIT_PLUGINS_DIR": "\(world.path)/none",
                "TMPDIR": "\(world.path)/tmp",
            ],
            within: .seconds(120)
        )
    }

    private func check(_ finished: Finished, _ trouble: Trouble, _ world: World) {
        let verb = finished.words[1]
        // `verify` is for such files, and tells what it finds.
        if verb == "verify", [.damagedHeader, .damagedSchema, .damagedPages, .truncated].contains(trouble) {
            #expect(finished.status == 1 && finished.errors.isEmpty, "\(finished)")
            #expect(finished.output.contains("\(world.storeDirectory)/manager.db is damaged"), "\(finished)")
            return
        }
        #expect(finished.status == (verb == "diff" ? 2 : 5), "\(finished)")
        #expect(finished.output.isEmpty, "\(finished)")
        #expect(finished.errors.hasPrefix("infrakit-manager: "), "\(finished)")
        #expect(finished.errors.hasSuffix("\n"), "\(finished)")
        #expect(finished.errors.split(separator: "\n").count == 1, "more than one line: \(finished)")
        #expect(finished.errors.contains(world.storeDirectory), "the file is not named: \(finished)")
        for word in trouble.words { #expect(finished.errors.contains(word), "\(finished)") }
    }
}
