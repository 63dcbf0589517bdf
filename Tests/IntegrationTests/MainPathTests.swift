import GroupSPI
import PluginRPC
import Store
import Testing

/// Two managers on one file, a plugin behind each: what people do all day.
@Suite struct MainPathTests {
    @Test func everyKindOfChangeIsARevisionAndReachesThePlugin() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()

            // The very first commit, without a configuration file of any kind; and the plugin's own words come back.
            #expect(try await n1.commit("cattle", 3).output == "Committed cattle: Managing 3 head of cattle\n")
            #expect(n1.plugin.size(of: "cattle") == 3)

            let pets = GroupSpec.sized("pets", 1).json.raw.text
            let watched = try await n1.infrakit("group", "watch", "-", input: pets)
            #expect(watched.status == 0 && watched.output == "watching pets\n", "\(watched)")
            let more = GroupSpec.sized("pets", 2).json.raw.text
            let updated = try await n1.infrakit("group", "update", "-", input: more)
            #expect(updated.status == 0 && updated.output == "update pets completed\n", "\(updated)")
            #expect(n1.plugin.size(of: "pets") == 2)

            let described = try await n1.infrakit("group", "describe", "-q", "cattle")
            #expect(described.status == 0 && described.output.split(separator: "\n").count == 3, "\(described)")
            let listed = try await n1.infrakit("group", "ls", "-q")
            #expect(listed.output == "cattle\npets\n", "\(listed)")

            #expect(try await n1.infrakit("group", "free", "cattle").output == "Freed cattle\n")
            #expect(try await n1.infrakit("group", "destroy", "pets").output == "destroy pets initiated\n")
            #expect(n1.plugin.watched.isEmpty)
            #expect(world.journal.of("n2").allSatisfy { !$0.request.isAct }, "the follower's plugin was told to act")

