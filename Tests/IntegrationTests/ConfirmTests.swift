import Glibc
import GroupSPI
import Store
import Testing

/// `commit --confirm` and `confirm`.
@Suite struct ConfirmTests {
    private func commit(_ world: World, _ sizes: [Identifier: Int], confirm: String) async throws -> Finished {
        let specs = sizes.sorted { $0.key < $1.key }.map { GroupSpec.sized($0.key, $0.value).json.raw.text }
        let text = "[\(specs.joined(separator: ","))]"
        let finished = try await world.manager("commit", "-", "--confirm", confirm, input: text)
        try #require(finished.status == 0, "\(finished)")
        return finished
    }

    @Test func whatNobodyConfirmsIsUndone() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            let finished = try await commit(world, ["a": 9, "b": 9], confirm: "2s")
            #expect(finished.output.contains("unless you run: infrakit-manager confirm 2\n"), "\(finished)")
            try await eventually("it is undone") {
                try await world.history().map(\.status.name) == ["applied", "applied", "applied"]
            }
            let history = try await world.history()
            #expect(history[2].operation.name == "rollback" && history[2].target == 1)
            #expect(history[2].groups == ["a", "b"] && history[2].sizes == [1, nil])
            #expect(history[2].message == "revision 2 was not confirmed within 2s")
            #expect(history[2].time - history[1].time >= 1900, "too early")
            #expect(n1.plugin.watched == ["a"] && n1.plugin.size(of: "a") == 1)
            #expect(!world.journal.all.contains { $0.request == .destroy(id: "b") })
            let json = try await world.manager("history", "-o", "json").json().elements
            #expect(json[1].at("confirm", "state")?.string == "reverted")

            let late = try await world.manager("confirm", "2")
            #expect(late.status == 1 && late.errors.contains("was reverted"), "\(late)")
            let none = try await world.manager("confirm")
            #expect(none.status == 1 && none.errors.contains("no revision is waiting"), "\(none)")
            let never = try await world.manager("confirm", "1")
            #expect(never.status == 1 && never.errors.contains("needs no confirmation"), "\(never)")
        }
    }

    /// Once with the leader that took it up, and once with one that takes over meanwhile.
    @Test(arguments: [false, true])
    func whatIsConfirmedStays(_ leaderDies: Bool) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let n2 = try await world.host("n2")
            try await n2.startManager()
            try await n1.commit("a", 1)
            try await n1.commit("b", 1)
            _ = try await commit(world, ["a": 9], confirm: "12s")
            // Its time ends after the first one's: when it is undone, the first would have been.
            _ = try await commit(world, ["b": 9], confirm: "12s")
            let status = try await world.manager("status", "-o", "json").json()
            #expect(status.at("revision", "unconfirmed")?.ints == [3, 4])
            let unclear = try await world.manager("confirm")
            #expect(unclear.status == 2 && unclear.errors.contains("3, 4"), "\(unclear)")
            if leaderDies { try await n1.manager.crash() }
            let confirmed = try await world.manager("confirm", "3")
            #expect(confirmed.status == 0 && confirmed.output == "revision 3 confirmed\n", "\(confirmed)")
            if leaderDies { try await world.leader(is: n2) }

            let leader = leaderDies ? n2 : n1
            try await eventually("the other is undone") {
                try await world.history().dropFirst(4).map(\.status.name) == ["applied"]
            }
            let history = try await world.history()
            #expect(history[4].groups == ["b"] && history[4].target == 3 && history[4].manager.text == leader.name)
            #expect(leader.plugin.size(of: "a") == 9 && leader.plugin.size(of: "b") == 1)
            let again = try await world.manager("confirm", "3")
            #expect(again.status == 1 && again.errors.contains("is confirmed already"), "\(again)")
            #expect(try await world.history().count == 5)
        }
    }

    /// The next leader's clock is an hour ahead of the one's that stored the deadline, and then it is set a day ahead.
    @Test func clocksThatAreWrongDoNotCutItShort() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let n2 = try await world.host("n2")
            let clock = try WallClock(path: "\(world.path)/n2.clock")
            try clock.jump(by: 3600)
            try await n2.startManager(Host.patient, environment: clock.environment)
            try await n1.commit("a", 1)
            let start = ContinuousClock.now
            _ = try await commit(world, ["a": 9], confirm: "12s")
            let committed = ContinuousClock.now
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            try await world.leader(is: n2)
            try clock.jump(by: 86_400)
            try await eventually("that is told") { n2.logs("msg=\"wall clock set\"") }
            try await eventually("it is undone") { try await world.history().count == 3 }
            // By the clock of the one who looks on: it was undone after the commit was asked for, and not before its time.
            #expect(ContinuousClock.now - start >= .seconds(12), "too early")
            #expect(ContinuousClock.now - committed < .seconds(60), "the time began anew")
            let revision = try #require(try await world.history().last)
            #expect(revision.manager == "n2" && revision.sizes == [1])
            let verified = try await world.manager("verify")
            #expect(verified.status == 0, "\(verified)")
        }
    }
}
