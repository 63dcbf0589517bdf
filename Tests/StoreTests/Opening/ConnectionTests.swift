import CSQLite
import Foundation
import Testing

@testable import Store

@Suite struct ConnectionTests {
    @Test(arguments: [Connection.Mode.readOnly, .readWrite, .create])
    func theSettingsAreInForce(_ mode: Connection.Mode) async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path, mode: mode)
            #expect(try raw.first("PRAGMA journal_mode") { $0.text(0) } == "delete")
            #expect(try raw.first("PRAGMA synchronous") { $0.int(0) } == 3)
            #expect(try raw.first("PRAGMA mmap_size") { $0.int(0) } == 0)
            #expect(try raw.first("PRAGMA foreign_keys") { $0.int(0) } == 1)
            #expect(try raw.first("PRAGMA cell_size_check") { $0.int(0) } == 1)
            #expect(try raw.first("PRAGMA trusted_schema") { $0.int(0) } == 0)
            // A string in double quotes is a name, and a misspelt one an error.
            let name = #expect(throws: SQLiteError.self) { try raw.execute(#"SELECT "no such column""#) }
            #expect(name?.message.contains("no such column") == true)
        }
    }

    @Test func defensiveModeKeepsTheSchemaSafe() async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path)
            try raw.executeScript("PRAGMA writable_schema = ON")
            #expect(throws: SQLiteError.self) { try raw.executeScript("DELETE FROM sqlite_schema") }
            // Ignored, not refused.
            try raw.executeScript("PRAGMA journal_mode = OFF")
            #expect(try raw.first("PRAGMA journal_mode") { $0.text(0) } == "delete")
        }
    }

    @Test func foreignKeysAreChecked() async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path)
            let error = #expect(throws: SQLiteError.self) {
                try raw.execute("INSERT INTO change VALUES (1, 1, 2, NULL, NULL, 0, NULL)")
            }
            #expect(error?.extendedCode == SQLITE_CONSTRAINT | 3 << 8)
        }
    }

    @Test func anErrorTellsCodePathAndStatement() async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path)
            let sql = "INSERT INTO lease SELECT * FROM lease"
            let error = try #require(#expect(throws: SQLiteError.self) { try raw.execute(sql) })
            #expect(error.extendedCode == SQLITE_CONSTRAINT | 6 << 8 && error.primaryCode == SQLITE_CONSTRAINT)
            #expect(error.path == store.path && error.action == sql)
            for part in [store.path, sql, "\(error.extendedCode)"] { #expect(error.description.contains(part)) }
        }
    }

    @Test func statementsAreKept() async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path)
            let before = raw.preparedTexts.count
            for number in 0..<10 { #expect(try raw.first("SELECT ?", .int(number)) { $0.int(0) } == number) }
            #expect(raw.preparedTexts.count == before + 1)
            // A parameter that is not given is NULL, and not what the last call has left.
            #expect(try raw.first("SELECT ?") { $0.isNull(0) } == true)
        }
    }

    @Test func aQueryMayRunInsideTheSameQuery() async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path)
            let sql = "SELECT value FROM (SELECT 1 AS value UNION SELECT 2 UNION SELECT 3) WHERE value > ?"
            let pairs = try raw.all(sql, .int(0)) { outer in
                (outer.int(0), try raw.all(sql, .int(outer.int(0))) { $0.int(0) })
            }
            #expect(pairs.map(\.0) == [1, 2, 3] && pairs.map(\.1) == [[2, 3], [3], []])
        }
    }

    @Test func valuesComeBackAsTheyWereBound() async throws {
        try await withStore { store in
            let raw = try rawConnection(store.path)
            let bytes: [UInt8] = [0, 255, 0, 7]
            for text in ["", "a\u{0}b", "é\u{1F404}", String(repeating: "x", count: 100_000)] {
                #expect(
                    try raw.first("SELECT ?, typeof(?1)", .text(text)) { [$0.text(0), $0.text(1)] } == [text, "text"]
                )
            }
            #expect(try raw.first("SELECT ?", .blob(bytes)) { $0.blob(0) } == bytes)
            #expect(try raw.first("SELECT ?, typeof(?1)", .blob([])) { $0.text(1) } == "blob")
            for number in [Int.min, -1, 0, Int.max] {
                #expect(try raw.first("SELECT ?", .int(number)) { $0.int(0) } == number)
            }
            #expect(try raw.first("SELECT ?", .text(nil)) { $0.optionalText(0) } == .some(nil))
        }
    }

    @Test func aRelativePathIsNeverAnAddress() throws {
        let error = #expect(throws: (any Error).self) {
            try Connection(path: "file:/tmp/x?mode=memory", mode: .readWrite, busyTimeout: 0)
        }
        #expect((error as? SQLiteError)?.primaryCode == SQLITE_CANTOPEN)
    }
}
