internal import CSQLite

/// A connection as SQLite's own shell has it: it knows nothing of page checksums.
public final class StockConnection {
    private let handle: OpaquePointer
    private var isClosed = false

    public init(_ path: String) throws {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE
        guard sqlite3_open_v2(path, &handle, flags, "unix") == SQLITE_OK, let handle else {
            throw StockError("cannot open \(path)")
        }
        self.handle = handle
    }

    deinit { close() }

    public func close() {
        if !isClosed { sqlite3_close_v2(handle) }
        isClosed = true
    }

    public func execute(_ script: String) throws {
        guard sqlite3_exec(handle, script, nil, nil, nil) == SQLITE_OK else {
            throw StockError("\(script): \(String(cString: sqlite3_errmsg(handle)))")
        }
    }

    /// What the shell's `.backup` does.
    public func backup(to path: String) throws {
        let target = try StockConnection(path)
        guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw StockError("no backup")
        }
        let step = sqlite3_backup_step(backup, -1)
        let end = sqlite3_backup_finish(backup)
        guard step == SQLITE_DONE, end == SQLITE_OK else { throw StockError("backup: \(step), \(end)") }
    }

    /// Of a table, what the shell's `.dump` does: its definition and its rows.
    public func dump(into path: String) throws {
        let target = try StockConnection(path)
        try target.execute("PRAGMA foreign_keys = OFF")
        for sql in try column("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'") {
            try target.execute(sql)
        }
        try target.execute("ATTACH '\(String(cString: sqlite3_db_filename(handle, "main")))' AS old")
        for table in try column("SELECT name FROM sqlite_schema WHERE type = 'table'") {
            try target.execute("DELETE FROM \"\(table)\"; INSERT INTO \"\(table)\" SELECT * FROM old.\"\(table)\"")
        }
    }

    public func column(_ sql: String) throws -> [String] {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { throw StockError(sql) }
        defer { sqlite3_finalize(statement) }
        var values: [String] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            values.append(sqlite3_column_text(statement, 0).map { String(cString: $0) } ?? "")
        }
        return values
    }
}

public struct StockError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
