import Glibc
import GroupSPI
import PluginRPC
import Store
import Testing

/// `os --history-limit`.
@Suite struct RetentionTests {
    @Test func prunesWhileCommitsGoOnAndKeepsWhatIsTagged() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            // A group that never changes again stands at its revision.
            try await n1.commit("quiet", 1)
            try await n1.withClient { client in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for group in 0..<8 {
                        tasks.addTask {
                            for size in 1...40 {
                                let spec = GroupSpec.sized("g\(group)", size)
                                _ = try await client.call(.commit(spec, pretend: false), within: .seconds(60))
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            #expect(try await world.history().count == 321)
            #expect(try await world.manager("tag", "100", "kept").status == 0)
            let tagged = try await world.manager("show", "kept").output
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()

            try await n1.startManager(Host.patient + ["--history-limit", "5"])
            try await world.leader(is: n1, after: 1)
            let writer = SteadyWriter(n1, groups: 1)
            try await writer.write {
                try await eventually("the history is pruned") { n1.logs("msg=\"history pruned\"") }
            }

            let retention = try await world.store.retention(within: .seconds(20))
            #expect(retention.removed > 200 && retention.manager == "n1")
            let history = try await world.history()
            let newest = try #require(history.last?.number)
            let total = writer.written
            #expect(newest == 321 + total, "a commit is missing")
            #expect(history.count + retention.removed == newest)
            // What is tagged, what a group stands at then and at the whole part, and the newest.
            #expect(history.contains { $0.number == 100 } && history.contains { $0.groups == ["quiet"] })
            #expect(history.map(\.number).suffix(5) == Array(newest - 4...newest))
            #expect(history.count <= 5 + total + 8 + 8 + 2, "\(history.map(\.number))")
            #expect(try await world.manager("show", "kept").output == tagged)
            let gone = try await world.manager("show", "50")
            #expect(gone.status == 1 && gone.errors.contains("removed by retention"), "\(gone)")
            #expect(gone.errors.contains("100 (kept)"), "\(gone)")
            let back = try await world.manager("rollback", "kept", "--group", "g7")
            #expect(back.status == 0, "\(back)")

            let json = try await world.manager("history", "-o", "json").json().elements
            #expect(json.count == history.count + (back.output.contains("nothing changed") ? 0 : 1))
            let verified = try await world.manager("verify", "-o", "json")
            #expect(try verified.status == 0 && verified.json().at("ok")?.bool == true, "\(verified)")
            #expect(try verified.json().at("revisions")?.int == json.count)
            #expect(try verified.json().at("removed")?.int == retention.removed)
            let table = try await world.manager("history", "-n", "1000")
            #expect(table.output.contains("(\(retention.removed) removed by retention"), "\(table)")
            #expect(n1.plugin.size(of: "quiet") == 1)
        }
    }

    /// Ten years ahead for a while, with a day to keep; then only what is old by the time that has passed goes.
    @Test func aClockThatIsSetRemovesNothing() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let clock = try WallClock(path: "\(world.path)/n1.clock")
            try await n1.startManager(Host.patient + ["--history-max-age", "24h"], environment: clock.environment)
            try await world.leader(is: n1)
            for size in 1...6 { try await n1.commit("a", size) }
            try clock.jump(by: 315_360_000)
            try await eventually("that is told") { n1.logs("msg=\"wall clock set\"") }
            try await n1.commit("a", 7)
            // A term begins with a look for what is not kept.
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            try await n1.startManager(Host.patient + ["--history-max-age", "24h"], environment: clock.environment)
            try await world.leader(is: n1, after: 1)
            try clock.jump(by: 0)
            try await n1.commit("a", 8)
            #expect(try await world.history().map(\.number) == Array(1...8))
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            try await n1.startManager(Host.patient + ["--history-max-age", "3s"], environment: clock.environment)
            try await world.leader(is: n1, after: 2)
            try await eventually("what is old is gone") { n1.logs("msg=\"history pruned\"") }
            #expect(try await world.history().map(\.number).last == 8)
            let verified = try await world.manager("verify")
            #expect(verified.status == 0, "\(verified)")
        }
    }

    @Test func aLimitOfNothingIsWrongUsage() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            for words in [["--history-limit", "0"], ["--history-max-age", "old"], ["--history-limit", "x"]] {
                let finished = try await world.run(.manager, ["os"] + words, environment: n1.environment)
                #expect(finished.status == 2, "\(finished)")
            }
        }
    }
}
