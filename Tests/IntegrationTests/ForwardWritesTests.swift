import Glibc
import GroupSPI
import Store
import Testing

/// `os --forward-writes`.
@Suite struct ForwardWritesTests {
    private func withPair(_ body: (World, Host, Host) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let n2 = try await world.host("n2")
            try await n2.startManager(Host.patient + ["--forward-writes"])
            try await eventually("n2 follows") {
                try await n2.command("status", "-o", "json").json().at("replica", "role")?.string == "follower"
            }
            try await body(world, n1, n2)
        }
    }

    @Test func aWriteToAFollowerIsCarriedOutByTheLeader() async throws {
        try await withPair { world, n1, n2 in
            let spec = GroupSpec.sized("a", 3).json.raw.text
            let committed = try await n2.infrakit("group", "commit", "-", input: spec)
            #expect(committed.status == 0 && committed.output.contains("Managing 3 head of a"), "\(committed)")
            #expect(n1.plugin.size(of: "a") == 3 && n2.plugin.watched.isEmpty)
            let revision = try #require(try await world.history().first)
            #expect(
                revision.manager == "n1" && revision.operation.name == "commit" && revision.status.name == "applied"
            )
            // The one at the follower's socket, as that host knows them.
            let user = String(cString: getpwuid(getuid()).pointee.pw_name)
            var name = [CChar](repeating: 0, count: 256)
            gethostname(&name, name.count - 1)
            let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(revision.author == Author(user: Identifier(user), uid: Int(getuid()), host: Identifier(host)))

            n1.plugin.refuse("a", saying: "a stays as it is")
            let refused = try await n2.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 4).json.raw.text)
            #expect(refused.status == 1 && refused.errors.contains("a stays as it is"), "\(refused)")
            n1.plugin.accept("a")

            // What only the leader's plugin knows is not passed on.
            let described = try await n2.infrakit("group", "describe", "a")
            #expect(described.status == 1 && described.errors.contains("n1 leads"), "\(described)")
            let freed = try await n2.infrakit("group", "free", "a")
            #expect(freed.status == 0 && n1.plugin.watched.isEmpty, "\(freed)")
            #expect(try await world.history().map(\.operation.name) == ["commit", "commit", "free"])
            #expect(world.journal.of("n2").allSatisfy { !$0.request.isAct })
        }
    }

    /// Stored by the leader, which then dies: whoever leads next brings it about, and the caller hears of it.
    @Test func theCallerHearsOfItAlsoWhenTheLeaderDies() async throws {
        try await withPair { world, n1, n2 in
            try await n1.commit("b", 1)
            n1.plugin.hang(on: "a")
            async let commit = n2.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 3).json.raw.text)
            try await eventually("it is stored") { try await world.history().count == 2 }
            try await eventually("the plugin has been told") { n1.plugin.waitingCount == 1 }
            try await n1.manager.crash()
            // With its plugin, which would else carry the call out for nobody (docs/lease.md).
            await n1.plugin.die()
            try await world.leader(is: n2)
            let finished = try await commit
            #expect(finished.status == 0 && finished.output.contains("recorded as revision 2"), "\(finished)")
            #expect(n2.plugin.size(of: "a") == 3)
            try await world.everythingIsApplied()
        }
    }
}
