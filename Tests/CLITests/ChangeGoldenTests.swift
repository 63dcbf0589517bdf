import Foundation
import GroupSPI
import Synchronization
import Testing

@testable import CLI
@testable import Store

/// What the verbs print that ask the leader for something, or write by themselves.
@Suite struct ChangeGoldenTests {
    private static let restored: [Change] = [
        .set("cattle", Scene.cattle(5, "app:1")), .set("pets", Scene.pets), .free("g1"),
    ]

    /// Runs one verb for its table and, in another scene, for its JSON.
    private func expect(
        _ line: String,
        _ golden: String,
        status: CLI.ExitStatus = .done,
        file: String? = nil,
        reply: @escaping @Sendable (Request) -> Scene.Reply,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for (flags, kind) in [("", "txt"), (" -o json", "json")] {
            try await Scene.scripted { scene in
                let path = "\(scene.directory)/groups.yaml"
                if let file { try Data(file.utf8).write(to: URL(fileURLWithPath: path)) }
                let words = line.replacing("FILE", with: path) + flags
                let finished = try await scene.withLeader(reply) {
                    while true {
                        let finished = await scene.run(words)
                        // The leader did not get to it in time, and nothing was changed.
                        if finished.status == .noLeader { continue }
                        return finished
                    }
                }
                try scene.expect(finished, golden: "\(golden).\(kind)", status: status, sourceLocation: sourceLocation)
            }
        }
    }

    // MARK: - rollback

    @Test func rollbackApplied() async throws {
        try await expect("rollback before-upgrade --message why", "rollback.applied") { _ in .revision(Self.restored) }
    }

    @Test func rollbackOfOneGroup() async throws {
        try await expect("rollback 3 --group cattle", "rollback.group") { _ in .revision([Self.restored[0]]) }
    }

    @Test func rollbackPartial() async throws {
        try await expect("rollback 3", "rollback.partial", status: .rejected) { _ in
            .revision([
                .set("cattle", Scene.cattle(5, "app:1"), .rejected, error: "no such image: app:1"),
                .set("pets", Scene.pets), .free("g1"),
            ])
        }
    }

    @Test func rollbackRejected() async throws {
        try await expect("rollback 3", "rollback.rejected", status: .rejected) { _ in
            .revision([.set("cattle", Scene.cattle(5, "app:1"), .rejected, error: "no such image: app:1")])
        }
    }

    @Test func rollbackPending() async throws {
        try await expect("rollback 3 --wait 500ms", "rollback.pending", status: .pending) { _ in
            .revision([.set("cattle", Scene.cattle(5, "app:1"), .pending), .free("g1")])
        }
    }

    @Test func rollbackOvertaken() async throws {
        try await expect("rollback 3", "rollback.superseded", status: .pending) { _ in
            .revision([
                .set(
                    "cattle",
                    Scene.cattle(5, "app:1"),
                    .superseded,
                    error: "overtaken by revision 14 before its outcome was known; it may have been applied"
                ), .free("g1"),
            ])
        }
    }

    @Test func rollbackThatChangesNothing() async throws {
        try await expect("rollback 12", "rollback.nothing") { _ in .nothingToDo }
    }

