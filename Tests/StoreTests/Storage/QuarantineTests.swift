import Foundation
import GroupSPI
import Testing

@testable import Store

/// A database that is put aside, amid a transaction of a process that has ended.
struct QuarantineTests {
    private let files = FileManager.default

    /// A database as a process leaves it that is killed in the middle of a commit: some pages are new, some old, and the journal has
    /// what is needed to undo it.
    private func withHotJournal(_ body: (StoreConfiguration) async throws -> Void) async throws {
        try await withScratch { directory in
            let original = try await openStore(in: directory)
            try await lead(original).append([.set("a", 1)])
            let raw = try rawConnection(original.path)
            for number in 0..<400 {
                let text = "old \(number) \(String(repeating: "x", count: 900))"
                try raw.execute("INSERT INTO name (text) VALUES (?)", .text(text))
            }
            // More than fits into its memory: the pages go to the file before the commit.
            try raw.execute("PRAGMA cache_size = 1")
            try raw.execute("BEGIN IMMEDIATE")
            try raw.execute("UPDATE name SET text = 'new' || substr(text, 4) WHERE text LIKE 'old %'")
            let copy = "\(directory)/copy"
            try files.createDirectory(atPath: copy, withIntermediateDirectories: true)
            let configuration = StoreConfiguration(path: StoreConfiguration.path(in: copy), busyTimeout: 10_000)
            for suffix in ["", "-journal"] {
                try files.copyItem(atPath: original.path + suffix, toPath: configuration.path + suffix)
            }
            try raw.rollBack()
            // Without its journal it is damaged, or has what was never committed.
            let torn = "\(copy)/torn"
            try files.copyItem(atPath: configuration.path, toPath: torn)
            #expect(throws: (any Error).self) { try wholeness(of: torn) }
            try files.removeItem(atPath: torn)
            try await body(configuration)
        }
    }

    /// - Throws: when it is not what was committed.
    private func wholeness(of path: String) throws {
        let connection = try rawConnection(path)
        defer { connection.close() }
        try connection.execute("BEGIN")
        let check = try connection.all("PRAGMA integrity_check") { $0.text(0) }
        let old = try connection.first("SELECT count(*) FROM name WHERE text LIKE 'old %'") { $0.int(0) }
        guard check == ["ok"], old == 400 else { throw Unexpected("\(check), \(old ?? -1) of what was committed") }
        try connection.execute("COMMIT")
    }

    @Test func itsJournalGoesAlong() async throws {
        try await withHotJournal { configuration in
            let aside = try #require(try Store.quarantine(configuration, as: "aside"))
            #expect(!files.fileExists(atPath: configuration.path))
            #expect(!files.fileExists(atPath: "\(configuration.path)-journal"))
            try wholeness(of: aside)
        }
    }

    /// Ended between any two steps: whatever database is there then, under whichever name, has its journal.
    @Test func whereverItEndsNeitherIsTakenForWholeAlone() async throws {
        try await withHotJournal { configuration in
            let directory = (configuration.path as NSString).deletingLastPathComponent
            var snapshots: [String] = []
            _ = try Store.quarantine(configuration, as: "aside") {
                let snapshot = "\(directory)-\(snapshots.count)"
                try? files.copyItem(atPath: directory, toPath: snapshot)
                snapshots.append(snapshot)
            }
            #expect(snapshots.count == 4)
            for snapshot in snapshots {
                let names = try files.contentsOfDirectory(atPath: snapshot).filter { !$0.hasSuffix("-journal") }
                #expect(names.count == 1, "\(names)")
                for name in names { try wholeness(of: "\(snapshot)/\(name)") }
                // What is made in its place has nothing of it.
                let made = try await openStore(in: snapshot)
                #expect(try await made.verify(within: patience).problems.isEmpty)
            }
        }
    }

    /// Somebody writes to it: then it is not moved from under them.
    @Test func oneThatIsWrittenToStaysWhereItIs() async throws {
        try await withScratch { directory in
            let store = try await openStore(in: directory)
            let raw = try rawConnection(store.path)
            try raw.execute("BEGIN IMMEDIATE")
            try raw.execute("INSERT INTO name (text) VALUES ('x')")
            let configuration = StoreConfiguration(path: store.path, busyTimeout: 20)
            #expect(throws: StoreError.self) { try Store.quarantine(configuration, as: "aside") }
            try raw.execute("COMMIT")
            #expect(files.fileExists(atPath: store.path))
            let aside = try #require(try Store.quarantine(configuration, as: "aside"))
            let moved = try rawConnection(aside)
            #expect(try moved.first("SELECT count(*) FROM name WHERE text = 'x'") { $0.int(0) } == 1)
        }
    }
}
