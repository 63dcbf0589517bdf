import Glibc
import GroupSPI
import Store
import Testing

/// `infrakit-manager commit`, from a host that has the database and nothing else.
@Suite struct CommitTests {
    /// Everything a file may look like. Each sets a and b to the size that stands for `N`.
    static let shapes = [
        "list":
            #"[{"ID":"a","Properties":{"Allocation":{"Size":N}}},{"ID":"b","Properties":{"Allocation":{"Size":N}}}]"#,
        "groups":
            #"{"Groups":{"a":{"Plugin":"group-stateless","Properties":{"ID":"a","Properties":{"Allocation":{"Size":N}}}},"#
            + #""b":{"Plugin":"","Properties":{"ID":"b","Properties":{"Allocation":{"Size":N}}}}}}"#,
        "documents": """
        # Two documents.
        ID: a
        Properties:
          Allocation:
            Size: N
        ---
        ID: b
        Properties: {Allocation: {Size: N}}
        ...
        """,
        "YAML list": """
        - ID: a
          Properties:
            Allocation: &same
              Size: N
        - ID: b
          Properties:
            Allocation: *same
        """,
        "YAML groups": """
        Groups:
          a:
            Plugin: group-stateless
            Properties:
              ID: a
              Properties: {Allocation: {Size: N}}
          b:
            Plugin: group-stateless
            Properties:
              ID: b
              Properties: {Allocation: {Size: N}}
        """,
    ]

