import GroupSPI
import Store
import Testing

/// Plugins that restart, are not there, die in the middle of a call, say no, or take their time.
@Suite struct PluginTroubleTests {
    @Test func aPluginThatRestartedIsToldItsGroupsAgain() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            for group: Identifier in ["a", "b"] { try await n1.commit(group, 2) }
            try await n1.plugin.restart()
            try await eventually("all are watched again") { n1.plugin.watched == ["a", "b"] }
            n1.plugin.forget("a")
            try await eventually("the forgotten one is watched again") { n1.plugin.watched == ["a", "b"] }
            // Without a word in the history, and with an update that comes right after a restart.
            #expect(try await world.history().count == 2)
            try await n1.plugin.restart()
            let updated = try await n1.infrakit("group", "update", "-", input: GroupSpec.sized("a", 7).json.raw.text)
            #expect(updated.status == 0, "\(updated)")
            #expect(n1.plugin.size(of: "a") == 7)
            // The same for a destroy: the group has to be known before it can be ended.
            try await n1.plugin.restart()
            let destroyed = try await n1.infrakit("group", "destroy", "b")
            #expect(destroyed.status == 0, "\(destroyed)")
            try await eventually("only a is watched") { n1.plugin.watched == ["a"] }
        }
    }

    @Test func withoutAPluginAChangeIsRecordedAndAppliedOnceItComes() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            try await n1.startManager()
            try await world.leader()
            let spec = GroupSpec.sized("cattle", 3).json.raw.text
            let pending = try await n1.infrakit("group", "commit", "-", input: spec)
            #expect(pending.status == 1)
            #expect(pending.errors.contains("recorded as revision 1"), "\(pending)")
            #expect(pending.errors.contains("group-stateless"), "\(pending)")

            let history = try await world.manager("history", "-o", "json").json()
            #expect(history.elements.map { $0.at("status")?.string } == ["pending"])
            let status = try await world.manager("status", "-o", "json").json()
            #expect(status.at("revision", "pending")?.ints == [1])

            try await n1.plugin.start()
            try await eventually("the change is applied") { try await world.history().last?.status.name == "applied" }
            #expect(n1.plugin.size(of: "cattle") == 3)
            #expect(try await world.history().count == 1)
            #expect(try await world.manager("status", "-o", "json").json().at("revision", "pending")?.ints == [])
        }
    }

    @Test func aPluginThatDiesInACallLeavesTheChangePendingUntilItIsBack() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try await n1.commit("a", 1)
            n1.plugin.hang(on: "a")
            async let finished = n1.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 2).json.raw.text)
            try await eventually("the call has reached the plugin") { n1.plugin.waitingCount > 0 }
            await n1.plugin.die()
            let pending = try await finished
            #expect(pending.status == 1 && pending.errors.contains("recorded as revision 2"), "\(pending)")
            #expect(try await world.history().map(\.status.name) == ["applied", "pending"])
            try await n1.plugin.start()
            try await eventually("the change is applied") {
                try await world.history().map(\.status.name) == ["applied", "applied"]
            }
            #expect(n1.plugin.size(of: "a") == 2)
        }
    }

    @Test func aPendingChangePassesOnWithLeadership() async throws {
        try await World.with { world in
            let n1 = try world.bareHost("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            let pending = try await n1.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 1).json.raw.text)
            #expect(pending.errors.contains("recorded as revision 1"), "\(pending)")
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 applies it") { try await world.history().map(\.status.name) == ["applied"] }
            #expect(n2.plugin.size(of: "a") == 1)
        }
    }

    @Test func aRefusedChangeDoesNotStandAndBlocksNoTakeover() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            for group: Identifier in ["a", "b", "c"] { try await n1.commit(group, 1) }
            n1.plugin.refuse("a", saying: "too many head for one meadow")
            n1.plugin.refuse("new", saying: "no such breed")
            let refused = try await n1.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 900).json.raw.text)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("too many head for one meadow"), "\(refused)")
            let new = try await n1.infrakit("group", "watch", "-", input: GroupSpec.sized("new", 1).json.raw.text)
            #expect(new.errors.contains("no such breed"), "\(new)")

            #expect(n1.plugin.size(of: "a") == 1)
            let outcomes = try await world.history().map(\.status.name)
            #expect(outcomes == ["applied", "applied", "applied", "rejected", "rejected"])
            let status = try await world.manager("status", "-o", "json").json()
            #expect(status.at("revision", "rejected")?.ints.sorted() == [4, 5])
            #expect(status.at("revision", "current")?.int == 3)
            let shown = try await world.manager("show").output
            #expect(!shown.contains("900") && !shown.contains("new"), "\(shown)")

            // Not even a plugin that refuses what stands keeps the others from being watched.
            n2.plugin.refuse("b", saying: "not here")
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 watches the others") { n2.plugin.watched == ["a", "c"] }
            #expect(n2.plugin.size(of: "a") == 1)
            #expect(!world.journal.of("n2").contains { $0.request.groupID == "new" })
            n2.plugin.accept("b")
            try await eventually("n2 watches all") { n2.plugin.watched == ["a", "b", "c"] }
        }
    }

    @Test func oneSlowCommitHoldsUpNeitherReadsNorOtherGroups() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try await n1.commit("fast", 1)
            n1.plugin.hang(on: "slow")
            async let slow = n1.infrakit("group", "commit", "-", input: GroupSpec.sized("slow", 1).json.raw.text)
            try await eventually("the slow call has reached the plugin") { n1.plugin.waitingCount == 1 }
            try await n1.commit("fast", 2)
            #expect(try await n1.infrakit("group", "ls", "-q").output == "fast\n")
            #expect(try await n1.infrakit("group", "describe", "-q", "fast").status == 0)
            #expect(try await n1.infrakit("group", "destroy", "fast").status == 0)
            #expect(try await world.manager("status", "-o", "json").json().at("revision", "pending")?.ints == [2])
            #expect(n1.plugin.waitingCount == 1)
            n1.plugin.release()
            let finished = try await slow
            #expect(finished.status == 0 && finished.output.contains("Managing 1 head of slow"), "\(finished)")
            try await world.everythingIsApplied()
        }
    }

    @Test func freedAndDestroyedGroupsDoNotComeBack() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            for group: Identifier in ["freed", "destroyed", "kept"] { try await n1.commit(group, 1) }
            #expect(try await n1.infrakit("group", "free", "freed").status == 0)
            #expect(try await n1.infrakit("group", "destroy", "destroyed").status == 0)
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 watches what is kept") { n2.plugin.watched == ["kept"] }
            // Two rounds of comparison later it is still so.
            let looks = world.journal.of("n2").count { $0.request == .inspect }
            try await eventually("n2 has looked twice more") {
                world.journal.of("n2").count { $0.request == .inspect } >= looks + 2
            }
            #expect(n2.plugin.watched == ["kept"])
            #expect(world.journal.of("n2").allSatisfy { $0.request.groupID == nil || $0.request.groupID == "kept" })
        }
    }

    @Test func aDestroyThatWasNotConfirmedIsFinishedByTheNextLeader() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            for group: Identifier in ["a", "b"] { try await n1.commit(group, 1) }
            n1.plugin.hang(on: "b")
            let destroy = try world.start(.infrakit, ["group", "destroy", "b"], environment: n1.environment)
            try await eventually("the call has reached the plugin") { n1.plugin.waitingCount == 1 }
            try await n1.manager.crash()
            try await destroy.expectEnd(.exit(1))
            await n1.plugin.die()
            try await world.leader(is: n2)
            try await eventually("the destroy is applied") {
                try await world.history().map(\.status.name) == ["applied", "applied", "applied"]
            }
            let asked = world.journal.of("n2").filter { $0.request.groupID == "b" }
            #expect(asked.contains { $0.request == .destroy(id: "b") })
            #expect(n2.plugin.watched.contains("b") == false)
            try await eventually("n2 watches the other") { n2.plugin.watched == ["a"] }
        }
    }

    @Test func aFollowerFreesWhatAKilledPredecessorLeftToItsPlugin() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            n2.plugin.seed(.sized("a", 1))
            // In no revision of this store: somebody else's.
            n2.plugin.seed(.sized("foreign", 1))
            try await n2.startManager()
            try await eventually("n2's plugin is free of it") { n2.plugin.watched == ["foreign"] }
            #expect(world.journal.of("n2").allSatisfy { !$0.request.isAct })
            #expect(n1.plugin.watched == ["a"])
        }
    }
}
