import GroupSPI
import PluginFakes
import Testing

@testable import InfrakitCLI

@Suite("Each verb of infrakit group prints what the original printed")
struct GroupVerbTests {
    static let cattle = #"{"ID":"cattle","Properties":{"Allocation":{"Size":5}}}"#

    @Test("the first generation's verbs", arguments: FakeAPIVersion.all)
    func watchVerbs(apiVersion: FakeAPIVersion) async throws {
        try await withTerminal(apiVersion) { terminal, fake in
            await terminal.expect("group ls", prints: "ID\n")
            await terminal.expect("group update -", fails: "Group 'cattle' is not being watched", input: Self.cattle)
            await terminal.expect("group watch -", prints: "watching cattle\n", input: Self.cattle)
            await terminal.expect("group watch -", fails: "Already watching group 'cattle'", input: Self.cattle)
            await terminal.expect("group ls", prints: "ID\ncattle\n")
            await terminal.expect("group ls -q", prints: "cattle\n")
            await terminal.expect("group update -", prints: "update cattle completed\n", input: Self.cattle)
            await terminal.expect("group unwatch cattle", prints: "unwatched cattle\n")
            await terminal.expect("group unwatch cattle", fails: "Group 'cattle' is not being watched")
            #expect(fake.groups.isEmpty)
        }
    }

    @Test("the later generations' verbs", arguments: FakeAPIVersion.all)
    func commitVerbs(apiVersion: FakeAPIVersion) async throws {
        try await withTerminal(apiVersion) { terminal, fake in
            let (first, second, plan) =
                apiVersion.watches
                ? ("Watching cattle", "Updated cattle", "Noop") : ("Managing 5 instances", "Noop", "Managing it")
            await terminal.expect("group commit -", prints: "Committed cattle: \(first)\n", input: Self.cattle)
            await terminal.expect("group commit -", prints: "Committed cattle: \(second)\n", input: Self.cattle)
            await terminal.expect(
                "group commit - --pretend",
                prints: "Committing cattle would involve: \(plan)\n",
                input: Self.cattle
            )
            await terminal.expect("group describe-update -", prints: "\(plan)\n", input: Self.cattle)
            await terminal.expect("group free cattle", prints: "Freed cattle\n")
            await terminal.expect("group free cattle", fails: "Group 'cattle' is not being watched")
            #expect(fake.groups.isEmpty)
        }
    }

    @Test("stop-update")
    func stopUpdate() async throws {
        try await withTerminal(.seed) { terminal, fake in
            await terminal.expect("group stop-update cattle", fails: "Group 'cattle' is not being watched")
            fake.seed([GroupSpec(id: "cattle", properties: .null)])
            await terminal.expect("group stop-update cattle", prints: "update cattle stopped\n")
        }
        try await withTerminal(.v05) { terminal, _ in
            let outcome = await terminal.infrakit("group stop-update cattle")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("the update of group 'cattle' cannot be stopped"))
        }
    }

    @Test("describe", arguments: FakeAPIVersion.released)
    func describe(apiVersion: FakeAPIVersion) async throws {
        try await withTerminal(apiVersion) { terminal, fake in
            await terminal.expect("group describe cattle", fails: "Group 'cattle' is not being watched")
            fake.seed([GroupSpec(id: "cattle", properties: .null)])
            let rows = """
                instance-1                    \t  -                           \tproject=infrakit,tier=web
                instance-2                    \t10.0.0.2                      \t

                """
            let header = "ID                            \tLOGICAL                       \tTAGS\n"
            await terminal.expect("group describe cattle", prints: header + rows)
            await terminal.expect("group describe -q cattle", prints: rows)
        }
    }

    @Test("inspect, in the user's own spelling", arguments: FakeAPIVersion.released)
    func inspect(apiVersion: FakeAPIVersion) async throws {
        try await withTerminal(apiVersion) { terminal, _ in
            let spec = #"""
                {"id": "cattle", "Properties": {"z": 1.0, "Size": 12345678901234567890123, "z": "\u003cb\u003e é \/",
                 "list": [1, {"a": null}], "none": {}, "void": []}}
                """#
            await terminal.expect("group watch -", prints: "watching cattle\n", input: spec)
            let expected = #"""
                {
                  "ID": "cattle",
                  "Properties": {
                    "z": 1.0,
                    "Size": 12345678901234567890123,
                    "z": "\u003cb\u003e é \/",
                    "list": [
                      1,
                      {
                        "a": null
                      }
                    ],
                    "none": {},
                    "void": []
                  }
                }

                """#
            await terminal.expect("group inspect cattle", prints: expected)
            await terminal.expect("group inspect nosuch", fails: "Group nosuch is not being watched")
        }
    }

    @Test("destroy", arguments: FakeAPIVersion.released)
    func destroy(apiVersion: FakeAPIVersion) async throws {
        try await withTerminal(apiVersion) { terminal, fake in
            await terminal.expect("group destroy cattle", fails: "Group 'cattle' is not being watched")
            fake.seed([GroupSpec(id: "cattle", properties: .null)])
            await terminal.expect("group destroy cattle", prints: "destroy cattle initiated\n")
            #expect(fake.groups.isEmpty)
        }
    }

    @Test("errors keep the plugin's words")
    func errors() async throws {
        let words = "Failed \"badly\":\n\tPlugin not found: flavor-\u{1}\\zzz"
        try await withTerminal(.v01, script: .on("Group.CommitGroup", .error(words))) { terminal, _ in
            await terminal.expect(
                "group commit -",
                fails: #"Failed \"badly\":\n\tPlugin not found: flavor-\x01\\zzz"#,
                input: Self.cattle
            )
        }
    }
}