    @Test func everyShapeIsOneRevision() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            for (index, shape) in Self.shapes.sorted(by: { $0.key < $1.key }).enumerated() {
                let size = index + 1
                let text = shape.value.replacing("N", with: "\(size)")
                let finished: Finished
                if index.isMultiple(of: 2) {
                    let file = "\(world.path)/\(index).txt"
                    try Files.write(text, to: file)
                    finished = try await world.manager("commit", file, "-o", "json")
                } else {
                    finished = try await world.manager("commit", "-", "-o", "json", input: text)
                }
                #expect(finished.status == 0, "\(shape.key): \(finished)")
                let view = try finished.json()
                #expect(view.at("revision")?.int == size && view.at("groups")?.strings == ["a", "b"], "\(shape.key)")
                #expect(view.at("changed")?.bool == true && view.at("status")?.string == "applied")
                #expect(view.at("outcomes", "b", "status")?.string == "applied")
                #expect(n1.plugin.size(of: "a") == size && n1.plugin.size(of: "b") == size, "\(shape.key)")
            }
            let history = try await world.history()
            #expect(history.count == Self.shapes.count)
            #expect(history.allSatisfy { $0.operation.name == "commit" && $0.status.name == "applied" })
            // The user database says who.
            #expect(history.allSatisfy { $0.author.user?.text == String(cString: getpwuid(getuid()).pointee.pw_name) })
        }
    }

    @Test func oneGroupKeepsItsBytesAndWhatStandsIsLeftOut() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let properties = #"{ "Allocation" : {"Size": 2},  "Weight":1.0, "Chip":12345678901234567890123 }"#
            let text = #"{"ID":"a","Properties":\#(properties)}"#
            let first = try await world.manager("commit", "-", "--message", "born", input: text)
            #expect(first.status == 0 && first.output.hasPrefix("revision 1: committed, applied\n"), "\(first)")
            #expect(first.output.contains("  set a: applied\n"), "\(first)")
            #expect(n1.plugin.spec(of: "a")?.properties.text == properties)
            #expect(try await world.manager("show", "--group", "a").output == text + "\n")
            #expect(try await world.history().first?.message == "born")

            let acts = world.journal.all.count { $0.request.isAct }
            let again = try await world.manager("commit", "-", input: text)
            #expect(again.status == 0 && again.output.contains("nothing changed"), "\(again)")
            let more = try await world.manager(
                "commit",
                "-",
                input: "[\(text), \(GroupSpec.sized("b", 1).json.raw.text)]"
            )
            #expect(more.status == 0 && more.output.contains("  set b: applied\n"), "\(more)")
            #expect(more.output.contains("  a: unchanged\n"), "\(more)")
            #expect(try await world.history().map(\.groups) == [["a"], ["b"]])
            #expect(world.journal.all.count { $0.request.isAct } == acts + 1)

            // What `show` prints can be committed as it is.
            let shown = try await world.manager("show").output
            let round = try await world.manager("commit", "-", "-o", "json", input: shown)
            #expect(try round.status == 0 && round.json().at("changed")?.bool == false, "\(round)")
            #expect(try round.json().at("revision")?.int == 2, "\(round)")
        }
    }

    @Test func aRefusedGroupLeavesTheOthersAndTheExitStatusTells() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("b", 1)
            n1.plugin.refuse("b", saying: "b stays as it is")
            let text = Self.shapes["list"]?.replacing("N", with: "5") ?? ""
            let finished = try await world.manager("commit", "-", "-o", "json", input: text)
            #expect(finished.status == 6, "\(finished)")
            let view = try finished.json()
            #expect(view.at("status")?.string == "partial" && view.at("outcomes", "a", "status")?.string == "applied")
            #expect(view.at("outcomes", "b", "error")?.string?.contains("b stays as it is") == true)
            #expect(n1.plugin.size(of: "a") == 5 && n1.plugin.size(of: "b") == 1)
            #expect(try await world.manager("show", "--group", "b").output.contains(#""Size":1"#))
        }
    }

    @Test func anExpectationThatIsNotMetChangesNothing() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let text = Self.shapes["list"]?.replacing("N", with: "5") ?? ""
            let first = try await world.manager("commit", "-", "--expect-current", "0", input: text)
            #expect(first.status == 0, "\(first)")
            let stale = try await world.manager(
                "commit",
                "-",
                "--expect-current",
                "0",
                input: text.replacing("5", with: "6")
            )
            #expect(stale.status == 1 && stale.errors.contains("the current revision is 1, not 0"), "\(stale)")
            let plan = try await world.manager("commit", "-", "--dry-run", "--expect-current", "0", input: text)
            #expect(plan.status == 1 && plan.errors.contains("the current revision is 1, not 0"), "\(plan)")
            #expect(n1.plugin.size(of: "a") == 5)
            #expect(try await world.history().count == 1)
        }
    }

    @Test func aDryRunSaysWhatWouldChangeAndWhatThePluginWouldDo() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            try await n1.commit("a", 1)
            try await n1.commit("c", 1)
            let mark = world.journal.mark
            let text =
                "[\(["a", "b"].map { GroupSpec.sized($0, 3).json.raw.text }.joined(separator: ",")),"
                + "\(GroupSpec.sized("c", 1).json.raw.text)]"
            let finished = try await world.manager("commit", "-", "--dry-run", input: text)
            #expect(finished.status == 0, "\(finished)")
            #expect(finished.output.contains("would set a\n  plugin: Would manage 3 head of a\n"), "\(finished)")
            #expect(finished.output.contains("would set b\n  plugin: Would manage 3 head of b\n"), "\(finished)")
            #expect(finished.output.contains("--- a (current)\n+++ a (proposed)\n"), "\(finished)")
            #expect(finished.output.contains("--- /dev/null\n+++ b (proposed)\n"), "\(finished)")
            #expect(finished.output.contains("\n-") && finished.output.contains("\n+"), "\(finished)")
            #expect(!finished.output.contains("set c"), "\(finished)")

            let json = try await world.manager("commit", "-", "--dry-run", "-o", "json", input: text).json()
            #expect(json.at("dryRun")?.bool == true && json.at("groups")?.strings == ["a", "b"])
            #expect(json.at("plans", "a", "plan")?.string == "Would manage 3 head of a")
            let changes = try #require(json.at("changes")?.elements)
            let size = try #require(changes.first { $0.at("group")?.string == "a" })
            #expect(size.at("path")?.string == "Allocation.Size" && size.at("kind")?.string == "changed")
            #expect(size.at("before")?.int == 1 && size.at("after")?.int == 3)

            // The plugin was asked, and told nothing; the history is as it was.
            #expect(world.journal.all.allSatisfy { $0.number < mark || !($0.request.isAct || $0.request.isFree) })
            #expect(n1.plugin.watched == ["a", "c"] && n1.plugin.size(of: "a") == 1)
            #expect(try await world.history().count == 2)

            let same = try await world.manager(
                "commit",
                "-",
                "--dry-run",
                input: GroupSpec.sized("a", 1).json.raw.text
            )
            #expect(same.status == 0 && same.output.hasPrefix("nothing would change"), "\(same)")

            // The difference needs no leader; the plan does.
            try n1.manager.send(SIGTERM)
            try await n1.manager.end()
            let alone = try await world.manager("commit", "-", "--dry-run", "--wait", "300ms", input: text)
            #expect(alone.status == 0 && alone.output.contains("plugin's plan not available: nobody leads"), "\(alone)")
            #expect(alone.output.contains("+++ a (proposed)\n"), "\(alone)")
        }
    }

    @Test(arguments: [
        (#"{"ID":"web","Propertys":{"a":1}}"#, "'web' has no Properties"),
        (#"{"ID":"a","Properties":{}"#, "-"), ("", "contains no group"), ("# nothing\n", "contains no group"),
        (#"{"Properties":{}}"#, "no ID"), (#"{"name":"a"}"#, "expected {\"ID\""), ("just words", "expected {\"ID\""),
        (#"[{"ID":"a","Properties":{}},{"ID":"a","Properties":{"x":1}}]"#, "'a' is declared twice"),
        ("ID: a\nProperties: {}\n---\nID: a\nProperties: {}\n", "'a' is declared twice"),
        ("ID: a\n\tProperties: x", "line 2"),
    ])
    func aFileThatDeclaresNothingUsableIsRefused(_ text: String, _ words: String) async throws {
        try await World.with { world in
            let finished = try await world.manager("commit", "-", input: text)
            #expect(finished.status == 1 && finished.output.isEmpty, "\(finished)")
            #expect(finished.errors.contains(words), "\(finished)")
            #expect(Files.names(in: world.storeDirectory).isEmpty, "something was created")
        }
    }

    @Test func wrongWordsAreWrongUsage() async throws {
        try await World.with { world in
            for words in [["commit"], ["commit", "-", "--confirm", "10ms"], ["commit", "-", "--confirm", "soon"]] {
                let finished = try await world.run(
                    .manager,
                    words,
                    environment: ["INFRAKIT_STORE_DIR": world.storeDirectory]
                )
                #expect(finished.status == 2, "\(finished)")
            }
            let missing = try await world.manager("commit", "\(world.path)/none")
            #expect(missing.status == 1 && missing.errors.contains("\(world.path)/none cannot be read"), "\(missing)")
        }
    }

    /// On its way through the database it becomes deeper still, and must keep no other command waiting.
    @Test func theDeepestFileThatIsAcceptedIsCarriedOut() async throws {
        try await World.with { world in
            let n1 = try await world.leadingHost()
            let levels = JSONLimits.standard.maximumDepth - 8
            func spec(_ levels: Int) -> String {
                let deep = String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1)
                return #"{"ID":"deep","Properties":\#(deep)}"#
            }
            async let first = world.manager("commit", "-", input: spec(levels))
            async let second = world.manager("commit", "-", input: GroupSpec.sized("a", 1).json.raw.text)
            for finished in [try await first, try await second] { #expect(finished.status == 0, "\(finished)") }
            #expect(n1.plugin.watched == ["a", "deep"] && n1.plugin.size(of: "a") == 1)
            let deeper = try await world.manager("commit", "-", input: spec(levels + 1))
            #expect(deeper.status == 1 && deeper.errors.contains("deeper than \(levels) levels"), "\(deeper)")
        }
    }
}
