import Glibc
import GroupSPI
import Store
import Testing

/// What a command says of a request that did not come to its end.
struct RequestEndTests {
    private static let spec = #"{"ID":"a","Properties":{"Allocation":{"Size":7}}}"#

    private func request(_ world: World) async throws -> Request? {
        try await world.store.waitingRequests(within: .seconds(20)).first
    }

    /// A command that waits while nobody leads, and the request that it has left.
    private func withWaitingCommit(
        _ body: (World, Host, RunningProgram, Request) async throws -> Void
    ) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            let command = try world.start(
                .manager,
                ["commit", "-", "--wait", "10m"],
                environment: n1.environment,
                input: Self.spec
            )
            try await eventually("the request is there") { try await self.request(world) != nil }
            try await body(world, n1, command, try #require(try await request(world)))
        }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func aSignalTakesItBack(_ signal: Int32) async throws {
        try await withWaitingCommit { world, n1, command, request in
            command.send(signal)
            #expect(try await command.end() == .exit(1))
            #expect(command.errors.hasSuffix("infrakit-manager: cancelled; nothing was changed\n"), "\(command.errors)")
            #expect(command.output.isEmpty)
            #expect(try await world.store.request(request.id, within: .seconds(20))?.state == .cancelled)
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("b", 1)
            #expect(try await world.history().count == 2 && n1.plugin.size(of: "a") == 1)
        }
    }

    /// Nobody could take it back: the next leader does not carry it out all the same.
    @Test func whatAKilledCommandHadAskedIsNotCarriedOut() async throws {
        try await withWaitingCommit { world, n1, command, request in
            command.send(SIGKILL)
            #expect(try await command.end() == .signal(SIGKILL))
            try await n1.startManager()
            try await world.leader(is: n1)
            // Requests are taken up in their order: when this one is done, the older one would be too.
            let later = try await world.manager("rollback", "1", "--group", "a")
            #expect(later.status == 0, "\(later)")
            #expect(try await world.history().count == 1 && n1.plugin.size(of: "a") == 1)
            #expect(try await world.store.request(request.id, within: .seconds(20))?.revision == nil)
        }
    }

    /// Whoever waits is heard by the leader that comes.
    @Test func whatStillWaitsIsCarriedOutByTheNextLeader() async throws {
        try await withWaitingCommit { world, n1, command, _ in
            try await n1.startManager()
            #expect(try await command.end() == .exit(0))
            #expect(command.output.contains("revision 2: committed, applied"), "\(command.output)")
            #expect(n1.plugin.size(of: "a") == 7)
        }
    }

    /// It is stored, and the plugin hangs: a signal cannot take that back, and the command says so.
    @Test func whatIsStoredIsPendingAfterASignal() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            n1.plugin.hang(on: "a")
            let command = try world.start(
                .manager,
                ["commit", "-", "--wait", "10m"],
                environment: n1.environment,
                input: Self.spec
            )
            try await eventually("it is stored") { try await world.history().count == 2 }
            command.send(SIGINT)
            #expect(try await command.end() == .exit(7))
            #expect(command.output.contains("revision 2: committed, pending"), "\(command.output)")
            #expect(!command.output.contains("nothing was changed"))
        }
    }

    /// Somebody leads, and is busy with the same group.
    @Test func whoLeadsIsNotSaidToBeNobody() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            try await n1.commit("b", 1)
            n1.plugin.hang(on: "a")
            let first = try world.start(
                .manager,
                ["commit", "-", "--wait", "10m"],
                environment: n1.environment,
                input: Self.spec
            )
            try await eventually("it is stored") { try await world.history().count == 3 }
            let second = try await world.run(
                .manager,
                ["commit", "-", "--wait", "3s"],
                environment: n1.environment,
                input: Self.spec.replacing("7", with: "8")
            )
            #expect(second.status == 1, "\(second)")
            #expect(second.errors.contains("n1 leads (epoch 1)"), "\(second)")
            #expect(second.errors.contains("was still waiting for another change of group 'a'"), "\(second)")
            #expect(second.errors.contains("the request was cancelled and nothing was changed"), "\(second)")
            // What does not touch that group is not held up.
            let other = try await world.run(
                .manager,
                ["commit", "-", "--wait", "30s"],
                environment: n1.environment,
                input: #"{"ID":"b","Properties":{"Allocation":{"Size":3}}}"#
            )
            #expect(other.status == 0 && n1.plugin.size(of: "b") == 3, "\(other)")
            first.send(SIGINT)
            #expect(try await first.end() == .exit(7))
        }
    }
}
