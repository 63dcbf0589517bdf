import Glibc
import GroupSPI
import Terminal
import Testing

@testable import CLI
@testable import Store

/// What a user is told about words, variables and files that could be taken for something else.
@Suite struct AnswerTests {
    // MARK: - history --path

    @Test func aPathThatNobodyEverHadIsAnError() async throws {
        try await Scene.scripted { scene in
            for options in ["", " -o json", " --group cattle"] {
                let finished = await scene.run("history --path Allocation.Sise\(options)")
                #expect(finished.status == .failed && finished.output.isEmpty, "\(finished)")
                #expect(finished.errors.contains("no revision has the field Allocation.Sise"), "\(finished)")
            }
            // It is there, and has not changed lately.
            let finished = await scene.run("history --path Allocation.Size --since 1s")
            #expect(finished.status == .done, "\(finished)")
        }
    }

    @Test func thePathOfTheUsersOwnFileIsFound() async throws {
        try await Scene.scripted { scene in
            let plain = await scene.run("history --path Allocation.Size")
            let asInFile = await scene.run("history --path Properties.Allocation.Size")
            #expect(plain.status == .done && plain.output.split(separator: "\n").count > 5)
            #expect(asInFile.output == plain.output && asInFile.status == .done)
            // Where a specification has a member of that name, it is that one.
            let nested = await scene.run("history --path Instance.Properties.Image")
            #expect(nested.status == .done && nested.output.contains("app:2"), "\(nested)")
        }
    }

    @Test func aListThatStopsSaysSo() async throws {
        try await Scene.scripted { scene in
            let all = await scene.run("history --path Allocation.Size -n 100")
            let count = all.output.split(separator: "\n").count - 1
            #expect(!all.output.contains("not shown"))
            let exact = await scene.run("history --path Allocation.Size -n \(count)")
            #expect(exact.output == all.output)
            let some = await scene.run("history --path Allocation.Size -n 2")
            #expect(some.output.hasSuffix("\n(older changes not shown; -n 20 shows more)\n"), "\(some)")
            #expect(some.output.split(separator: "\n").count == 4)
            let json = await scene.run("history --path Allocation.Size -n 2 -o json")
            #expect(!json.output.contains("not shown"))
        }
    }

