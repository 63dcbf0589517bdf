import Glibc
import GroupSPI
import Store
import Testing

/// What docs/security.md promises, tried on the programs.
@Suite struct SecurityTests {
    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func filesAreForTheirOwnerAlone() async throws {
        try await World.with { world in
            chmod(world.storeDirectory, 0o755)
            let n1 = try await world.leadingHost()
            try await n1.commit("web", 1)
            #expect(mode("\(world.storeDirectory)/manager.db") == 0o600)
            #expect(mode("\(n1.directory)/group") == 0o600)
            let backup = try await world.manager("backup", "\(world.path)/copy.db")
            #expect(backup.status == 0 && mode("\(world.path)/copy.db") == 0o600, "\(backup)")

            // A mode that was chosen stays: several users may share a database.
            chmod("\(world.storeDirectory)/manager.db", 0o660)
            let manager = try n1.manager
            manager.send(SIGTERM)
            try await manager.expectEnd(.exit(0))
            try await n1.startManager()
            try await world.leader(is: n1, after: 1)
            try await n1.commit("web", 2)
            #expect(mode("\(world.storeDirectory)/manager.db") == 0o660)

            // Where the store's directory is not there yet, it is made.
            let home = "\(world.path)/new-home"
            let other = try world.start(
                .manager,
                ["os", "--name", "other", "--proxy-for-group", "another-plugin"],
                environment: n1.environment.merging(["HOME": home, "INFRAKIT_STORE_DIR": ""]) { _, new in new }
            )
            try await eventually("it runs") { other.errors.contains("msg=\"listening\"") }
            #expect(Files.exists("\(home)/.infrakit/configs/manager.db"))
            #expect(mode("\(home)/.infrakit") == 0o700 && mode("\(home)/.infrakit/configs") == 0o700)
            other.send(SIGTERM)
            try await other.expectEnd(.exit(0))
        }
    }

    /// A secret in a specification: committed, changed, refused, read, taken over by another replica.
    @Test func noSpecificationIsLogged() async throws {
        try await World.with { world in
            let secret = "s3cr3t-\(UInt32.random(in: 0 ... .max))"
            let spec = { (size: Int) in
                #"{"ID":"web","Properties":{"Allocation":{"Size":\#(size)},"Password":"\#(secret)"}}"#
            }
            let n1 = try await world.leadingHost()
            let n2 = try await world.host("n2")
            try await n2.startManager()
            for size in 1...3 {
                let committed = try await n1.infrakit("group", "commit", "-", input: spec(size))
                #expect(committed.status == 0, "\(committed)")
            }
            n1.plugin.refuse("web", saying: "no such image")
            #expect(try await n1.infrakit("group", "commit", "-", input: spec(4)).status == 1)
            n1.plugin.accept("web")
            #expect(try await n2.infrakit("group", "commit", "-", input: spec(5)).status == 1)
            #expect(try await n1.infrakit("group", "commit", "-", input: spec(6) + "}").status != 0)
            #expect(try await world.manager("rollback", "1").status == 0)
            #expect(try await world.manager("step-down").status == 0)
            try await world.leader(is: n2)
            try await eventually("n2 watches it") { n2.plugin.watched == ["web"] }
            for host in [n1, n2] {
                let manager = try host.manager
                try await eventually("\(host.name) logs what it does with the group") {
                    manager.errors.contains("group=web")
                }
                #expect(!manager.errors.contains(secret), "\(manager.errors)")
            }
            // It is where it has to be.
            #expect(try await world.manager("show").output.contains(secret))
        }
    }

    @Test func onlyWhoMayConnectIsHeardAndIsTheAuthor() async throws {
        guard geteuid() == 0, let nobody = getpwnam("nobody")?.pointee.pw_uid else {
            try Test.cancel("SKIPPED: it takes root to be somebody else")
        }
        try await World.with { world in
            chmod(world.path, 0o755)
            let version = try await world.run(.manager, ["version"], user: nobody)
            guard version.status == 0 else { try Test.cancel("SKIPPED: nobody cannot run the programs: \(version)") }
            // As it comes: nobody else gets so far as to connect.
            let n1 = try await world.leadingHost()
            chmod(n1.directory, 0o755)
            let closed = try await commit(as: nobody, on: n1, in: world)
            #expect(closed.status != 0 && closed.errors.contains("no permission to connect"), "\(closed)")
            try n1.manager.send(SIGTERM)
            try await n1.manager.expectEnd(.exit(0))

            // Opened to all, and one of them named.
            try await n1.startManager(Host.patient + ["--socket-mode", "666", "--allow-uid", "\(nobody + 1)"])
            try await world.leader(is: n1, after: 1)
            let refused = try await commit(as: nobody, on: n1, in: world)
            #expect(refused.status != 0 && n1.logs("its user may not call"), "\(refused)")
            #expect(try await world.history().isEmpty)
            try n1.manager.send(SIGTERM)
            try await n1.manager.expectEnd(.exit(0))

            try await n1.startManager(Host.patient + ["--socket-mode", "666", "--allow-uid", "\(nobody)"])
            try await world.leader(is: n1, after: 2)
            let accepted = try await commit(as: nobody, on: n1, in: world)
            #expect(accepted.status == 0, "\(accepted)")
            let author = try #require(try await world.history().first?.author)
            #expect(author.user == "nobody" && author.uid == Int(nobody), "\(author)")
            let shown = try await world.manager("history")
            #expect(shown.output.contains("nobody"), "\(shown)")

            // The database is not theirs to read.
            let read = try await world.run(
                .manager,
                ["history"],
                environment: ["INFRAKIT_STORE_DIR": world.storeDirectory],
                user: nobody
            )
            let words = "no permission to access \(world.storeDirectory)"
            #expect(read.status == 5 && read.errors.contains(words), "\(read)")
        }
    }

    private func commit(as user: uid_t, on host: Host, in world: World) async throws -> Finished {
        try await world.run(
            .infrakit,
            ["group", "commit", "-"],
            environment: host.environment,
            input: GroupSpec.sized("web", 1).json.raw.text,
            user: user
        )
    }
}
