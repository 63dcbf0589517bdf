import Glibc
import GroupSPI
import Store
import Testing

/// Every exit status that cli.md promises, each from the program itself. One row for each way to reach it; the row's name
/// is in the name of the test.
@Suite struct ExitStatusTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let status: Int32
        let what: String
        /// With blanks between the words.
        let line: String
        var needs = Needs.database

        var testDescription: String { "\(status): \(what)" }
    }

    /// What has to be there.
    enum Needs: Sendable {
        case nothing
        /// A database whose leader does not run.
        case database
        /// A leader, with revision 1 (size 1) and 2 (size 2) of the group `a`.
        case leader
        /// The same, and its plugin refuses changes.
        case refusal
        /// The same, and its plugin is gone.
        case silence
        /// Run on a host that follows.
        case follower
        /// A database whose leader has handed leadership over.
        case released
    }

    private static let rows: [Row] = [
        Row(status: 0, what: "help", line: "--help", needs: .nothing),
        Row(status: 0, what: "the version", line: "version", needs: .nothing),
        Row(status: 0, what: "a history", line: "history"),
        Row(status: 0, what: "a sound database", line: "verify"),
        Row(status: 0, what: "somebody leads elsewhere", line: "status"),
        Row(status: 0, what: "this replica leads", line: "status", needs: .leader),
        Row(status: 0, what: "a rollback that was applied", line: "rollback 1", needs: .leader),
        Row(status: 0, what: "a rollback that changes nothing", line: "rollback 2", needs: .leader),
        Row(status: 1, what: "an unknown revision", line: "show 99"),
        Row(status: 1, what: "an unknown tag", line: "rollback nothing"),
        Row(status: 1, what: "a refused request", line: "rollback 1 --expect-current 1", needs: .leader),
        Row(status: 1, what: "a file that is missing", line: "commit /nowhere/file"),
        Row(status: 1, what: "something fatal", line: "doctor --store-dir /nowhere", needs: .nothing),
        Row(status: 2, what: "an unknown verb", line: "frob", needs: .nothing),
        Row(status: 2, what: "an unknown flag", line: "history --frob"),
        Row(status: 2, what: "a wrong value", line: "history -o xml"),
        Row(status: 2, what: "a value that the library cannot know to be wrong", line: "history --since yesterday"),
        Row(status: 3, what: "this replica follows", line: "status", needs: .follower),
        Row(status: 4, what: "nobody leads", line: "status", needs: .released),
        Row(status: 4, what: "nobody takes a request up", line: "step-down --wait 100ms", needs: .released),
        Row(status: 4, what: "nobody rolls back", line: "rollback 1 --wait 100ms"),
        Row(status: 5, what: "no database", line: "history --store-dir /nowhere", needs: .nothing),
        Row(status: 6, what: "the plugin refuses", line: "rollback 1", needs: .refusal),
        Row(status: 7, what: "the plugin does not answer in time", line: "rollback 1 --wait 2s", needs: .silence),
        Row(status: 0, what: "diff: the same", line: "diff 1 1"),
        Row(status: 1, what: "diff: different", line: "diff 1 2"),
        Row(status: 2, what: "diff: an unknown revision", line: "diff 1 99"),
        Row(status: 2, what: "diff: no database", line: "diff 1 --store-dir /nowhere", needs: .nothing),
        Row(status: 2, what: "diff: an unknown flag", line: "diff 1 --frob"),
    ]

    @Test func noStatusIsMissing() {
        #expect(Set(Self.rows.map(\.status)) == Set(0...7))
        #expect(Set(Self.rows.filter { $0.line.hasPrefix("diff") }.map(\.status)) == [0, 1, 2])
    }

    @Test(arguments: rows) func itIsReached(_ row: Row) async throws {
        try await World.with { world in
            let finished = try await finish(row, world)
            #expect(finished.status == row.status, "\(row.testDescription): \(finished)")
            // Results on the standard output, troubles on the standard error, never both.
            let fails = row.status != 0
            let tells =
                ["status", "rollback", "diff", "doctor"].contains { row.line.hasPrefix($0) } && !finished.output.isEmpty
            #expect(finished.errors.isEmpty == (!fails || tells), "\(finished)")
            if fails, !tells { #expect(finished.output.isEmpty, "\(finished)") }
        }
    }

    private func finish(_ row: Row, _ world: World) async throws -> Finished {
        let words = row.line.split(separator: " ").map(String.init)
        switch row.needs {
        case .nothing, .database, .released:
            if row.needs != .nothing { try await MadeDatabase.make(in: world.storeDirectory) }
            if row.needs == .released {
                let lease = try await world.lease()
                let fence = Fence(instance: lease.instance, epoch: lease.epoch, manager: lease.holder)
                try await world.store.releaseLease(fence, reason: "a test", within: .seconds(60))
            }
            return try await world.run(
                .manager,
                words,
                environment: [
                    "INFRAKIT_STORE_DIR": world.storeDirectory, "INFRAKIT_PLUGINS_DIR": "\(world.path)/none",
                ]
            )
        case .leader, .refusal, .silence, .follower:
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            try await n1.commit("a", 2)
            var host = n1
            switch row.needs {
            case .refusal: n1.plugin.refuse("a", saying: "no")
            case .silence: await n1.plugin.die()
            case .follower:
                host = try await world.host("n2")
                try await host.startManager()
                try await host.waitUntilFollowing(n1)
            default: break
            }
            return try await world.run(.manager, words, environment: host.environment)
        }
    }
}
