import Glibc
import GroupSPI
import Store
import Testing

/// `rollback`, from a host that has the database and nothing else.
@Suite struct RollbackTests {
    /// Revisions 1 to 4: a=1, b=1, a=2, c=1.
    private func withHistory(_ body: (World, Host) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try await n1.commit("a", 1)
            try await n1.commit("b", 1)
            try await n1.commit("a", 2)
            try await n1.commit("c", 1)
            try await body(world, n1)
        }
    }

    @Test func allGroupsGoBackAndWhatTheTargetLacksIsFreedNotDestroyed() async throws {
        try await withHistory { world, n1 in
            let finished = try await world.manager("rollback", "2", "--message", "c ate too much", "-o", "json")
            #expect(finished.status == 0, "\(finished)")
            let view = try finished.json()
            #expect(view.names.starts(with: ["revision", "target", "groups", "changed", "status", "error"]))
            #expect(view.at("revision")?.int == 5 && view.at("target")?.int == 2)
            #expect(view.at("groups")?.strings == ["a", "c"])
            #expect(view.at("changed")?.bool == true && view.at("status")?.string == "applied")
            #expect(view.at("error")?.isNull == true)
            #expect(view.at("outcomes")?.names == ["a", "c"])

            #expect(n1.plugin.watched == ["a", "b"])
            #expect(n1.plugin.size(of: "a") == 1)
            #expect(world.journal.all.contains { $0.request == .free(id: "c") })
            #expect(!world.journal.all.contains { $0.request == .destroy(id: "c") })
            let history = try await world.manager("history", "-o", "json").json().elements
            #expect(history[0].at("operation")?.string == "rollback")
            #expect(history[0].at("message")?.string == "c ate too much")
            #expect(history[0].at("current")?.bool == true)
            // The user database says who; the environment of these tests claims to be "tester".
            #expect(history[0].at("author", "user")?.string == String(cString: getpwuid(getuid()).pointee.pw_name))

            // And forward again: going back is a revision like any other.
            let forward = try await world.manager("rollback", "4")
            #expect(forward.status == 0 && forward.output.contains("revision 6"), "\(forward)")
            #expect(n1.plugin.watched == ["a", "b", "c"] && n1.plugin.size(of: "a") == 2)
        }
    }

    /// With looks that are minutes apart, a command that waited for one would give up before.
    @Test func onTheLeadersHostNobodyWaitsForTheNextLook() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager(["--lease-ttl", "60m", "--poll-interval", "10m"])
            try await world.leader(is: n1)
            for size in 1...3 { try await n1.commit("a", size) }
            for revision in ["1", "2", "3"] {
                let finished = try await world.manager("rollback", revision, "--group", "a")
                #expect(finished.status == 0, "\(finished)")
                #expect(n1.plugin.size(of: "a") == Int(revision))
            }
            let tagged = try await world.manager("tag", "1", "first")
            #expect(tagged.status == 0, "\(tagged)")
            let plan = try await world.manager("rollback", "first", "--dry-run")
            #expect(plan.status == 0, "\(plan)")
            #expect(try await world.history().count == 6)
        }
    }

    @Test func oneGroupGoesBackAlone() async throws {
        try await withHistory { world, n1 in
            let finished = try await world.manager("rollback", "1", "--group", "a", "-o", "json")
            #expect(finished.status == 0, "\(finished)")
            #expect(try finished.json().at("groups")?.strings == ["a"])
            #expect(n1.plugin.watched == ["a", "b", "c"] && n1.plugin.size(of: "a") == 1)
            let freed = try await world.manager("rollback", "1", "--group", "c")
            #expect(freed.status == 0, "\(freed)")
            #expect(n1.plugin.watched == ["a", "b"])
            let unknown = try await world.manager("rollback", "1", "--group", "zebra")
            #expect(unknown.status == 1 && unknown.errors.contains("a, b, c"), "\(unknown)")
        }
    }

    @Test func whatStandsAlreadyChangesNothing() async throws {
        try await withHistory { world, _ in
            let mark = world.journal.mark
            let finished = try await world.manager("rollback", "4", "-o", "json")
            #expect(finished.status == 0, "\(finished)")
            #expect(try finished.json().at("changed")?.bool == false)
            #expect(try finished.json().at("groups")?.elements.isEmpty == true)
            let words = try await world.manager("rollback", "4")
            #expect(words.status == 0 && words.output.contains("nothing changed"), "\(words)")
            #expect(try await world.history().count == 4)
            #expect(world.journal.all.allSatisfy { $0.number < mark || !($0.request.isAct || $0.request.isFree) })
        }
    }

    @Test func mistakesAreToldAndChangeNothing() async throws {
        try await withHistory { world, n1 in
            for unknown in ["9", "0"] {
                let finished = try await world.manager("rollback", unknown)
                #expect(finished.status == 1 && finished.errors.contains("1 to 4"), "\(finished)")
            }
            let stale = try await world.manager("rollback", "1", "--expect-current", "3")
            #expect(stale.status == 1, "\(stale)")
            #expect(stale.errors.contains("4, not 3"), "\(stale)")
            let plan = try await world.manager("rollback", "1", "--dry-run", "-o", "json")
            #expect(plan.status == 0, "\(plan)")
            #expect(try plan.json().at("groups")?.strings == ["a", "b", "c"])
            let words = try await world.manager("rollback", "1", "--dry-run")
            #expect(words.output.contains("would free c"), "\(words)")
            let stalePlan = try await world.manager("rollback", "1", "--dry-run", "--expect-current", "3")
            #expect(stalePlan.status == 1, "\(stalePlan)")
            #expect(try await world.history().count == 4)
            #expect(n1.plugin.watched == ["a", "b", "c"] && n1.plugin.size(of: "a") == 2)
            let right = try await world.manager("rollback", "1", "--expect-current", "4")
            #expect(right.status == 0, "\(right)")
        }
    }

    @Test func oneRefusedGroupOfTwoMakesItPartial() async throws {
        try await withHistory { world, n1 in
            try await n1.commit("b", 2)
            n1.plugin.refuse("b", saying: "b stays as it is")
            let finished = try await world.manager("rollback", "2", "-o", "json")
            #expect(finished.status == 6, "\(finished)")
            let view = try finished.json()
            #expect(view.at("status")?.string == "partial")
            #expect(view.at("error")?.string?.contains("b stays as it is") == true)
            #expect(view.at("outcomes", "a", "status")?.string == "applied")
            #expect(view.at("outcomes", "b", "status")?.string == "rejected")
            #expect(view.at("outcomes", "b", "error")?.string?.contains("b stays as it is") == true)
            #expect(view.at("outcomes", "c", "status")?.string == "applied")
            // The refused group keeps what it had.
            #expect(n1.plugin.size(of: "a") == 1 && n1.plugin.size(of: "b") == 2)
            let shown = try await world.manager("show", "--group", "b").output
            #expect(shown.contains(#""Size":2"#), "\(shown)")

            let only = try await world.manager("rollback", "2", "--group", "b", "-o", "json")
            #expect(only.status == 6, "\(only)")
            #expect(try only.json().at("status")?.string == "rejected")
        }
    }

    @Test func withoutALeaderTheRequestIsTakenBack() async throws {
        try await withHistory { world, n1 in
            try n1.manager.send(15)
            try await n1.manager.end()
            let finished = try await world.manager("rollback", "1", "--wait", "700ms")
            #expect(finished.status == 4, "\(finished)")
            #expect(finished.errors.contains("nobody leads"), "\(finished)")
            let handOver = try await world.manager("step-down", "--wait", "700ms")
            #expect(handOver.status == 4, "\(handOver)")

            try await n1.startManager()
            try await world.leader(is: n1)
            // Requests are taken up in their order: when this one is done, an older one would be too.
            let later = try await world.manager("rollback", "3", "--group", "c")
            #expect(later.status == 0, "\(later)")
            let history = try await world.history()
            #expect(history.count == 5 && history.last?.groups == ["c"])
            #expect(n1.plugin.size(of: "a") == 2)
            #expect(try await world.store.terms(within: .seconds(20)).count == 2)
        }
    }

    @Test func whileThePluginDoesNotAnswerItIsPending() async throws {
        try await withHistory { world, n1 in
            n1.plugin.hang(on: "a")
            let finished = try await world.manager("rollback", "2", "--wait", "3s", "-o", "json")
            #expect(finished.status == 7, "\(finished)")
            #expect(try finished.json().at("status")?.string == "pending")
            #expect(try finished.json().at("revision")?.int == 5)
            n1.plugin.release()
            try await eventually("it is applied") { try await world.history().last?.status.name == "applied" }
            #expect(n1.plugin.size(of: "a") == 1)

            // The same when there is nobody to answer.
            await n1.plugin.die()
            let later = try await world.manager("rollback", "4")
            #expect(later.status == 7 && later.output.contains("not confirmed by the plugin yet"), "\(later)")
            try await n1.plugin.start()
            try await eventually("it is applied, too") { try await world.history().last?.status.name == "applied" }
            try await eventually("all stand") { n1.plugin.watched == ["a", "b", "c"] }
        }
    }

    @Test func aRollbackIsCarriedOutByWhoeverLeadsNext() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            try await n1.commit("a", 2)
            try n1.manager.send(15)
            try await n1.manager.end()
            async let rollback = world.manager("rollback", "1", "-o", "json")
            try await n2.startManager()
            try await world.leader(is: n2)
            let finished = try await rollback
            #expect(finished.status == 0, "\(finished)")
            try await eventually("n2's plugin has the old size") { n2.plugin.size(of: "a") == 1 }
            #expect(try await world.history().count == 3)
        }
    }
}
