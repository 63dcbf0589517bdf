import Glibc
import GroupSPI
import Store
import Testing

/// A database that this user may not write, or not even read.
@Suite struct ReadOnlyDatabaseTests {
    /// What nobody may write.
    enum Protection: String, CaseIterable {
        case file, directory, mount
    }

    private static let readers: [[String]] = [
        ["history"], ["history", "-o", "json"], ["history", "--path", "Allocation.Size"], ["show", "1"],
        ["show", "before", "--group", "cattle"], ["diff", "1", "1"], ["tag"], ["status"], ["leadership"], ["verify"],
        ["verify", "--in-place"], ["export"], ["export", "--revision", "1"],
    ]

    private static func writers(_ world: World) -> [[String]] {
        let groups = "\(world.path)/groups.json"
        return [
            ["rollback", "1"], ["commit", groups], ["import", groups], ["confirm"], ["confirm", "3"],
            ["tag", "1", "new"],
            ["untag", "before"], ["step-down"],
        ]
    }

    @Test(arguments: Protection.allCases) func itIsReadAndNotWritten(_ protection: Protection) async throws {
        try await World.with { world in
            guard let prefix = try Self.prefix(protection, world) else { return }
            let file = try await MadeDatabase.make(in: world.storeDirectory)
            try Files.write(
                #"{"Groups":{"cattle":{"Plugin":"","Properties":{"ID":"cattle","Properties":{"Allocation":{"Size":9}}}}}}"#,
                to: "\(world.path)/groups.json"
            )
            let before = Files.bytes(file)
            try Self.protect(protection, world)
            defer { chmod(world.storeDirectory, 0o700) }
            for verb in Self.readers {
                let finished = try await run(verb, prefix, world)
                #expect(finished.status == 0 && finished.errors.isEmpty, "\(finished)")
                #expect(finished.output.isEmpty == (verb[0] == "diff"), "\(finished)")
            }
            let backup = try await run(["backup", "\(world.path)/out/copy.db"], prefix, world)
            #expect(backup.status == 0, "\(backup)")
            for verb in Self.writers(world) {
                let finished = try await run(verb, prefix, world)
                #expect(finished.status == 5 && finished.output.isEmpty, "\(finished)")
                #expect(finished.errors.split(separator: "\n").count == 1, "\(finished)")
                #expect(finished.errors.contains(world.storeDirectory), "\(finished)")
                #expect(finished.errors.contains("Check"), "no remedy: \(finished)")
            }
            let manager = try await run(["os", "--id", "n1"], prefix, world)
            #expect(manager.status == 5 && manager.errors.contains(world.storeDirectory), "\(manager)")
            let doctor = try await run(["doctor", "-o", "json"], prefix, world)
            #expect(doctor.errors.isEmpty && doctor.status == 1, "\(doctor)")
            let finding = try doctor.json().elements.first { $0.at("check")?.string == "database" }
            #expect(finding?.at("level")?.string == "fatal", "\(doctor)")
            #expect(finding?.at("message")?.string?.contains(file) == true, "\(doctor)")
            #expect(Files.bytes(file) == before, "the file was touched")
            #expect(Files.names(in: world.storeDirectory) == ["manager.db"])
        }
    }

    @Test func aFileThatMayNotBeRead() async throws {
        try await World.with { world in
            guard let prefix = try Self.prefix(.file, world) else { return }
            let file = try await MadeDatabase.make(in: world.storeDirectory)
            chmod(file, 0o000)
            chmod(world.storeDirectory, 0o755)
            try Files.write("{\"ID\":\"a\",\"Properties\":{}}", to: "\(world.path)/groups.json")
            chmod("\(world.path)/groups.json", 0o644)
            for verb in Self.readers + [
                ["rollback", "1"], ["commit", "\(world.path)/groups.json"], ["tag", "1", "new"],
            ] {
                let finished = try await run(verb, prefix, world)
                #expect(finished.status == (verb[0] == "diff" ? 2 : 5), "\(finished)")
                #expect(finished.output.isEmpty, "\(finished)")
                #expect(
                    finished.errors.contains(file) && finished.errors.contains("no permission to read it"),
                    "\(finished)"
                )
                #expect(finished.errors.split(separator: "\n").count == 1, "\(finished)")
            }
        }
    }

    // MARK: - Another user, or a mount

    private static func protect(_ protection: Protection, _ world: World) throws {
        let file = "\(world.storeDirectory)/manager.db"
        chmod("\(world.path)/groups.json", 0o644)
        switch protection {
        case .file:
            chmod(file, 0o444)
            chmod(world.storeDirectory, getuid() == 0 ? 0o777 : 0o700)
        case .directory:
            chmod(file, 0o666)
            chmod(world.storeDirectory, 0o555)
        case .mount: break
        }
    }

    /// Root may write whatever its rights: then another user runs the program.
    ///
    /// - Returns: what goes before the program; nil when this host does not allow it, which is told.
    private static func prefix(_ protection: Protection, _ world: World) throws -> [String]? {
        chmod(world.path, 0o755)
        for name in ["tmp", "out", "home"] {
            try Files.makeDirectory("\(world.path)/\(name)")
            chmod("\(world.path)/\(name)", 0o777)
        }
        let prefix: [String]
        switch protection {
        case .file, .directory:
            guard getuid() == 0 else { return [] }
            prefix = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        case .mount:
            let script =
                "mount --bind '\(world.storeDirectory)' '\(world.storeDirectory)' && "
                + "mount -o remount,bind,ro '\(world.storeDirectory)' && exec \"$@\""
            prefix = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh"]
        }
        guard Files.exists(prefix[0]) else {
            try Test.cancel("SKIPPED: a database that is protected by its \(protection): there is no \(prefix[0])")
        }
        let program = try RunningProgram(
            prefix + [BuiltProgram.manager.path(), "version"],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
            files: "\(world.path)/probe"
        )
        var status: Int32 = 0
        waitpid(program.pid, &status, 0)
        guard status == 0 else {
            try Test.cancel("SKIPPED: a database that is protected by its \(protection): \(program.errors)")
        }
        return prefix
    }

    private func run(_ words: [String], _ prefix: [String], _ world: World) async throws -> Finished {
        let number = UInt64.random(in: 0 ... .max)
        let program = try RunningProgram(
            prefix + [BuiltProgram.manager.path()] + words,
            environment: [
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "\(world.path)/home", "TMPDIR": "\(world.path)/tmp",
                "INFRAKIT_STORE_DIR": world.storeDirectory, "INFRAKIT_PLUGINS_DIR": "\(world.path)/home/plugins",
            ],
            files: "\(world.path)/run\(number)"
        )
        let status: Int32 =
            switch try await program.end() {
            case .exit(let status): status
            case .signal(let signal): -signal
            }
        return Finished(words: words, status: status, output: program.output, errors: program.errors)
    }
}