    @Test func eightyColumnsHaveRoomForWhatAFieldBecame() async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run("history --path Instance.Properties", width: 80)
            let lines = finished.output.split(separator: "\n")
            #expect(lines.first?.hasSuffix("TO") == true, "\(finished)")
            #expect(lines.allSatisfy { String($0).displayWidth <= 80 })
            #expect(lines.dropFirst().allSatisfy { $0.contains("{\"Im") || $0.contains("  -") }, "\(finished)")
        }
    }

    @Test func aRollbackKeepsItsNumberOnEightyColumns() async throws {
        try await Scene.scripted { scene in
            for line in ["history", "history --path Allocation.Size"] {
                let finished = await scene.run(line, width: 80)
                #expect(finished.output.contains("rollback to 1"), "\(finished)")
            }
        }
    }

    // MARK: - Words and variables

    @Test(arguments: ["2026-02-30T00:00:00Z", "2026-04-31T00:00:00Z", "2025-02-29T00:00:00Z", "1y", "-1d", "d"])
    func aTimeThatIsNoneIsRefused(_ time: String) async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run("history --since=\(time)")
            #expect(finished.status == .usage, "\(finished)")
        }
    }

    @Test(arguments: ["2024-02-29T00:00:00Z", "1d", "1d12h"])
    func aTimeThatIsOneIsTaken(_ time: String) async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run("history --since \(time)")
            #expect(finished.status == .done, "\(finished)")
        }
    }

    @Test(arguments: ["rollback -1", "show -3", "diff -1", "diff 1 -2", "confirm -1", "rollback -1 --dry-run"])
    func aNegativeNumberIsNoRevision(_ line: String) async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run(line)
            #expect(finished.status == .usage && finished.errors.contains("is not a revision"), "\(finished)")
        }
    }

    @Test(arguments: ["status", "tag", "leadership", "diff 1 2", "verify"])
    func aVariableForTheHistoryDoesNotBreakOtherVerbs(_ line: String) async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run(line, environment: ["INFRAKIT_OUTPUT": "jsonl"])
            #expect(finished.status != .usage && finished.errors.isEmpty, "\(finished)")
            #expect(["{", "["].contains(finished.output.first.map(String.init) ?? ""), "\(finished)")
            let wrong = await scene.run(line, environment: ["INFRAKIT_OUTPUT": "yaml"])
            #expect(wrong.status == .usage, "\(wrong)")
        }
    }

    @Test func booleansHaveTheUsualSpellings() throws {
        func words(_ value: String) throws -> [String] {
            try ArgumentPreprocessor(["INFRAKIT_FORWARD_WRITES": value]).inOrder(["os"])
        }
        for value in ["1", "true", "TRUE", "True", "t", "yes", "YES", "on"] {
            #expect(try words(value) == ["os", "--forward-writes"])
        }
        for value in ["0", "false", "FALSE", "f", "no", "Off", ""] { #expect(try words(value) == ["os"]) }
        let failure = #expect(throws: Failure.self) { try words("maybe") }
        #expect(failure?.status == .usage && failure?.message.contains("INFRAKIT_FORWARD_WRITES") == true)
        #expect(
            try ArgumentPreprocessor(["INFRAKIT_TLSVERIFY": "TRUE"]).inOrder(["swarm"]) == [
                "swarm", "--tlsverify=true",
            ]
        )
    }

    @Test func paragraphsFlowAndListsStay() {
        let text = "One\ntwo\n\nA list:\n  a  b\n  c\n\nThree\nfour"
        #expect(flowing(text) == "One two\n\nA list:\n  a  b\n  c\n\nThree four")
    }

    // MARK: - Files of other managers

    @Test func anExportHasTheShapeThatItsReaderTakes() async throws {
        try await Scene.scripted { scene in
            let states = try await scene.store.states(within: patience)
            for shape in ["", " --shape v05", " --shape head"] {
                let finished = await scene.run("export\(shape)")
                #expect(finished.status == .done, "\(finished)")
                #expect(finished.output.first == (shape.hasSuffix("head") ? "[" : "{"))
                #expect(try GlobalConfig.decode(Array(finished.output.utf8)) == states.entries)
            }
            let head = try JSONView(Array(await scene.run("export --shape head").output.utf8))
            let record = try #require(head.elements.first)
            #expect(record.member("Key")?.member("Kind")?.string == "group")
            #expect(record.member("Record")?.member("Spec")?.member("metadata")?.member("name")?.string == "cattle")
            #expect(await scene.run("export --shape xml").status == .usage)
        }
    }

    @Test func whatAnImportLeavesOutIsTold() async throws {
        try await Scene.with { scene in
            let file = "\(scene.directory)/global.config"
            let text = #"""
                [{"Key":{"Kind":"resource","Name":"disk"},"Record":{"Spec":{}}},
                 {"Key":{"Kind":"group","Name":"a"},"Record":{"Handler":"group-other","Spec":{"properties":{}}}}]
                """#
            try Array(text.utf8).withUnsafeBytes { bytes in
                let descriptor = open(file, O_WRONLY | O_CREAT, 0o600)
                defer { close(descriptor) }
                try #require(write(descriptor, bytes.baseAddress, bytes.count) == bytes.count)
            }
            let finished = await scene.run("import \(file) --wait 1ms")
            #expect(
                finished.errors.contains("note: skipped entries that are not groups: resource 'disk'\n"),
                "\(finished)"
            )
        }
    }

    @Test func whatAnImportRedirectsIsTold() {
        var report = ChangeReport(target: nil, revision: nil, current: nil)
        #expect(!report.json.raw.text.contains("redirected"))
        report.redirected = [.init(group: "a", from: "group-other", to: "group-stateless")]
        #expect(report.json.raw.text.contains(#""redirected":{"a":{"from":"group-other","to":"group-stateless"}}"#))
    }

    /// The plugin took longer than the time in which somebody had to confirm it: it was in effect, and is not any more.
    @Test func whatIsUndoneAlreadyIsToldAsThat() {
        func report(_ state: Int) -> ChangeReport {
            let revision = Revision(
                number: 2,
                time: 0,
                epoch: 1,
                manager: "group",
                author: Author(user: "ann", uid: 7, host: "here"),
                operation: .commit,
                target: nil,
                message: "",
                changes: [Change(group: "a", action: .free, status: .applied, error: nil)],
                hash: [],
                tags: [],
                confirmation: .init(
                    revision: 2,
                    allowed: 1000,
                    deadline: 1000,
                    state: .init(rawValue: state) ?? .waiting
                )
            )
            return ChangeReport(target: nil, revision: revision, current: nil)
        }
        let (waiting, confirmed, reverted, overtaken) = (0, 1, 2, 3)
        #expect(report(reverted).status == .failed)
        #expect("\(report(reverted).text)".contains("already reverted: nobody confirmed it in time"))
        for state in [waiting, confirmed, overtaken] {
            #expect(report(state).status == .done)
            #expect(!"\(report(state).text)".contains("already reverted"))
        }
    }

    // MARK: - Who asked

    @Test func whoLoggedInIsShownBesideTheUser() async throws {
        try await Scene.with { scene in
            let fence = try await scene.lead("n1/group", minute: 0, reason: "")
            let author = Author(user: "root", uid: 0, host: "h1", login: "alice")
            try await scene.append(1, [.set("cattle", Scene.cattle(3, "app:1"))], author: author, fence: fence)
            let table = await scene.run("history")
            #expect(table.output.contains("alice (root)@h1"), "\(table)")
            let json = await scene.run("history -o json")
            #expect(
                json.output.contains("\"login\": \"alice\"") && json.output.contains("\"user\": \"root\""),
                "\(json)"
            )
            #expect(await scene.run("verify").status == .done)
        }
    }
}
