import GroupSPI
import Store
import Testing

/// What `rollback` can be told.
@Suite struct RollbackOptionTests {
    /// Revisions 1 to 4: a=1, b=1, a=2, c=1.
    private func withHistory(_ body: (World, Host) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            try await n1.commit("b", 1)
            try await n1.commit("a", 2)
            try await n1.commit("c", 1)
            try await body(world, n1)
        }
    }

    @Test func aDryRunShowsTheDifferenceAndThePluginsPlan() async throws {
        try await withHistory { world, n1 in
            let mark = world.journal.mark
            let text = try await world.manager("rollback", "2", "--dry-run")
            #expect(text.status == 0, "\(text)")
            #expect(
                text.output.hasPrefix("would set a as in revision 2\n  plugin: Would manage 1 head of a\n"),
                "\(text)"
            )
            #expect(text.output.contains("would free c (not in revision 2); its instances stay\n"), "\(text)")
            #expect(text.output.contains("--- a (current)\n+++ a (revision 2)\n"), "\(text)")
            #expect(text.output.contains("--- c (current)\n+++ /dev/null\n"), "\(text)")
            #expect(!text.output.contains("set b"), "\(text)")
            let json = try await world.manager("rollback", "2", "--dry-run", "-o", "json").json()
            #expect(json.at("target")?.int == 2 && json.at("dryRun")?.bool == true)
            #expect(json.at("plans", "a", "plan")?.string == "Would manage 1 head of a")
            #expect(json.at("plans", "c", "plan")?.isNull == true)
            #expect(json.at("changes")?.elements.map { $0.at("kind")?.string } == ["changed", "removed"])
            #expect(
                world.journal.all.count { $0.number >= mark && $0.request == .commit(.sized("a", 1), pretend: true) }
                    == 2
            )
            let one = try await world.manager("rollback", "2", "--group", "c", "--dry-run")
            #expect(one.output.hasPrefix("would free c") && !one.output.contains("(revision 2)\n"), "\(one)")
            let nothing = try await world.manager("rollback", "4", "--dry-run")
            #expect(nothing.output == "nothing would change: already the same as in revision 4\n", "\(nothing)")

            // A plugin that is away has no plan; the difference is told all the same.
            await n1.plugin.die()
            let away = try await world.manager("rollback", "2", "--dry-run")
            #expect(away.status == 0 && away.output.contains("plugin's plan not available: "), "\(away)")
            #expect(away.output.contains("+++ a (revision 2)\n"), "\(away)")
            #expect(world.journal.all.allSatisfy { $0.number < mark || !($0.request.isAct || $0.request.isFree) })
            #expect(try await world.history().count == 4)
        }
    }

    @Test func optionsGoTogether() async throws {
        try await withHistory { world, n1 in
            #expect(try await world.manager("tag", "1", "first").status == 0)
            let stale = try await world.manager("rollback", "first", "--group", "a", "--expect-current", "3")
            #expect(stale.status == 1 && stale.errors.contains("4, not 3"), "\(stale)")
            let finished = try await world.manager(
                "rollback",
                "first",
                "--group",
                "a",
                "--expect-current",
                "4",
                "--message",
                "v2 leaks",
                "--wait",
                "20s"
            )
            #expect(finished.status == 0, "\(finished)")
            #expect(finished.output.hasPrefix("revision 5: rolled back to revision 1, applied\n"), "\(finished)")
            #expect(finished.output.contains("  set a as in revision 1: applied\n"), "\(finished)")
            #expect(n1.plugin.watched == ["a", "b", "c"] && n1.plugin.size(of: "a") == 1)
            let revision = try #require(try await world.history().last)
            #expect(revision.message == "v2 leaks" && revision.target == 1 && revision.groups == ["a"])

            n1.plugin.hang(on: "a")
            let pending = try await world.manager("rollback", "4", "--group", "a", "--wait", "1s")
            #expect(pending.status == 7 && pending.output.contains("revision 6"), "\(pending)")
            // What is pending does not stand: the command would make a revision of it.
            let dry = try await world.manager("rollback", "6", "--dry-run", "--wait", "1s")
            #expect(dry.output.hasPrefix("would set a as in revision 6\n"), "\(dry)")
            n1.plugin.release()
            try await eventually("it is applied") { try await world.history().last?.status.name == "applied" }
            #expect(n1.plugin.size(of: "a") == 2)
        }
    }
}
