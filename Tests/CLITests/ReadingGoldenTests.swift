import Foundation
import GroupSPI
import StoreFakes
import Terminal
import Testing

@testable import CLI
@testable import Store

/// What the verbs print that only read the history.
@Suite struct ReadingGoldenTests {
    @Test(
        arguments: [
            ("history", "history.all.txt", nil),
            ("history", "history.80.txt", 80),
            ("history", "history.200.txt", 200),
            ("history -o json", "history.all.json", nil),
            ("history -o jsonl", "history.all.jsonl", nil),
            ("history -n 3", "history.some.txt", nil),
            ("history -n 2 -o json", "history.some.json", nil),
            ("history --group pets", "history.group.txt", nil),
            ("history --since 53m", "history.since.txt", nil),
            ("history --path Allocation.Size", "history-path.size.txt", nil),
            ("history --path Allocation.Size --group cattle -o json", "history-path.size.json", nil),
            ("history --path Weight -o json", "history-path.weight.json", nil),
            ("history --path Instance.Properties.Image -o jsonl", "history-path.image.jsonl", nil),
            ("history --path Instance", "history-path.long.txt", 80),
        ] as [(String, String, Int?)]
    )
    func history(_ line: String, _ golden: String, _ width: Int?) async throws {
        try await Scene.scripted { try await $0.expect(line, golden: golden, width: width) }
    }

    @Test(arguments: [
        ("history", "history.pruned.txt"), ("history -o json", "history.pruned.json"),
        ("history --path Allocation.Size", "history-path.pruned.txt"), ("verify", "verify.pruned.txt"),
        ("verify -o json", "verify.pruned.json"), ("show before-upgrade", "show.pruned.json"),
    ])
    func aPrunedHistory(_ line: String, _ golden: String) async throws {
        try await Scene.scripted { scene in
            try await scene.prune(limit: 4)
            try await scene.expect(line, golden: golden)
        }
    }

    @Test(arguments: [
        ("history", "history.empty.txt"), ("history -o json", "history.empty.json"),
        ("history --path Weight -o json", "history-path.empty.json"), ("leadership", "leadership.empty.txt"),
        ("leadership -o json", "leadership.empty.json"), ("tag", "tag.empty.txt"), ("tag -o json", "tag.empty.json"),
        ("export", "export.empty.json"), ("verify", "verify.empty.txt"), ("verify -o json", "verify.empty.json"),
    ])
    func anEmptyHistory(_ line: String, _ golden: String) async throws {
        try await Scene.with { try await $0.expect(line, golden: golden) }
    }

    @Test(arguments: [
        ("show 5", "show.all.json"), ("show", "show.current.json"), ("show before-upgrade", "show.tag.json"),
        ("show 6 --group pets", "show.group.json"), ("export", "export.current.json"),
        ("export --revision 5", "export.5.json"),
    ])
    func configurations(_ line: String, _ golden: String) async throws {
        try await Scene.scripted { try await $0.expect(line, golden: golden) }
    }

    @Test(arguments: [
        ("diff 1 3", "diff.changed"), ("diff 1 3 -U 0", "diff.U0"), ("diff 5 6", "diff.plugin"),
        ("diff 6 7", "diff.removed"), ("diff 8 9", "diff.added"), ("diff before-upgrade", "diff.tag"),
        ("diff 5 9 --group cattle", "diff.group"),
    ])
    func differences(_ line: String, _ golden: String) async throws {
        try await Scene.scripted { scene in
            try await scene.expect(line, golden: "\(golden).txt", status: .failed)
            try await scene.expect("\(line) -o json", golden: "\(golden).json", status: .failed)
        }
    }

    @Test func noDifference() async throws {
        try await Scene.scripted { scene in
            for line in ["diff 1 8", "diff 1 8 --group cattle", "diff 3 3"] {
                let same = await scene.run(line)
                #expect(same.status == .done && same.output.isEmpty && same.errors.isEmpty, "\(same)")
            }
            try await scene.expect("diff 1 8 -o json", golden: "diff.same.json")
        }
    }

