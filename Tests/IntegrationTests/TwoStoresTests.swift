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
}