            let history = try await world.history()
            #expect(history.map(\.operation.name) == ["commit", "watch", "update", "free", "destroy"])
            #expect(history.map(\.number) == [1, 2, 3, 4, 5])
            try await world.everythingIsApplied()
        }
    }

    @Test func jsonAndExitCodesAreAsDocumented() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            try await n1.commit("cattle", 3)
            n1.plugin.refuse("pets", saying: "no pets here")
            _ = try await n1.infrakit("group", "commit", "-", input: GroupSpec.sized("pets", 1).json.raw.text)
            try await n1.commit("cattle", 4)

            let history = try await world.manager("history", "-o", "json")
            #expect(history.status == 0)
            let rows = try history.json().elements
            try #require(rows.count == 3, "\(history)")
            #expect(rows.map { $0.at("revision")?.int } == [3, 2, 1])
            for name in [
                "revision", "parent", "time", "epoch", "manager", "author", "operation", "groups", "message", "status",
                "error", "current", "hash",
            ] { #expect(rows[0].names.contains(name), "history lacks \(name)") }
            #expect(rows[0].at("author")?.names == ["user", "uid", "host"])
            #expect(rows.map { $0.at("current")?.bool } == [true, false, false])
            #expect(rows.map { $0.at("status")?.string } == ["applied", "rejected", "applied"])
            #expect(rows[1].at("error")?.string?.contains("no pets here") == true)
            #expect(rows[0].at("parent")?.int == 2 && rows[2].at("parent")?.isNull == true)
            #expect(rows[0].at("groups")?.strings == ["cattle"])
            #expect(rows[0].at("manager")?.string == "n1")
            #expect(rows[0].at("time")?.string?.hasSuffix("Z") == true)
            #expect(Set(rows.compactMap { $0.at("hash")?.string }).count == 3)

            let lines = try await world.manager("history", "-o", "jsonl", "-n", "2")
            #expect(lines.output.split(separator: "\n").count == 2)
            let table = try await world.manager("history", "-n", "1")
            #expect(table.output.contains("3*"), "\(table)")
            #expect(table.output.contains("(2 older not shown; -n 3 shows all)"), "\(table)")
            let ofPets = try await world.manager("history", "--group", "pets", "-o", "json")
            #expect(try ofPets.json().elements.map { $0.at("revision")?.int } == [2])

            let status = try await world.manager("status", "-o", "json")
            #expect(status.status == 0, "\(status)")
            let view = try status.json()
            for name in ["leader", "replica", "revision", "plugin", "storage"] {
                #expect(view.names.contains(name), "status lacks \(name)")
            }
            #expect(view.at("leader", "manager")?.string == "n1")
            #expect(view.at("leader", "epoch")?.int == 1)
            #expect(view.at("leader", "renewedAt")?.string != nil && view.at("leader", "expiresAt")?.string != nil)
            #expect(view.at("revision", "current")?.int == 3)
            #expect(view.at("revision", "pending")?.ints == [] && view.at("revision", "rejected")?.ints == [2])

            let leadership = try await world.manager("leadership", "-o", "json")
            let terms = try leadership.json().elements
            #expect(leadership.status == 0 && terms.count == 1)
            #expect(terms.first?.names == ["epoch", "manager", "from", "until", "reason"])
            #expect(terms.first?.at("until")?.isNull == true && terms.first?.at("manager")?.string == "n1")

            let show = try await world.manager("show", "1")
            #expect(
                show.output
                    == #"{"Groups":{"cattle":{"Plugin":"group-stateless","Properties":"#
                    + #"{"ID":"cattle","Properties":{"Allocation":{"Size":3}}}}}}"# + "\n"
            )
            let missing = try await world.manager("show", "9")
            #expect(missing.status == 1 && missing.errors.contains("1 to 3"), "\(missing)")
            let unknown = try await world.manager("show", "1", "--group", "birds")
            #expect(unknown.status == 1 && unknown.errors.contains("cattle"), "\(unknown)")
        }
    }

    @Test func aSpecificationKeepsEveryByte() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            let properties =
                #"{ "z" : 1.0, "big":12345678901234567890123, "e":1E+2,"neg":-0.0,  "u":"\u00e9\/\ud83d\ude00 é",  "#
                + #""dup":1,"dup":2, "a":{"Z":[],"A":null,  "b":[1 , 2]} }"#
            let text = "  {\n\"ID\": \"cattle\",\n \"Properties\": \(properties)\n}\n"
            let finished = try await n1.infrakit("group", "commit", "-", input: text)
            try #require(finished.status == 0, "\(finished)")

            let shown = try await world.manager("show", "1", "--group", "cattle")
            #expect(shown.output == #"{"ID":"cattle","Properties":\#(properties)}"# + "\n")
            let all = try await world.manager("show")
            #expect(all.output.contains(properties))
            #expect(n1.plugin.spec(of: "cattle")?.properties.text == properties)

            // And over a takeover, and a rollback.
            let n2 = try await world.host("n2")
            try await n2.startManager()
            try await n1.manager.crash()
            try await world.leader(is: n2)
            try await eventually("n2 watches it") { n2.plugin.spec(of: "cattle")?.properties.text == properties }
            try await n2.commit("cattle", 1)
            let rollback = try await world.manager("rollback", "1")
            #expect(rollback.status == 0, "\(rollback)")
            #expect(n2.plugin.spec(of: "cattle")?.properties.text == properties)
        }
    }

    @Test func aFollowerRefusesWritesAndAnswersWhatItKnows() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            let n2 = try await world.host("n2")
            try await n1.startManager()
            try await world.leader(is: n1)
            try await n2.startManager()
            try await n1.commit("cattle", 3)
            try await n2.waitUntilFollowing(n1)
            for words in [["commit", "-"], ["free", "cattle"], ["destroy", "cattle"]] {
                let refused = try await world.run(
                    .infrakit,
                    ["group"] + words,
                    environment: n2.environment,
                    input: GroupSpec.sized("cattle", 4).json.raw.text
                )
                #expect(refused.status == 1)
                #expect(refused.errors.contains("n1 leads (epoch 1)"), "\(refused)")
            }
            #expect(try await world.history().count == 1)
            let listed = try await n2.infrakit("group", "ls", "-q")
            #expect(listed.output == "cattle\n", "\(listed)")
            #expect(world.journal.of("n2").allSatisfy { !$0.request.isAct })
        }
    }

    @Test func manyWritesOfManyClientsAreAllThereOnceAndInOrder() async throws {
        try await World.with { world in
            let n1 = try await world.host("n1")
            try await n1.startManager()
            try await world.leader()
            try await n1.withClient { client in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for writer in 0..<20 {
                        tasks.addTask {
                            for size in 1...10 {
                                let spec = GroupSpec.sized("g\(writer)", size)
                                _ = try await client.call(.commit(spec, pretend: false), within: .seconds(60))
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            let history = try await world.history()
            #expect(history.map(\.number) == Array(1...200))
            for writer in 0..<20 {
                let sizes = history.filter { $0.groups == ["g\(writer)"] }.map { $0.sizes.first ?? nil }
                #expect(sizes == Array(1...10))
                #expect(n1.plugin.size(of: "g\(writer)") == 10)
            }
        }
    }
}
