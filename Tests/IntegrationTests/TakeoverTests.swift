import Glibc
import GroupSPI
import PluginRPC
import Store
import Testing

/// How leadership passes on: after a crash, a standstill, an orderly stop, and on request.
@Suite struct TakeoverTests {
    @Test func afterAKillTheOtherTakesOverAndTheGuardHasFreedBefore() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            for group: Identifier in ["a", "b", "c"] { try await n1.commit(group, 2) }
            try await eventually("n1's guard runs") { n1.guards.count == 1 }

            let mark = world.journal.mark
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 watches all") { n2.plugin.watched == ["a", "b", "c"] }

            #expect(n1.plugin.watched.isEmpty, "the plugin of the dead leader still watches")
            let after = world.journal.all.filter { $0.number >= mark }
            let lastFree = try #require(after.lastFree(on: "n1"))
            let firstWatch = try #require(after.firstWatch(on: "n2"))
            #expect(lastFree < firstWatch, "the new leader watched before the old one's groups were free")
            #expect(after.allSatisfy { $0.host == "n2" || !$0.request.isAct })
            try await eventually("n1's guard has ended") { n1.guards.isEmpty }

            let terms = try await world.manager("leadership", "-o", "json").json().elements
            #expect(terms.map { $0.at("manager")?.string } == ["n2", "n1"])
            #expect(terms.map { $0.at("epoch")?.int } == [2, 1])
            #expect(terms[1].at("until")?.string != nil && terms[1].at("reason")?.string?.isEmpty == false)
            #expect(try await n2.commit("a", 5).status == 0)
            #expect(n2.plugin.size(of: "a") == 5)
        }
    }

    /// With looks that are minutes apart, whoever waited for one would be found out.
    @Test(arguments: [SIGKILL, SIGTERM]) func onOneHostNobodyWaitsForTheNextLook(_ signal: Int32) async throws {
        try await World.with { world in
            let hosts = [try await world.host("n1"), try await world.host("n2"), try await world.host("n3")]
            let rare = ["--lease-ttl", "60m", "--poll-interval", "10m"]
            for host in hosts {
                try await host.startManager(rare)
                try await world.leader(is: hosts[0])
            }
            try await hosts[0].commit("a", 1)
            for host in hosts.dropFirst() { try await host.waitUntilFollowing(hosts[0]) }

            try hosts[0].manager.send(signal)
            let second = try await world.leader(otherThan: hosts[0])
            try await eventually("the second watches it") { second.plugin.watched == ["a"] }
            let third = hosts[second === hosts[1] ? 2 : 1]
            // Of the end of this one the last has to hear too, though it has not led.
            try await third.waitUntilFollowing(second)
            try await second.manager.crash()
            try await world.leader(is: third)
            try await eventually("the third watches it") { third.plugin.watched == ["a"] }
            #expect(hosts.allSatisfy { $0 === third || $0.plugin.watched.isEmpty })
        }
    }

    @Test func aLeaderThatWasStoppedWritesNothingWhenItGoesOn() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager(Host.quick)
            try await world.leader(is: n1)
            try await n2.startManager(Host.quick)
            try await n1.commit("a", 1)
            try await n1.commit("b", 1)
            let epoch = try await world.lease().epoch

            try await world.standStill(n1)
            // While it stands still, its guard lets its groups go.
            try await eventually("n1's plugin is freed") { n1.plugin.watched.isEmpty }
            try await world.leader(is: n2, after: epoch)
            try await eventually("n2 watches all") { n2.plugin.watched == ["a", "b"] }
            let mark = world.journal.mark
            // Waits at the socket of the leader that stands still, and is read as soon as it goes on.
            async let late = n1.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 99).json.raw.text)
            try await n2.commit("b", 2)
            try n1.manager.send(SIGCONT)

            let refused = try await late
            #expect(refused.status == 1 && refused.errors.contains("n2 leads"), "\(refused)")
            try await n1.waitUntilFollowing(n2)
            let again = try await n1.infrakit("group", "commit", "-", input: GroupSpec.sized("a", 98).json.raw.text)
            #expect(again.status == 1 && again.errors.contains("n2 leads"), "\(again)")
            try await n2.commit("a", 3)

            let history = try await world.history()
            #expect(history.map(\.number) == Array(1...history.count))
            #expect(history.map { $0.sizes.first ?? nil } == [1, 1, 2, 3])
            #expect(history.map(\.epoch) == history.map(\.epoch).sorted(), "one of the old term after the new one")
            #expect(world.journal.of("n1").allSatisfy { $0.number < mark || !$0.request.isAct })
            #expect(n1.plugin.watched.isEmpty)
        }
    }

    @Test func anOrderlyStopFreesReleasesAndCleansUp() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            for group: Identifier in ["a", "b"] { try await n1.commit(group, 2) }

            try n1.manager.send(SIGTERM)
            try await n1.manager.expectEnd(.exit(0))
            #expect(n1.plugin.watched.isEmpty)
            #expect(!Files.exists("\(n1.directory)/group"), "the socket is left behind")
            try await eventually("n1's guard has ended") { n1.guards.isEmpty }
            try await world.leader(is: n2)
            try await eventually("n2 watches all") { n2.plugin.watched == ["a", "b"] }
            let entries = world.journal.all
            let lastFree = try #require(entries.lastFree(on: "n1"))
            let firstWatch = try #require(entries.firstWatch(on: "n2"))
            #expect(lastFree < firstWatch)

            try n2.manager.send(SIGINT)
            try await n2.manager.expectEnd(.exit(0))
            let status = try await world.manager("status", "-o", "json")
            #expect(status.status == 4, "\(status)")
            #expect(try status.json().at("leader")?.isNull == true)
            #expect(n2.plugin.watched.isEmpty)
            // Nothing was destroyed by any of it, and nothing was added to the history.
            #expect(!world.journal.all.contains { if case .destroy = $0.request { true } else { false } })
            #expect(try await world.history().count == 2)

            // The groups stand, and come back with the next leader.
            try await n1.startManager()
            try await world.leader(is: n1)
            try await eventually("n1 watches all again") { n1.plugin.watched == ["a", "b"] }
        }
    }

    @Test func stepDownHandsOverAndTheOtherKeepsIt() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            try await n1.commit("a", 1)

            let finished = try await world.manager("step-down")
            #expect(finished.status == 0 && finished.output.contains("n1"), "\(finished)")
            try await world.leader(is: n2)
            try await eventually("n2 watches it") { n2.plugin.watched == ["a"] }
            #expect(n1.plugin.watched.isEmpty)
            #expect(try n1.manager.isRunning)
            let refused = try await n1.infrakit("group", "free", "a")
            #expect(refused.status == 1)
            #expect(try await n2.commit("a", 2).status == 0)
            let terms = try await world.store.terms(within: .seconds(20))
            #expect(terms.map(\.manager) == ["n2", "n1"])
            #expect(terms.last?.reason?.contains("step down") == true)
        }
    }

    @Test func twoHundredGroupsPassOn() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            let names = Set((0..<200).map { "group-\($0)" as Identifier })
            try await n1.withClient { client in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for name in names {
                        tasks.addTask {
                            let request = GroupRequest.commit(.sized(name, 1), pretend: false)
                            _ = try await client.call(request, within: .seconds(60))
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 watches all") { n2.plugin.watched == names }
            #expect(n1.plugin.watched.isEmpty)
            try await n1.startManager()
            #expect(try await world.manager("step-down").status == 0)
            try await world.leader(is: n1)
            try await eventually("n1 watches all") { n1.plugin.watched == names }
            #expect(n2.plugin.watched.isEmpty)
            #expect(try await world.history().count == 200)
        }
    }

    @Test func noDescriptorsLeakWhenLeadershipChanges() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            // Who has handed over rests for a ttl.
            let words = ["--lease-ttl", "4s", "--poll-interval", "250ms"]
            try await n1.startManager(words)
            try await world.leader(is: n1)
            try await n2.startManager(words)
            let names: Set<Identifier> = ["a", "b", "c", "d", "e", "f"]
            for name in names { try await n1.commit(name, 1) }
            // Back and forth; after some rounds both have opened whatever they keep open.
            var counts: [Int] = []
            var leader = n1
            for round in 0..<8 {
                let next = leader === n1 ? n2 : n1
                let epoch = try await world.lease().epoch
                let finished = try await world.manager("step-down")
                try #require(finished.status == 0, "\(finished)")
                try await world.leader(is: next, after: epoch)
                try await eventually("\(next.name) watches all in round \(round)") { next.plugin.watched == names }
                leader = next
                if round >= 2 { counts.append(try n1.manager.descriptorCount + n2.manager.descriptorCount) }
            }
            let growth = (counts.last ?? 0) - (counts.first ?? 0)
            #expect(growth < 5, "descriptors after each change of leadership: \(counts)")
        }
    }

    @Test func aPluginWithATypeInItsNamePassesOn() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            // The part before the slash is the socket's name. The stream dialect, because it sends no names: the fake
            // plugin knows no types.
            let named = Host.patient + ["--proxy-for-group", "group-stateless/swarm", "--plugin-protocol", "stream"]
            try await n1.startManager(named)
            try await world.leader(is: n1)
            try await n2.startManager(named)
            try await n1.commit("a", 1)
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 watches it") { n2.plugin.watched == ["a"] }
            try await n2.commit("a", 2)
            #expect(n2.plugin.size(of: "a") == 2)
            let shown = try await world.manager("show")
            #expect(shown.output.contains(#""Plugin":"group-stateless/swarm""#), "\(shown)")
        }
    }

    @Test func aManagerThatComesBackAtOnceNeverFreesWhatItWatchesAgain() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader(is: n1)
            for group: Identifier in ["a", "b", "c"] { try await n1.commit(group, 1) }
            for _ in 0..<3 {
                let epoch = try await world.lease().epoch
                try await n1.manager.crash()
                // No pause: the guard of the run before is still at work.
                try await n1.startManager()
                try await world.leader(is: n1, after: epoch)
                try await eventually("n1 watches all again") { n1.plugin.watched == ["a", "b", "c"] }
                try await eventually("only one guard is left") { n1.guards.count == 1 }
                let entries = world.journal.of("n1")
                let lastFree = entries.lastFree(on: "n1") ?? -1
                for group: Identifier in ["a", "b", "c"] {
                    let watch = entries.lastWatch(of: group) ?? -1
                    #expect(watch > lastFree, "\(group) was freed after it was watched")
                }
                #expect(n1.plugin.watched == ["a", "b", "c"])
            }
        }
    }

    @Test func aSecondManagerOnTheSameSocketRefusesToStart() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let first = try await n1.startManager()
            try await world.leader(is: n1)
            try await n1.commit("a", 1)
            let mark = world.journal.mark
            let second = try await n1.command("os", "--id", "intruder", "--lease-ttl", "9s")
            #expect(second.status == 1, "\(second)")
            #expect(second.errors.contains("\(n1.directory)/group"), "\(second)")
            #expect(first.isRunning)
            try await n1.commit("a", 2)
            #expect(n1.plugin.watched == ["a"])
            #expect(
                !world.journal.all.contains { $0.number >= mark && $0.request.isFree },
                "the one that was refused has freed groups"
            )
        }
    }
}