    @Test func tooManyValues() async throws {
        try await Scene.with { scene in
            let fence = try await scene.lead("n1/group", minute: 0, reason: "")
            let numbers = String(repeating: "1,", count: 300_000)
            for last in 1...2 {
                let properties = "{\"Data\":[\(numbers)\(numbers)\(last)],\"Labels\":{\"a\":\(last)}}"
                try await scene.append(last, [.set("cattle", properties)], fence: fence)
            }
            try await scene.expect("diff 1 2", golden: "diff.coarse.txt", status: .failed)
            let finished = await scene.run("diff 1 2 -o json")
            let changes = try JSONView(Array(finished.output.utf8)).elements
            #expect(changes.map { $0.member("path")?.string } == ["Data", "Labels.a"])
            #expect(changes.map { $0.member("coarse")?.raw.text } == ["true", nil])
        }
    }

    @Test func coloursAreForTerminals() async throws {
        try await Scene.scripted { scene in
            let colored = await scene.run("diff 1 3", isTerminal: true)
            try scene.expect(colored, golden: "diff.colored.txt", status: .failed)
            #expect(colored.output.contains("\u{1B}["))
            let plain = await scene.run("diff 1 3", isTerminal: true, environment: ["NO_COLOR": "1"])
            try scene.expect(plain, golden: "diff.changed.txt", status: .failed)
            // An empty variable asks for nothing (https://no-color.org).
            let empty = await scene.run("diff 1 3", isTerminal: true, environment: ["NO_COLOR": ""])
            #expect(empty.output == colored.output)
            for line in ["history", "status", "leadership", "tag", "verify", "history --path Weight"] {
                let finished = await scene.run(line, isTerminal: true)
                #expect(!finished.output.contains("\u{1B}"), "\(finished)")
            }
        }
    }

    @Test(arguments: [
        ("leadership", "leadership.two.txt"), ("leadership -o json", "leadership.two.json"),
        ("tag", "tag.list.txt"), ("tag -o json", "tag.list.json"), ("verify", "verify.sound.txt"),
        ("verify -o json", "verify.sound.json"), ("verify --in-place", "verify.sound.txt"),
    ])
    func lists(_ line: String, _ golden: String) async throws {
        try await Scene.scripted { try await $0.expect(line, golden: golden) }
    }

    @Test func aReleasedLeadership() async throws {
        try await Scene.scripted { scene in
            let fence = try await scene.fence()
            try await scene.store.writer.run(within: patience) {
                try $0.releaseLease(fence, reason: "asked to step down", time: Scene.time(61))
            }
            try await scene.expect("leadership", golden: "leadership.released.txt")
            try await scene.expect("leadership -o json", golden: "leadership.released.json")
            try await scene.expect("status", golden: "status.released.txt", status: .noLeader)
            try await scene.expect("status -o json", golden: "status.released.json", status: .noLeader)
        }
    }

    /// A specification, a revision and an outcome that somebody has changed behind the managers' backs.
    @Test func aDatabaseThatWasTamperedWith() async throws {
        try await Scene.scripted { scene in
            let connection = try Connection(path: scene.store.path, mode: .readWrite, busyTimeout: 10_000)
            try connection.execute("PRAGMA foreign_keys = OFF")
            try connection.execute("UPDATE spec SET body = ? WHERE id = 2", .blob(Array("{}".utf8)))
            try connection.execute("UPDATE revision SET message = 'nothing to see' WHERE number = 3")
            try connection.execute("DELETE FROM revision WHERE number = 10")
            connection.close()
            try await scene.expect("verify", golden: "verify.broken.txt", status: .failed)
            try await scene.expect("verify -o json", golden: "verify.broken.json", status: .failed)
        }
    }

    /// Each kind of damage: what `verify` says of it, and where it ends what can be trusted.
    @Test(arguments: [
        ("UPDATE revision SET message = 'x' WHERE number = 7", "damaged-revision"),
        ("DELETE FROM change WHERE revision = 9; DELETE FROM revision WHERE number = 9", "missing-revision"),
        ("UPDATE spec SET body = CAST('{}' AS BLOB) WHERE id = 2", "damaged-spec"),
        ("UPDATE lease SET epoch = epoch + 1", "damaged-lease"),
        ("UPDATE change SET error = 'x', status = 1 WHERE revision = 4", "damaged-outcome"),
        ("UPDATE leadership SET until_at = NULL", "damaged-terms"),
        ("UPDATE retention SET removed = 9", "damaged-retention"),
    ])
    func kindsOfDamage(_ damage: String, _ golden: String) async throws {
        try await Scene.scripted { scene in
            let connection = try Connection(path: scene.store.path, mode: .readWrite, busyTimeout: 10_000)
            try connection.executeScript("PRAGMA foreign_keys = OFF; " + damage)
            connection.close()
            try await scene.expect("verify", golden: "verify.\(golden).txt", status: .failed)
        }
    }

