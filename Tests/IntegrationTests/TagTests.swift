import GroupSPI
import Store
import Testing

/// `tag`, `untag`, and tags where numbers can stand.
@Suite struct TagTests {
    /// Revisions 1 to 3: a=1, a=2, b=1.
    private func withHistory(_ body: (World, Host) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            try await n1.commit("a", 2)
            try await n1.commit("b", 1)
            try await body(world, n1)
        }
    }

    @Test func aTagStandsWhereverANumberCan() async throws {
        try await withHistory { world, n1 in
            let set = try await world.manager("tag", "1", "before-upgrade")
            #expect(set.status == 0 && set.output == "tagged revision 1 as before-upgrade\n", "\(set)")
            let other = try await world.manager("tag", "before-upgrade", "v1.0_x", "-o", "json")
            #expect(try other.status == 0 && other.json().at("revision")?.int == 1, "\(other)")

            for (tagged, numbered) in [
                (["show", "before-upgrade"], ["show", "1"]), (["export", "--revision", "v1.0_x"], ["show", "1"]),
                (["show", "v1.0_x", "--group", "a"], ["show", "1", "--group", "a"]),
                (["diff", "before-upgrade", "2"], ["diff", "1", "2"]), (["diff", "2", "v1.0_x"], ["diff", "2", "1"]),
                (["rollback", "v1.0_x", "--dry-run"], ["rollback", "1", "--dry-run"]),
            ] {
                let environment = ["INFRAKIT_STORE_DIR": world.storeDirectory]
                let one = try await world.run(.manager, tagged, environment: environment)
                let two = try await world.run(.manager, numbered, environment: environment)
                #expect(one.status == two.status && one.output == two.output && !one.output.isEmpty, "\(one)\n\(two)")
            }
            let history = try await world.manager("history")
            let line = history.output.split(separator: "\n").first { $0.hasPrefix("1 ") }
            #expect(line?.hasSuffix("[before-upgrade, v1.0_x]") == true, "\(history)")
            let json = try await world.manager("history", "-o", "json").json().elements
            #expect(json.last?.at("tags")?.strings == ["before-upgrade", "v1.0_x"])
            #expect(json.first?.at("tags") == nil)

            let back = try await world.manager("rollback", "before-upgrade", "-o", "json")
            #expect(try back.status == 0 && back.json().at("target")?.int == 1, "\(back)")
            #expect(n1.plugin.watched == ["a"] && n1.plugin.size(of: "a") == 1)
        }
    }

    @Test func tagsAreListedMovedAndTakenAway() async throws {
        try await withHistory { world, _ in
            #expect(try await world.manager("tag", "-o", "json").output == "[]\n")
            #expect(try await world.manager("tag", "1", "good").status == 0)
            #expect(try await world.manager("tag", "2", "better").status == 0)
            // The same again is no mistake; another revision is one, unless it is meant.
            #expect(try await world.manager("tag", "1", "good").status == 0)
            let taken = try await world.manager("tag", "3", "good")
            #expect(taken.status == 1 && taken.errors.contains("1"), "\(taken)")
            #expect(try await world.manager("tag", "3", "good", "--move").status == 0)
            let list = try await world.manager("tag", "-o", "json").json().elements
            #expect(list.map { $0.at("tag")?.string } == ["better", "good"])
            #expect(list.map { $0.at("revision")?.int } == [2, 3])
            let table = try await world.manager("tag")
            #expect(table.output.split(separator: "\n").count == 3 && table.output.hasPrefix("TAG"), "\(table)")

            let gone = try await world.manager("untag", "good")
            #expect(gone.status == 0, "\(gone)")
            let again = try await world.manager("untag", "good")
            #expect(again.status == 1 && again.errors.contains("good"), "\(again)")
            let unknown = try await world.manager("show", "good")
            #expect(unknown.status == 1 && unknown.errors.contains("there are: better"), "\(unknown)")
            #expect(try await world.history().count == 3, "a tag is no revision")
        }
    }

    @Test func mistakesAreTold() async throws {
        try await withHistory { world, _ in
            for words in [
                ["tag", "1"], ["tag", "1", "2"], ["tag", "1", "has space"], ["tag", "1", "-x"], ["untag"],
            ] {
                let finished = try await world.run(
                    .manager,
                    words,
                    environment: ["INFRAKIT_STORE_DIR": world.storeDirectory]
                )
                #expect(finished.status == 2, "\(finished)")
            }
            let missing = try await world.manager("tag", "9", "late")
            #expect(missing.status == 1 && missing.errors.contains("1 to 3"), "\(missing)")
        }
    }
}
