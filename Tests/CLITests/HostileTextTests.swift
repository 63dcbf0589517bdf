import GroupSPI
import Terminal
import Testing

@testable import CLI
@testable import Store

/// What people have called things, and what a plugin has answered, is shown; a terminal never obeys it.
@Suite struct HostileTextTests {
    private static let group: Identifier =
        "web\u{1B}]0;owned\u{7}\n9  2026-11-22T15:00:00Z  root@h  destroy  all  applied\u{9B}2J"
    private static let words = "no\u{1B}[31m such\u{202E} image\n"

    private func hostile(_ body: (Scene) async throws -> Void) async throws {
        try await Scene.with { scene in
            let fence = try await scene.lead("n1\u{1B}[2J/group", minute: 0, reason: "an\u{1B}[2J end\n")
            try await scene.append(
                1,
                [.set(Self.group, #"{"Allocation":{"Size":1}}"#)],
                message: "one\u{1B}[2J",
                author: Author(user: "ann\u{9B}2J", uid: 1000, host: "h\u{1B}1"),
                fence: fence
            )
            try await scene.append(
                2,
                [.set(Self.group, #"{"Allocation":{"Size":2}}"#, .rejected, error: Self.words)],
                confirm: 600_000,
                fence: fence
            )
            try await scene.append(3, [.set(Self.group, "{\"n\u{7F}\":\"\u{9B}2J\"}")], fence: fence)
            try await scene.store.writer.run(within: patience) { connection in
                try connection.setTag("t\u{1B}c", to: 1, author: .ann, moving: false, time: Scene.time(3))
            }
            try await body(scene)
        }
    }

    @Test(arguments: [
        "history", "history --group nobody", "history --path Allocation.Size", "status", "leadership", "tag",
        "diff 1 3",
        "show 1 --group nobody", "rollback nowhere", "doctor", "verify", "export --revision nothing", "frob\u{1B}[2J",
    ])
    func noVerbLetsATerminalObey(_ line: String) async throws {
        try await hostile { scene in
            let finished = await scene.run(line, isTerminal: true, width: 200, environment: ["NO_COLOR": "1"])
            let shown = finished.output + finished.errors
            #expect(!shown.isEmpty)
            let obeyed = shown.unicodeScalars.filter { $0 != "\n" && TerminalText.isObeyed($0) }
            #expect(obeyed.isEmpty, "\(line): \(shown)")
        }
    }

    @Test func anIdForgesNoRow() async throws {
        try await hostile { scene in
            let lines = await scene.run("history").output.split(separator: "\n")
            #expect(lines.count == 4)
            #expect(lines.contains { $0.contains(#"web\x1b]0;owned\x07\n9  2026"#) }, "\(lines)")
        }
    }

    @Test func jsonStaysExact() async throws {
        try await hostile { scene in
            let view = try JSONView(Array(await scene.run("history -o json").output.utf8))
            let refused = try #require(view.elements.first { $0.member("revision")?.int == 2 })
            #expect(refused.member("groups")?.elements.first?.identifier == Self.group)
            #expect(refused.member("error")?.string == Self.words)
        }
    }

    @Test(arguments: [["TERM": "dumb"], ["NO_COLOR": "1"]])
    func whoWantsNoColoursSeesNone(_ environment: [String: String]) async throws {
        try await Scene.scripted { scene in
            let plain = await scene.run("diff 1 3", isTerminal: true, environment: environment)
            #expect(!plain.output.isEmpty && !plain.output.contains("\u{1B}"))
        }
    }

    @Test func wideCharactersKeepTheColumns() {
        let table = Table(["A", "B"], [["日本", "x"], ["e\u{301}", "y"]])
        #expect(table.text().text == "A     B\n日本  x\ne\u{301}     y\n")
        #expect(Table(["A", "B"], [["1", "日本語日本語"]]).text(width: 8).text == "A  B\n1  日本…\n")
    }
}

/// A result that was not taken is no success.
@Suite struct OutputTroubleTests {
    @Test(arguments: ["history", "history -o json", "show", "status -o json", "export", "version", "--help", "tag"])
    func aFullDiskFailsTheVerb(_ line: String) async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run(line, output: { _ in throw StreamError(28) })
            #expect(finished.status == .failed)
            #expect(finished.errors == "infrakit-manager: the output could not be written: No space left on device\n")
        }
    }

    @Test func aReaderThatHasSeenEnoughIsNoTrouble() async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run("history", output: { _ in throw StreamError(32) })
            #expect(finished.status == .readerGone && finished.errors.isEmpty)
        }
    }

    @Test func followingEndsWithItsReader() async throws {
        try await Scene.scripted { scene in
            let finished = await scene.run("history --follow -n 2", hasReader: { false })
            #expect(finished.status == .readerGone && finished.errors.isEmpty)
            let lines = finished.output.split(separator: "\n").map { $0.prefix(3) }
            #expect(lines == ["REV", "11 ", "12*"], "\(finished.output)")
        }
    }
}
