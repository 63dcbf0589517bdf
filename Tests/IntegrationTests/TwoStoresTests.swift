import Glibc
import GroupSPI
import Testing

/// Two stores on one plugin would let each other's groups go.
@Suite struct TwoStoresTests {
    /// The plugin is named by its own path, or by another that leads to it.
    @Test(arguments: [false, true]) func aManagerOfAnotherStoreIsRefused(_ isLinked: Bool) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            var directory = n1.directory
            if isLinked {
                directory = "\(world.path)/linked"
                try Files.makeDirectory(directory)
                #expect(symlink(n1.plugin.socketPath, "\(directory)/group-stateless") == 0)
            }
            try Files.makeDirectory("\(world.path)/other")
            let other = ["os", "--id", "n2", "--name", "group2", "--store-dir", "\(world.path)/other"]
            let environment = ["INFRAKIT_PLUGINS_DIR": directory, "INFRAKIT_STORE_DIR": "\(world.path)/other"]
            let refused = try await world.run(.manager, other, environment: environment)
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.errors.contains("a manager of another store uses the plugin"), "\(refused)")
            #expect(refused.errors.contains("\(world.storeDirectory)/manager.db"), "\(refused)")
            #expect(n1.plugin.watched == ["a"])

            // One of the same store is none, and one that has gone is none either.
            let same = ["os", "--id", "n2", "--name", "group2", "--store-dir", "\(world.path)/alias"]
            #expect(symlink(world.storeDirectory, "\(world.path)/alias") == 0)
            let second = try world.start(.manager, same + Host.patient, environment: environment, log: "second-")
            try await eventually("it serves its socket") { second.errors.contains("msg=\"listening\"") }
            second.send(SIGTERM)
            try await second.expectEnd(.exit(0))
            try n1.manager.send(SIGTERM)
            try await n1.manager.expectEnd(.exit(0))
            let alone = try world.start(.manager, other + Host.patient, environment: environment, log: "alone-")
            try await eventually("it serves its socket") { alone.errors.contains("msg=\"listening\"") }
            alone.send(SIGTERM)
            try await alone.expectEnd(.exit(0))
        }
    }

    /// Neither passes a call on to the other for ever, and either says why it does not lead; mended, the other one leads.
    @Test func managersThatNameEachOtherAsTheirPluginsDoNotLead() async throws {
        try await World.with { world in
            let directory = "\(world.path)/plugins"
            try Files.makeDirectory(directory)
            func start(_ name: String, _ plugin: String, _ store: String) throws -> RunningProgram {
                try Files.makeDirectory("\(world.path)/\(store)")
                let words = [
                    "os", "--id", store, "--name", name, "--proxy-for-group", plugin, "--store-dir",
                    "\(world.path)/\(store)",
                    "--reconcile-interval", "400ms",
                ]
                return try world.start(
                    .manager,
                    words + Host.patient,
                    environment: ["INFRAKIT_PLUGINS_DIR": directory],
                    log: "\(store)-"
                )
            }
            func reason(_ name: String, _ store: String) async throws -> String {
                let environment = [
                    "INFRAKIT_PLUGINS_DIR": directory, "INFRAKIT_STORE_DIR": "\(world.path)/\(store)",
                ]
                let status = try await world.run(
                    .manager,
                    ["status", "--name", name, "-o", "json"],
                    environment: environment
                )
                // Not before there is a database.
                return (try? status.json())?.at("replica", "reason")?.string ?? ""
            }
            let first = try start("group", "group2", "s1")
            let second = try start("group2", "group", "s2")
            for (name, store) in [("group", "s1"), ("group2", "s2")] {
                try await eventually("\(name) says why it does not lead") {
                    try await reason(name, store).contains("forwards to this one")
                }
            }
            second.send(SIGTERM)
            try await second.expectEnd(.exit(0))
            try await eventually("the other one leads") {
                try await reason("group", "s1").contains("holds the lease")
            }
            first.send(SIGTERM)
            try await first.expectEnd(.exit(0))
        }
    }
}
