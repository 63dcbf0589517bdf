import Glibc
import Testing

/// Names are looked at before anything begins.
@Suite struct ReplicaNameTests {
    @Test(
        arguments: [
            ("--id", ""), ("--id", " "), ("--id", "n1\n"), ("--id", "a\u{1B}[31mb"), ("--name", ""), ("--name", "a/b"),
            ("--name", ".."), ("--name", "a\nb"), ("--proxy-for-group", ""), ("--proxy-for-group", "/x"),
        ]
    )
    func aNameThatCannotBeOneIsWrongUsage(_ flag: String, _ value: String) async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            let finished = try await world.run(
                .manager,
                ["os", flag, value],
                environment: n1.environment
            )
            #expect(finished.status == 2 && finished.errors.contains("\(flag) must be "), "\(finished)")
            #expect(!Files.exists("\(world.storeDirectory)/manager.db"))
        }
    }

    @Test func aSecondReplicaWithTheIdOfALivingLeaderIsRefused() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let other = try world.bareHost("n1-too")
            let second = ["os", "--id", "n1", "--store-dir", world.storeDirectory]
            let refused = try await world.run(.manager, second, environment: other.environment)
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.errors.contains("another replica with the id 'n1' leads: process \(try n1.manager.pid)"))
            // A leader that was killed is no reason to wait.
            try await n1.manager.crash()
            try await n1.startManager()
            try await world.leader(is: n1, after: 1)
        }
    }
}
