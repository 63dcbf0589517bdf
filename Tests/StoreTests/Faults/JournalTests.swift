import CSQLite
import Foundation
import Testing

@testable import Store

/// A journal goes through our VFS (Sources/CSQLite/PageChecksums.c), and no promise of SQLite's may depend on that.
@Suite struct JournalTests {
    /// A database of a thousand rows, each on a page of its own.
    private func withPages(_ body: (Connection, FaultyDisk, _ path: String) throws -> Void) async throws {
        try await withScratch { directory in
            let path = StoreConfiguration.path(in: directory)
            let disk = FaultyDisk(path)
            defer { disk.remove() }
            let connection = try Connection(path: path, mode: .create, busyTimeout: 10_000)
            defer { connection.close() }
            try connection.executeScript(
                """
                CREATE TABLE page (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
                WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
                INSERT INTO page SELECT i, zeroblob(3000) FROM n;
                """
            )
            try body(connection, disk, path)
        }
    }

    private func change(_ rows: ClosedRange<Int>, _ connection: Connection) throws {
        try connection.execute(
            "UPDATE page SET body = randomblob(3000) WHERE id BETWEEN ? AND ?",
            .int(rows.lowerBound),
            .int(rows.upperBound)
        )
    }

    private func isUntouched(_ path: String) throws -> Bool {
        let other = try rawConnection(path)
        defer { other.close() }
        let changed = try other.first("SELECT count(*) FROM page WHERE body <> zeroblob(3000)") { $0.int(0) }
        let integrity = try other.first("PRAGMA integrity_check") { $0.text(0) }
        return changed == 0 && integrity == "ok"
    }

    /// The old content of a page is on its way to the disk before the new one, also when SQLite was told to sync nothing.
    @Test func aPageIsInTheJournalBeforeItChanges() async throws {
        try await withPages { connection, disk, path in
            // One cache page: SQLite has to write pages of the database in the middle of the transaction.
            try connection.execute("PRAGMA synchronous = OFF")
            try connection.execute("PRAGMA cache_size = 1")
            let copy = path + ".copy"
            let copies = Counter()
            let writes = Counter()
            disk.beforeWrite { file in
                // Before a later write to the database: what was written already has to be undone by what is there.
                guard file == .database else { return SQLITE_OK }
                writes.add()
                guard writes.value == 40 else { return SQLITE_OK }
                copies.add()
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/bin/sh")
                process.arguments = ["-c", "cp '\(path)' '\(copy)' && cp '\(path)-journal' '\(copy)-journal'"]
                guard (try? process.run()) != nil else { return SQLITE_IOERR }
                process.waitUntilExit()
                return process.terminationStatus == 0 ? SQLITE_OK : SQLITE_IOERR
            }
            try connection.execute("BEGIN IMMEDIATE")
            try change(1...500, connection)
            #expect(copies.value == 1)
            disk.beforeWrite(nil)
            #expect(try isUntouched(copy))
            try connection.rollBack()
            #expect(try isUntouched(path))
        }
    }

    /// What could not be written is still needed to undo what was done in memory.
    @Test(arguments: [1, 30, 400]) func aRollbackNeedsNoRoomOnTheDisk(_ pages: Int) async throws {
        try await withPages { connection, disk, path in
            let isFull = Counter()
            disk.beforeWrite { file in
                // The header still finds room.
                guard file == .journal else { return SQLITE_OK }
                isFull.add()
                return isFull.value > 1 ? SQLITE_FULL : SQLITE_OK
            }
            #expect(throws: SQLiteError.self) {
                try connection.execute("BEGIN IMMEDIATE")
                try change(1...pages, connection)
                try connection.execute("COMMIT")
            }
            #expect(isFull.value > 1)
            if connection.isInTransaction { try connection.rollBack() }
            // Nothing is left for whoever looks next.
            #expect(!FileManager.default.fileExists(atPath: path + "-journal"))
            // Through the same connection: its cache was put right as well.
            #expect(
                try connection.first("SELECT count(*) FROM page WHERE body <> zeroblob(3000)") { $0.int(0) } == 0
            )
            disk.beforeWrite(nil)
            #expect(try isUntouched(path))
            try change(1...pages, connection)
            #expect(
                try rawConnection(path).first("SELECT count(*) FROM page WHERE body <> zeroblob(3000)") { $0.int(0) }
                    == pages
            )
        }
    }

    /// A savepoint's rollback reads the journal while the transaction goes on.
    @Test func aSavepointIsUndoneAndTheRestStays() async throws {
        try await withPages { connection, _, path in
            try connection.execute("PRAGMA cache_size = 10")
            try connection.execute("BEGIN IMMEDIATE")
            try change(1...50, connection)
            try connection.execute("SAVEPOINT work")
            try change(40...300, connection)
            try connection.rollBack(to: "work")
            try connection.execute("RELEASE work")
            try change(301...320, connection)
            try connection.execute("COMMIT")
            let other = try rawConnection(path)
            let changed = try other.all("SELECT id FROM page WHERE body <> zeroblob(3000) ORDER BY id") { $0.int(0) }
            #expect(changed == Array(1...50) + Array(301...320))
            #expect(try other.first("PRAGMA integrity_check") { $0.text(0) } == "ok")
        }
    }
}
