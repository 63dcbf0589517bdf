import Glibc
import GroupSPI
import Testing

/// `infrakit-manager swarm` where there is no swarm.
@Suite struct SwarmCommandTests {
    @Test(
        arguments: [
            (["--host", "ftp://engine"], "ftp://engine"),
            (["--host", "unix:///nowhere.sock", "--tlscacert", "ca.pem"], "--tlscacert is for tcp:// addresses"),
            (["--poll-interval", "1ms"], "200ms to 1m, not 1ms"),
            (["--tlsverify=perhaps"], "perhaps"),
            (["--history-limit", "0"], "1 or more, not 0"),
        ]
    )
    func whatCannotBeFollowedIsWrongUsage(_ words: [String], _ sentence: String) async throws {
        try await World.with { world in
            let host = try world.bareHost("n1")
            let finished = try await world.run(.manager, ["swarm"] + words, environment: host.environment)
            #expect(finished.status == 2 && finished.errors.contains(sentence), "\(finished)")
        }
    }

    @Test func withoutAnEngineNobodyLeadsAndReadingSaysWhy() async throws {
        try await World.with { world in
            let host = try await world.host("n1", engine: "\(world.path)/no.sock")
            try await host.startManager(["--tlsverify"])
            let status: Finished = try await eventually("the manager tells why it does not lead") {
                let finished = try await host.command("status")
                return finished.output.contains("no.sock") ? finished : nil
            }
            #expect(status.status == 4, "\(status)")
            let spec = GroupSpec.sized("web", 1).json.raw.text
            let refusal = try await host.infrakit("group", "commit", "-", input: spec)
            #expect(refusal.status != 0 && refusal.errors.contains("not the leader"), "\(refusal)")
            #expect(try await host.command("history").status == 0)
            let doctor = try await host.command("doctor")
            #expect(doctor.status == 1 && doctor.output.contains("no.sock"), "\(doctor)")

            // One copy, one manager.
            let second = try await world.run(
                .manager,
                ["swarm", "--name", "other", "--host", "unix://\(world.path)/no.sock"],
                environment: host.environment
            )
            #expect(second.status == 1 && second.errors.contains("holds it"), "\(second)")
            #expect(second.errors.contains("a store directory of its own"))
        }
    }

    @Test func aHistoryOfItsOwnIsNoCopy() async throws {
        try await World.with { world in
            let host = try await world.leadingHost()
            try await host.commit("web", 1)
            let manager = try host.manager
            manager.send(SIGTERM)
            try await manager.expectEnd(.exit(0))
            let finished = try await world.run(
                .manager,
                ["swarm", "--host", "unix://\(world.path)/no.sock"],
                environment: host.environment
            )
            #expect(finished.status == 1 && finished.errors.contains("a manager in os mode"), "\(finished)")
            #expect(try await world.history().count == 1)
        }
    }
}