    /// "Already stands as in revision 4" would be untrue of what revision 4 asked for.
    @Test func rollbackToARefusedRevisionSaysWhatItRestores() async throws {
        try await Scene.scripted { scene in
            let refused = try await scene.withLeader({ _ in .nothingToDo }) { await scene.run("rollback 4 --wait 60s") }
            #expect(refused.status == .done, "\(refused)")
            #expect(
                refused.errors.contains("the plugin refused revision 4; the configuration before it is restored"),
                "\(refused)"
            )
            let other = try await scene.withLeader({ _ in .nothingToDo }) { await scene.run("rollback 3 --wait 60s") }
            #expect(other.status == .done && other.errors.isEmpty, "\(other)")
        }
    }

    @Test func rollbackDryRun() async throws {
        try await expect("rollback 3 --dry-run", "rollback.dry-run") { _ in
            .plans { _ in .success("Would manage 5 instances") }
        }
        try await expect("rollback 3 --dry-run", "rollback.dry-run-refused") { _ in
            .plans { $0 == "cattle" ? .failure(GroupError(.rejected, "no such image: app:1")) : .success("") }
        }
        try await expect("rollback 12 --dry-run", "rollback.dry-run-nothing") { _ in .refusal("nobody asks") }
    }

    @Test func rollbackDryRunWithoutALeader() async throws {
        for (flags, kind) in [("", "txt"), (" -o json", "json")] {
            try await Scene.scripted { scene in
                try await scene.expect(
                    "rollback 3 --group cattle --dry-run --wait 10ms\(flags)",
                    golden: "rollback.dry-run-alone.\(kind)"
                )
            }
        }
    }

    // MARK: - commit, import

    private static let groups = """
        ID: web
        Properties:
          Allocation: {Size: 2}
        ---
        ID: g2
        Properties: {"Allocation":{"Size":2}}
        """

    @Test func commitApplied() async throws {
        try await expect("commit FILE --message why", "commit.applied", file: Self.groups) { _ in
            .revision([.set("web", #"{"Allocation":{"Size":2}}"#)])
        }
    }

    @Test func commitWithConfirmation() async throws {
        try await expect("commit FILE --confirm 10m", "commit.confirm", file: Self.groups) { _ in
            .revision([.set("web", #"{"Allocation":{"Size":2}}"#)], confirm: 600_000)
        }
    }

    @Test func commitRejected() async throws {
        try await expect("commit FILE", "commit.rejected", status: .rejected, file: Self.groups) { _ in
            .revision([.set("web", #"{"Allocation":{"Size":2}}"#, .rejected, error: "no room for web")])
        }
    }

    @Test func commitPending() async throws {
        try await expect("commit FILE --wait 500ms", "commit.pending", status: .pending, file: Self.groups) { _ in
            .revision([.set("web", #"{"Allocation":{"Size":2}}"#, .pending)])
        }
    }

    @Test func commitThatChangesNothing() async throws {
        try await expect("commit FILE", "commit.nothing", file: Self.groups) { _ in .nothingToDo }
    }

    @Test func commitDryRun() async throws {
        try await expect("commit FILE --dry-run", "commit.dry-run", file: Self.groups) { _ in
            .plans { _ in .success("Would manage 2 instances") }
        }
    }

    /// However many groups there are, the leader is asked once.
    @Test func aDryRunIsOneRequest() async throws {
        try await Scene.scripted { scene in
            let path = "\(scene.directory)/groups.json"
            let groups = (0..<1000).map { #"{"ID":"n\#($0)","Properties":{"Allocation":{"Size":\#($0)}}}"# }
            try Data("[\(groups.joined(separator: ","))]".utf8).write(to: URL(fileURLWithPath: path))
            let asked = Mutex<Set<String>>([])
            let finished = try await scene.withLeader({ request in
                asked.withLock { _ = $0.insert(request.id) }
                return .plans { .success("plan of \($0)") }
            }) { await scene.run("commit \(path) --dry-run") }
            #expect(finished.status == .done && finished.errors.isEmpty, "\(finished.errors)")
            #expect(asked.withLock(\.count) == 1)
            #expect(finished.output.contains("would set n999\n  plugin: plan of n999\n"))
        }
    }

    @Test func importOfAGoConfiguration() async throws {
        let file =
            #"{"Groups":{"web":{"Plugin":"group-stateless","Properties":{"ID":"web","Properties":{"Allocation":{"Size":2}}}}}}"#
        try await expect("import FILE", "import.applied", file: file) { _ in
            .revision([.set("web", #"{"Allocation":{"Size":2}}"#)])
        }
    }

    // MARK: - Those that need no leader

    @Test func tagsAndConfirmations() async throws {
        try await Scene.scripted { scene in
            try await scene.expect("tag 9 six", golden: "tag.set.txt")
            try await scene.expect("tag 9 half-a-dozen -o json", golden: "tag.set.json")
            try await scene.expect("untag six", golden: "untag.txt")
            try await scene.expect("confirm", golden: "confirm.txt")
            try await scene.expect("ack 5 -m seen", golden: "ack.txt")
            let again = await scene.run("ack 5")
            #expect(again.status == .failed, "\(again)")
            #expect(again.errors.contains("revision 5 is acknowledged already, by "), "\(again)")
            let history = await scene.run("history -o json")
            #expect(history.output.contains(#""message": "seen""#), "\(history)")
        }
    }

    @Test func backup() async throws {
        try await Scene.scripted { scene in
            try await scene.expect("backup \(scene.directory)/copy.db", golden: "backup.one.txt")
            try await scene.expect("backup \(scene.directory)/copy.json.db -o json", golden: "backup.one.json")
            try await scene.expect("verify --file \(scene.directory)/copy.db", golden: "verify.sound.txt")
        }
    }

    @Test func stepDown() async throws {
        try await Scene.scripted { scene in
            let finished = try await scene.withLeader({ _ in .nothingToDo }) { await scene.run("step-down") }
            try scene.expect(finished, golden: "step-down.txt")
        }
    }

    @Test func versionTellsTheCommit() async throws {
        try await Scene.with { scene in
            let finished = await scene.run("version")
            #expect(finished.status == .done && finished.errors.isEmpty)
            try Golden.expect(
                finished.output.replacing(#/commit ([0-9a-f]{12}(-dirty)?|unknown)\)/#, with: "commit <commit>)"),
                "version.txt"
            )
        }
    }

    // MARK: - Sentences on the standard error

    /// An unknown revision, group or tag says what exists.
    @Test func mistakes() async throws {
        try await Scene.scripted { scene in
            var text = ""
            for line in [
                "show 13", "show nothing", "show 3 --group g1", "history --group nothing", "history --since yesterday",
                "diff 1 13", "diff nothing", "diff 1 3 --group nothing", "rollback 13", "rollback nothing",
                "rollback 3 --group nothing", "rollback 3 --dry-run --expect-current 2", "tag 9 stable", "tag 13 new",
                "untag nothing", "confirm 3", "ack 13", "ack 3", "ack -1", "export --revision 13",
                "step-down --wait 10ms", "commit /nowhere/file",
                "import /nowhere/file", "history --path", "history --config /nowhere/file",
            ] {
                let finished = await scene.run(line)
                #expect(finished.output.isEmpty, "\(finished)")
                text += "$ \(line)\n[\(finished.status.rawValue)] \(finished.errors)"
            }
            try Golden.expect(scene.stable(text), "errors.txt")
        }
        try await Scene.with { scene in
            var text = ""
            for line in ["show", "show 1", "diff 1", "rollback 1", "tag 1 first", "confirm", "history --group a"] {
                let finished = await scene.run(line)
                #expect(finished.output.isEmpty, "\(finished)")
                text += "$ \(line)\n[\(finished.status.rawValue)] \(finished.errors)"
            }
            try Golden.expect(scene.stable(text), "errors.empty.txt")
        }
    }
}
