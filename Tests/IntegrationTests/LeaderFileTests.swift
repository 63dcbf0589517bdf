import Glibc
import GroupSPI
import Store
import Testing

/// `--leader-file`: the original way of naming the leader.
@Suite struct LeaderFileTests {
    @Test func theFileDecidesAndTheLeaseStillCounts() async throws {
        try await World.with { world in
            let file = "\(world.path)/leader"
            try Files.write("n1\n", to: file)
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n2.startManager(Host.patient + ["--leader-file", file])
            try await n1.startManager(Host.patient + ["--leader-file", file])
            try await world.leader(is: n1)
            for group: Identifier in ["a", "b"] { try await n1.commit(group, 1) }
            let first = try await world.lease().epoch

            try Files.replace(file, with: "  n2  \n")
            try await world.leader(is: n2, after: first)
            try await eventually("n2 watches all") { n2.plugin.watched == ["a", "b"] }
            #expect(n1.plugin.watched.isEmpty)
            let entries = world.journal.all
            let lastFree = try #require(entries.lastFree(on: "n1"))
            let firstWatch = try #require(entries.firstWatch(on: "n2"))
            #expect(lastFree < firstWatch)
            try await n1.waitUntilFollowing(n2)
            let refused = try await n1.infrakit("group", "free", "a")
            #expect(refused.status == 1 && refused.errors.contains("n2"), "\(refused)")
            try await n2.commit("a", 2)

            try Files.replace(file, with: "")
            try await eventually("nobody leads") { try await !world.lease().isHeld }
            #expect(n2.plugin.watched.isEmpty)
            let spec = GroupSpec.sized("a", 9).json.raw.text
            for host in [n1, n2] {
                let refused = try await host.infrakit("group", "commit", "-", input: spec)
                #expect(refused.status == 1 && refused.errors.contains("not the leader"), "\(refused)")
            }
            #expect(try await world.manager("status").status == 4)
            #expect(try await world.history().count == 3)

            try Files.replace(file, with: "n1")
            try await world.leader(is: n1)
            try await eventually("n1 watches all") { n1.plugin.watched == ["a", "b"] }
            #expect(n1.plugin.size(of: "a") == 2)
        }
    }

    @Test func aFileThatIsMissingAtTheStartIsAnError() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let file = "\(world.path)/none"
            let finished = try await n1.command("os", "--leader-file", file)
            #expect(finished.status == 1)
            #expect(finished.errors.contains(file) && finished.errors.contains("leader file"), "\(finished)")
            let directory = try await n1.command("os", "--leader-file", world.path)
            #expect(directory.status == 1 && directory.errors.contains("must be a file"), "\(directory)")
        }
    }

    /// To open it would wait for a writer, and the file that follows it would never be read.
    @Test func aPipeInItsPlaceNamesNobodyAndTheNextFileIsRead() async throws {
        try await World.with { world in
            let file = "\(world.path)/leader"
            try Files.write("n1", to: file)
            let n1 = try await world.host("n1")
            try await n1.startManager(Host.patient + ["--leader-file", file])
            try await world.leader(is: n1)
            Files.remove(file)
            #expect(mkfifo(file, 0o600) == 0)
            try await eventually("it says why it does not lead") { n1.logs("\(file) must be a file") }
            try Files.replace(file, with: "n1")
            try await world.leader(is: n1, after: 1)
        }
    }

    @Test func aFileThatGoesAwayNamesNobody() async throws {
        try await World.with { world in
            let file = "\(world.path)/leader"
            try Files.write("n1", to: file)
            let n1 = try await world.host("n1")
            try await n1.startManager(Host.patient + ["--leader-file", file])
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            Files.remove(file)
            try await eventually("nobody leads") { try await !world.lease().isHeld }
            #expect(n1.plugin.watched.isEmpty)
            #expect(try n1.manager.isRunning)
            try Files.replace(file, with: "n1")
            try await world.leader(is: n1, after: 1)
            try await eventually("n1 watches again") { n1.plugin.watched == ["a"] }
        }
    }
}