    /// What is newer than the revision that is asked for may be what is damaged.
    @Test func aDamagedPresentDoesNotKeepThePastFromBeingSaved() async throws {
        try await Scene.scripted { scene in
            let expected = await scene.run("export --revision 3")
            #expect(expected.status == .done && !expected.output.isEmpty, "\(expected)")
            let connection = try Connection(path: scene.store.path, mode: .readWrite, busyTimeout: 10_000)
            try connection.execute(
                "UPDATE change SET action = 9 WHERE revision > 3 AND revision = (SELECT max(revision) FROM change WHERE status <> 2)"
            )
            connection.close()
            #expect(await scene.run("export").status == .storeUnusable)
            let saved = await scene.run("export --damaged --revision 3")
            #expect(saved.status == .done && saved.output == expected.output, "\(saved)")
        }
    }

    /// What another program has written is written anew, when all in it can be proven; else nothing is.
    @Test func whatAnotherProgramHasWrittenIsRepaired() async throws {
        try await Scene.scripted { scene in
            let history = await scene.run("history")
            let stock = try StockConnection(scene.store.path)
            try stock.execute("UPDATE lease SET socket = '/run/other'")
            stock.close()
            let found = await scene.run("verify")
            #expect(found.status == .failed && found.output.contains("verify --repair FILE"), "\(found)")
            let repaired = scene.store.path + ".repaired"
            let written = await scene.run("verify --repair \(repaired) -o json")
            let view = try JSONView(Array(written.output.utf8))
            #expect(written.status == .done && view.member("ok")?.bool == true, "\(written)")
            #expect(view.member("file")?.string == repaired, "\(written)")
            #expect(await scene.run("verify --file \(repaired)").status == .done)
            let again = await scene.run("verify --repair \(repaired)")
            #expect(again.status == .failed && again.errors.contains("exists already"), "\(again)")
            try FileManager.default.removeItem(atPath: scene.store.path)
            try FileManager.default.moveItem(atPath: repaired, toPath: scene.store.path)
            #expect(await scene.run("history").output == history.output)

            let second = try StockConnection(scene.store.path)
            try second.execute("UPDATE revision SET message = 'never' WHERE number = 3")
            second.close()
            let refused = await scene.run("verify --repair \(repaired)")
            #expect(refused.status == .storeUnusable && refused.errors.contains("nothing was written"), "\(refused)")
            #expect(!FileManager.default.fileExists(atPath: repaired))
        }
    }

    /// A damaged page: what it is is told, of the file itself and not of the copy that `verify` looks at.
    @Test(arguments: ["verify", "verify --in-place"]) func aDamagedPage(_ line: String) async throws {
        try await Scene.scripted { scene in
            let connection = try Connection(path: scene.store.path, mode: .readOnly, busyTimeout: 10_000)
            let page = try connection.first("SELECT rootpage FROM sqlite_schema WHERE name = 'spec'") { $0.int(0) }
            connection.close()
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: scene.store.path))
            try file.seek(toOffset: UInt64(4096 * (try #require(page) - 1)))
            try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
            try file.close()
            let table = await scene.run(line)
            #expect(table.status == .failed && table.errors.isEmpty, "\(table)")
            #expect(table.output.contains("\(scene.store.path) is damaged"), "\(table)")
            #expect(!table.output.contains("copy.db"), "\(table)")
            let json = await scene.run("\(line) -o json")
            let view = try JSONView(Array(json.output.utf8))
            #expect(json.status == .failed && json.errors.isEmpty, "\(json)")
            #expect(view.member("ok")?.bool == false && view.member("trusted")?.int == 0, "\(json)")
            #expect(view.member("problems")?.elements.isEmpty == false, "\(json)")
        }
    }
}
