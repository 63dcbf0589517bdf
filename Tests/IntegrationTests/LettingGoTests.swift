import Glibc
import GroupSPI
import Store
import Testing

/// The end of a leader whose plugin does not let go as it should. No group may stay with two plugins, and somebody leads.
@Suite struct LettingGoTests {
    private func withTwo(
        _ words: [String],
        isOne: Bool = true,
        _ body: (World, Host, Host) async throws -> Void
    ) async throws {
        try await World.with(isOne: isOne) { world in
            let (n1, n2) = (try await world.host("n1"), try await world.host("n2"))
            try await n1.startManager(words)
            try await world.leader(is: n1)
            try await n2.startManager(words)
            try await n2.waitUntilFollowing(n1)
            try await body(world, n1, n2)
        }
    }

    /// The group that it keeps is one of the store, or nobody's.
    @Test(arguments: ["own", "alien"] as [Identifier])
    func aGroupThatThePluginKeepsDoesNotKeepTheNextManagerFromLeading(_ group: Identifier) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager(Host.quick)
            try await world.leader(is: n1)
            for group in ["own", "other"] as [Identifier] { try await n1.commit(group, 1) }
            if group == "alien" { n1.plugin.seed(.sized("alien", 1)) }
            n1.plugin.keep(group, saying: "backend is down")
            for _ in 0..<2 {
                let epoch = try await world.lease().epoch
                try n1.manager.send(SIGTERM)
                #expect(try await n1.manager.end() == .exit(0))
                #expect(n1.plugin.watched == [group])
                if group == "own" { #expect(n1.logs("groups still held by the plugin")) }
                try await eventually("no guard is left") { n1.guards.isEmpty }
                try await n1.startManager(Host.quick)
                try await world.leader(is: n1, after: epoch)
                try await n1.commit("other", 2)
            }
            // Also after a kill: the guard of the last run makes room.
            let epoch = try await world.lease().epoch
            try n1.manager.send(SIGKILL)
            _ = try await n1.manager.end()
            try await n1.startManager(Host.quick)
            try await world.leader(is: n1, after: epoch)
            try await eventually("there is one guard") { n1.guards.count == 1 }
        }
    }

    /// It lives on, and holds what it held; within a second its socket is there again.
    @Test(arguments: ["kill", "stop", "step-down"]) func aSocketThatWasAwayIsNoEnd(_ how: String) async throws {
        try await withTwo(Host.quick, isOne: false) { world, n1, n2 in
            for group in ["a", "b"] as [Identifier] { try await n1.commit(group, 1) }
            unlink(n1.plugin.socketPath)
            switch how {
            case "kill": try n1.manager.send(SIGKILL)
            case "stop": try n1.manager.send(SIGTERM)
            default: _ = try await n1.command("step-down")
            }
            try await world.leader(is: n2)
            try await eventually("n2 watches them") { n2.plugin.watched == ["a", "b"] }
            try await eventually("n1 has let them go") { n1.plugin.watched.isEmpty }
        }
    }

    /// The plugin carries out what it was told after the leader was asked to go.
    @Test(arguments: ["stop", "step-down"]) func whatIsUnderWayIsWaitedFor(_ how: String) async throws {
        try await withTwo(Host.patient) { world, n1, n2 in
            try await n1.commit("a", 1)
            n1.plugin.hang(on: "g")
            let spec = GroupSpec.sized("g", 1)
            async let answer = Result { () async throws(GroupError) -> GroupReply in
                try await n1.call(.commit(spec, pretend: false), within: .seconds(60))
            }
            try await eventually("the plugin is being told") { n1.plugin.waitingCount == 1 }
            if how == "stop" { try n1.manager.send(SIGTERM) } else { _ = try await n1.command("step-down") }
            try await eventually("the others are free") { n1.plugin.watched.isEmpty }
            let sequence = try await world.lease().sequence
            try await eventually("the lease is kept") { try await world.lease().sequence > sequence + 4 }
            #expect(try await world.lease().holder == "n1")
            n1.plugin.release("g")
            try await world.leader(is: n2)
            try await eventually("n2 watches both") { n2.plugin.watched == ["a", "g"] }
            #expect(n1.plugin.watched.isEmpty)
            _ = await answer
        }
    }

    /// Both managers name one plugin, each in its own way.
    @Test func theLeadersOwnPluginIsKnownByWhatItIs() async throws {
        try await World.with { world in
            let (n1, n2) = (try world.bareHost("n1"), try world.bareHost("n2"))
            let shared = FakePlugin(host: "shared", socketPath: "\(world.path)/shared", journal: world.journal)
            try await shared.start()
            try Files.write("unix://\(world.path)/shared", to: "\(n1.directory)/group-stateless.listen")
            #expect(symlink("\(world.path)/shared", "\(n2.directory)/group-stateless") == 0)
            try await n1.startManager(Host.quick)
            try await world.leader(is: n1)
            for group in ["a", "b"] as [Identifier] { try await n1.commit(group, 1) }
            try await n2.startManager(Host.quick)
            try await n2.waitUntilFollowing(n1)
            let sequence = try await world.lease().sequence
            try await eventually("time passes") { try await world.lease().sequence > sequence + 8 }
            #expect(shared.watched == ["a", "b"])
            #expect(world.journal.of("shared").allSatisfy { !$0.request.isFree })
            await shared.die()
        }
    }
}

extension Result where Failure == GroupError, Success: Sendable {
    fileprivate init(_ body: () async throws(GroupError) -> Success) async {
        do throws(GroupError) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
