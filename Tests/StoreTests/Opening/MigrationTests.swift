import Foundation
import GroupSPI
import Migrations
import Testing

@testable import Store

@Suite struct MigrationTests {
    /// What is carried inside the program is what lies in the folder, all of it and in its order.
    @Test func theListIsTheFolder() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../migrations")
        let files = try names(in: folder.path).filter { $0.hasSuffix(".sql") }
        #expect(!files.isEmpty)
        for (index, file) in files.enumerated() {
            #expect(file.hasPrefix("v" + String("00\(index + 1)".suffix(3))))
            #expect(Data(Migrations.scripts[index].utf8) == (try contents(of: folder.appending(path: file).path)))
        }
        #expect(Migrations.scripts.count == files.count)
    }

    @Test func aStoreIsMarkedAsOurs() async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path)
            #expect(try raw.first("PRAGMA user_version") { $0.int(0) } == Migrations.scripts.count)
            #expect(try raw.first("PRAGMA application_id") { $0.int(0) } == 0x496E_664B)
        }
    }

    /// What `verify` compares with. A new script makes a new one: put it into `Schema`.
    @Test func theFingerprintIsThatOfTheScripts() async throws {
        try await withStore { store in
            let fingerprint = try Schema.fingerprint(of: try rawConnection(store.path))
            #expect(fingerprint == Schema.fingerprint)
        }
    }

    private static let withoutVersion8 = [
        "revision", "hash", "seen_epoch", "seen_sequence", "seen_revision", "seen_hash", "last_epoch", "last_number",
        "is_exact",
    ].map { "ALTER TABLE lease DROP COLUMN \($0);" }.joined()
    private static let withoutLaterVersions =
        """
        DROP TABLE acknowledgement;
        ALTER TABLE lease DROP COLUMN elapsed; ALTER TABLE confirmation DROP COLUMN since; DROP TABLE age;
        DROP INDEX request_ended; ALTER TABLE request DROP COLUMN ended; ALTER TABLE request DROP COLUMN waits_for;
        ALTER TABLE request DROP COLUMN epoch;
        """

    /// A history made before version 4 is the same afterwards, and all that refers to its specifications still does.
    @Test func specificationsAreMovedWithAllThatRefersToThem() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            for index in 0..<30 { try await leader.append([.set("g\(index % 4)", index % 7), .set("h", index)]) }
            let before = try await leader.store.history(HistoryQuery(), within: patience).revisions
            let raw = try rawConnection(leader.store.path)
            try raw.execute("PRAGMA foreign_keys = OFF")
            // As version 3 has it.
            try raw.executeScript(
                """
                CREATE TABLE before (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body BLOB NOT NULL) STRICT;
                INSERT INTO before SELECT id, hash, body FROM spec;
                DROP TABLE spec;
                ALTER TABLE before RENAME TO spec;
                \(Self.withoutVersion8)
                \(Self.withoutLaterVersions)
                PRAGMA user_version = 3;
                """
            )
            raw.close()
            let store = try await openStore(in: directory)
            #expect(try await store.history(HistoryQuery(), within: patience).revisions == before)
            #expect(try await store.verify(within: patience) == Verification(newest: 30, revisions: 30, problems: []))
            #expect(try await store.verifyFile(within: patience) == [])
            let next = try await lead(store, as: "n2/group")
            try await next.append([.set("i", 3)])
            let specs = try rawConnection(store.path).first("SELECT count(*) FROM spec") { $0.int(0) }
            #expect(specs == 30)
        }
    }

    /// Before version 5, what was overtaken was called rejected. What the plugin refused stays so.
    @Test func whatWasOvertakenIsNotRejectedAnyMore() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            try await leader.settle(try await leader.append([.set("a", 1)]), .rejected, error: "superseded by fashion")
            for size in 2...15 { try await leader.append([.set("a", size), .set("b", 1)]) }
            let raw = try rawConnection(leader.store.path)
            try raw.executeScript(
                """
                UPDATE change SET status = 2, error = 'superseded by revision 15 before the plugin''s answer was stored'
                WHERE revision BETWEEN 2 AND 14 AND group_id = (SELECT id FROM name WHERE text = 'a');
                UPDATE change SET status = 1 WHERE revision = 15 OR group_id = (SELECT id FROM name WHERE text = 'b');
                \(Self.withoutVersion8)
                \(Self.withoutLaterVersions)
                PRAGMA user_version = 4;
                """
            )
            raw.close()
            let store = try await openStore(in: directory)
            let revisions = try await store.history(HistoryQuery(), within: patience).revisions
            #expect(revisions.map(\.status) == [.applied] + Array(repeating: .superseded, count: 13) + [.rejected])
            let words = "overtaken by revision 15 before its outcome was known; it may have been applied"
            #expect(revisions.map(\.error) == [nil] + Array(repeating: words, count: 13) + ["superseded by fashion"])
            #expect(try await store.state(of: "a", at: 14, within: patience).revision == 14)
            #expect(try await store.verify(within: patience).isSound)
        }
    }

    @Test func toOpenAgainChangesNothing() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            try await leader.append([.set("a", 1)])
            let before = try contents(of: leader.store.path)
            let again = try await openStore(in: directory)
            #expect(try await again.summary(within: patience).newest == 1)
            #expect(try contents(of: leader.store.path) == before)
            #expect(try names(in: directory) == ["manager.db"])
        }
    }

    /// All replicas of a new installation may start at the same moment, and commands look on.
    @Test func managersThatStartAtOnceCreateOneStore() async throws {
        for _ in 0..<10 {
            try await withScratch { directory in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<6 {
                        tasks.addTask { _ = try await openStore(in: directory) }
                        tasks.addTask {
                            let path = StoreConfiguration.path(in: directory)
                            let command = Store.openForCommand(StoreConfiguration(path: path, busyTimeout: 10_000))
                            do {
                                _ = try await command.lease(within: patience)
                            } catch {
                                #expect([.missing, .empty].contains((error as? StoreError)?.code), "\(error)")
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
        }
    }

    /// Whose file it is takes several questions; whoever creates it between two of them must not make it look foreign.
    @Test func aFileIsNeverSeenHalfMade() async throws {
        for _ in 0..<40 {
            try await withScratch { directory in
                let path = StoreConfiguration.path(in: directory)
                let looking = Counter()
                async let versions = Task.detached {
                    let raw = try rawConnection(path, mode: .create)
                    var versions: Set<Int> = []
                    while !versions.contains(Schema.currentVersion) {
                        versions.insert(try Schema.version(of: raw))
                        looking.add()
                    }
                    return versions
                }.value
                while looking.value == 0 { await Task.yield() }
                _ = try await openStore(in: directory)
                let seen = try await versions
                #expect(seen.isSubset(of: Set(0...Schema.currentVersion)))
            }
        }
    }
}
