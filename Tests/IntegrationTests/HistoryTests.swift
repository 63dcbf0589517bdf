import GroupSPI
import Store
import Testing

/// `history` by group, time and field.
@Suite struct HistoryTests {
    /// Revisions 1 to 6: a=1, b=1, a=2, a refused, a=2 with another field, a freed.
    private func withHistory(_ body: (World, Host) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            try await n1.commit("b", 1)
            try await n1.commit("a", 2)
            n1.plugin.refuse("a", saying: "never")
            let refused = try await world.manager("commit", "-", input: GroupSpec.sized("a", 99).json.raw.text)
            #expect(refused.status == 6, "\(refused)")
            n1.plugin.accept("a")
            let other = #"{"ID":"a","Properties":{"Allocation":{"Size":2},"Image":"v2"}}"#
            #expect(try await world.manager("commit", "-", input: other).status == 0)
            #expect(try await n1.infrakit("group", "free", "a").status == 0)
            try await body(world, n1)
        }
    }

    /// The real programs: a script that commits, and looks at once, from the leader's host.
    @Test func whatWasCommittedReadsAsAppliedAtOnce() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            for size in 1...20 {
                try await n1.commit("a", size)
                let rows = try await n1.command("history", "-n", "1", "-o", "json").json().elements
                #expect(
                    rows.first?.at("revision")?.int == size && rows.first?.at("status")?.string == "applied",
                    "\(rows)"
                )
            }
        }
    }

    private func numbers(_ finished: Finished) throws -> [Int?] {
        try finished.json().elements.map { $0.at("revision")?.int }
    }

    @Test func ofAFieldShowsOnlyWhatChangedIt() async throws {
        try await withHistory { world, _ in
            let json = try await world.manager("history", "--path", "Allocation.Size", "-o", "json")
            #expect(json.status == 0)
            let changes = try json.json().elements
            // What was refused has changed nothing, nor has the revision that set another field.
            #expect(changes.map { $0.at("revision")?.int } == [6, 3, 2, 1], "\(json)")
            #expect(changes.map { $0.at("group")?.string } == ["a", "a", "b", "a"])
            #expect(changes.map { $0.at("from")?.int } == [2, 1, nil, nil])
            #expect(changes.map { $0.at("to")?.int } == [nil, 2, 1, 1])
            #expect(changes.allSatisfy { $0.at("path")?.string == "Allocation.Size" })
            #expect(changes[0].at("operation")?.string == "free")

            let one = try await world.manager(
                "history",
                "--path",
                "Allocation.Size",
                "--group",
                "a",
                "-n",
                "2",
                "-o",
                "json"
            )
            #expect(try numbers(one) == [6, 3], "\(one)")
            let table = try await world.manager("history", "--path", "Image")
            let rows = table.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(rows.map(\.first) == ["REV", "6", "5"], "\(table)")
            #expect(rows[2].suffix(3) == ["a", "-", #""v2""#] && rows[1].suffix(2) == [#""v2""#, "-"], "\(table)")
            let none = try await world.manager("history", "--path", "Nothing.There", "-o", "json")
            #expect(none.status == 1 && none.errors.contains("no revision has the field Nothing.There"), "\(none)")
            let unknown = try await world.manager("history", "--path", "Allocation.Size", "--group", "zebra")
            #expect(unknown.status == 1 && unknown.errors.contains("a, b"), "\(unknown)")
            let wrong = try await world.manager("history", "--path", "a[")
            #expect(wrong.status == 2, "\(wrong)")
        }
    }

    @Test func ofAGroupAndSinceATime() async throws {
        try await withHistory { world, _ in
            #expect(try numbers(await world.manager("history", "--group", "b", "-o", "json")) == [2])
            #expect(try numbers(await world.manager("history", "--group", "a", "-o", "json")) == [6, 5, 4, 3, 1])
            let all = try await world.manager("history", "-o", "json").json().elements
            let time = try #require(all[3].at("time")?.string)
            #expect(all[3].at("revision")?.int == 3)
            let since = try await world.manager("history", "--since", time, "-o", "json")
            #expect(try numbers(since) == [6, 5, 4, 3], "\(since)")
            let both = try await world.manager("history", "--since", time, "--group", "a", "-n", "2", "-o", "json")
            #expect(try numbers(both) == [6, 5], "\(both)")
            #expect(try numbers(await world.manager("history", "--since", "24h", "-o", "json")).count == 6)
            let future = try await world.manager("history", "--since", "2199-01-01T00:00:00Z", "-o", "json")
            #expect(future.status == 0 && future.output == "[]\n", "\(future)")
            let table = try await world.manager("history", "-n", "2")
            #expect(table.output.contains("(4 older not shown; -n 6 shows all)"), "\(table)")
            let sinceTable = try await world.manager("history", "--since", time, "-n", "3")
            #expect(sinceTable.output.contains("(1 older not shown; -n 4 shows all)"), "\(sinceTable)")
        }
    }
}
