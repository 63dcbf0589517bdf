import GroupSPI
import Testing

/// Two ids that Unicode holds for equal are two groups, from the socket to the file and back.
@Suite struct SpellingTests {
    private let composed: Identifier = "caf\u{E9}"
    private let decomposed: Identifier = "cafe\u{301}"

    @Test func eachIsChangedAlone() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit(composed, 1)
            try await n1.commit(decomposed, 2)
            try await n1.commit(composed, 8)
            try await n1.commit(decomposed, 9)
            #expect(n1.plugin.watched == [composed, decomposed])

            let back = try await world.manager("rollback", "2", "--group", composed.text)
            #expect(back.status == 0, "\(back)")
            #expect(n1.plugin.size(of: composed) == 1 && n1.plugin.size(of: decomposed) == 9)
            let changes = try await world.manager("diff", "4", "5", "-o", "json").json().elements
            #expect(changes.map { $0.at("group")?.identifier } == [composed])
            for (group, revisions) in [(composed, [5, 3, 1]), (decomposed, [4, 2])] {
                let history = try await world.manager("history", "--group", group.text, "-o", "json").json().elements
                #expect(history.compactMap { $0.at("revision")?.int } == revisions)
            }

            let exported = try await world.manager("export")
            let groups = try #require(try exported.json().member("Groups"))
            #expect(groups.members.map(\.name) == [decomposed, composed])
            let again = try await world.manager("import", "-", input: exported.output)
            #expect(again.status == 0 && again.output.contains("nothing changed"), "\(again)")

            let freed = try await n1.infrakit("group", "free", decomposed.text)
            #expect(freed.status == 0, "\(freed)")
            #expect(n1.plugin.watched == [composed])
            // A new leader as well tells its plugin of that one only.
            let n2 = try await world.host("n2")
            try await n2.startManager()
            #expect(try await world.manager("step-down").status == 0)
            try await world.leader(is: n2)
            try await eventually("n2 watches what is left") { n2.plugin.watched == [composed] }
            #expect(n2.plugin.size(of: composed) == 1)
        }
    }
}
