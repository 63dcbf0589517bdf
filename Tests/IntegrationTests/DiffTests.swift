import GroupSPI
import Store
import Testing

/// `diff`.
@Suite struct DiffTests {
    /// Revisions 1 to 4: a=1; a=2 and b=1; a=2 in another spelling; b freed.
    private func withHistory(_ body: (World, Host) async throws -> Void) async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            let two = "[\(GroupSpec.sized("a", 2).json.raw.text),\(GroupSpec.sized("b", 1).json.raw.text)]"
            #expect(try await world.manager("commit", "-", input: two).status == 0)
            let respelled = #"{"ID":"a","Properties":{ "Allocation" : {"Size" : 2.0} }}"#
            #expect(try await world.manager("commit", "-", input: respelled).status == 0)
            #expect(try await n1.infrakit("group", "free", "b").status == 0)
            try await body(world, n1)
        }
    }

    @Test func tellsWhatChangedByPathAndAsText() async throws {
        try await withHistory { world, _ in
            let text = try await world.manager("diff", "1", "2")
            #expect(text.status == 1, "\(text)")
            #expect(text.output.contains("--- a (revision 1)\n+++ a (revision 2)\n"), "\(text)")
            #expect(text.output.contains("--- /dev/null\n+++ b (revision 2)\n"), "\(text)")
            let lines = text.output.split(separator: "\n").map { $0.filter { !$0.isWhitespace } }
            #expect(lines.contains(#"-"Size":1"#) && lines.contains(#"+"Size":2"#), "\(text)")
            #expect(!text.output.contains("\u{1B}"), "colours in a file")

            let json = try await world.manager("diff", "1", "2", "-o", "json")
            #expect(json.status == 1)
            let changes = try json.json().elements
            #expect(changes.map { $0.at("group")?.string } == ["a", "b"])
            #expect(changes[0].names == ["group", "path", "kind", "before", "after"])
            #expect(changes[0].at("path")?.string == "Allocation.Size" && changes[0].at("kind")?.string == "changed")
            #expect(changes[0].at("before")?.int == 1 && changes[0].at("after")?.int == 2)
            #expect(changes[1].at("kind")?.string == "added" && changes[1].at("before") == nil)

            // Back, and one group alone.
            let back = try await world.manager("diff", "2", "1", "--group", "b", "-o", "json").json().elements
            #expect(back.map { $0.at("kind")?.string } == ["removed"])
            // Without a second revision: the current one.
            let current = try await world.manager("diff", "2", "-o", "json")
            #expect(try current.json().elements.map { $0.at("group")?.string } == ["b"], "\(current)")
        }
    }

    @Test func theSameIsZeroAlsoWhenItIsSpelledOtherwise() async throws {
        try await withHistory { world, _ in
            for words in [
                ["diff", "2", "3"], ["diff", "3", "3"], ["diff", "4"], ["diff", "2", "4", "--group", "a"],
            ] {
                let finished = try await world.run(
                    .manager,
                    words,
                    environment: ["INFRAKIT_STORE_DIR": world.storeDirectory]
                )
                #expect(finished.status == 0 && finished.output.isEmpty && finished.errors.isEmpty, "\(finished)")
            }
            let json = try await world.manager("diff", "2", "3", "-o", "json")
            #expect(json.status == 0 && json.output == "[]\n", "\(json)")
        }
    }

    @Test func troubleIsTwo() async throws {
        try await withHistory { world, _ in
            let mistakes = [
                (["diff", "1", "9"], "1 to 4"), (["diff", "0"], "1 to 4"),
                (["diff", "1", "nothing"], "no tag 'nothing'"),
                (["diff", "1", "2", "--group", "zebra"], "a, b"), (["diff"], "Usage:"), (["diff", "1x"], "Usage:"),
                (["diff", "1", "-U", "-1"], "-U"), (["diff", "1", "--store-dir", "\(world.path)/none"], "none"),
            ]
            for (words, expected) in mistakes {
                let finished = try await world.run(
                    .manager,
                    words,
                    environment: ["INFRAKIT_STORE_DIR": world.storeDirectory]
                )
                #expect(finished.status == 2 && finished.output.isEmpty, "\(finished)")
                #expect(finished.errors.contains(expected), "\(finished)")
            }
        }
    }
}
