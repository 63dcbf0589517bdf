internal import CSQLite
internal import GroupSPI

/// The values of a row.
protocol Row {
    func int(_ column: Int32) -> Int
    /// Empty for NULL.
    func text(_ column: Int32) -> String
    /// Empty for NULL.
    func blob(_ column: Int32) -> [UInt8]
    func isNull(_ column: Int32) -> Bool
}

extension Row {
    func identifier(_ column: Int32) -> Identifier { Identifier(text(column)) }
    func optionalInt(_ column: Int32) -> Int? { isNull(column) ? nil : int(column) }
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func optionalIdentifier(_ column: Int32) -> Identifier? { optionalText(column).map { Identifier($0) } }
}

/// A prepared statement; also the row that its last step reached.
final class Statement: Row {
    private let handle: OpaquePointer
    private let database: OpaquePointer
    private let path: String
    private let sql: String

    init(_ sql: String, database: OpaquePointer, path: String) throws {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else {
            throw SQLiteError(code: code, database: database, path: path, action: sql)
        }
        self.handle = handle
        self.database = database
        self.path = path
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Between a step and a reset: a nested query with the same text needs a statement of its own.
    var isBusy: Bool { sqlite3_stmt_busy(handle) != 0 }

    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func bind(_ values: [SQLValue]) throws {
        for (offset, value) in values.enumerated() {
            let index = Int32(offset + 1)
            let code =
                switch value {
                case .null: sqlite3_bind_null(handle, index)
                case .int(let value): sqlite3_bind_int64(handle, index, Int64(value))
                case .text(let value): Self.bind(value, handle, index)
                case .blob(let value): csqlite_bind_blob(handle, index, value, Int32(value.count))
                }
            guard code == SQLITE_OK else { throw error(code) }
        }
    }

    private static func bind(_ text: String, _ handle: OpaquePointer, _ index: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                guard let base = $0.baseAddress else { return csqlite_bind_text(handle, index, "", 0) }
                return csqlite_bind_text(handle, index, base, Int32($0.count))
            }
        }
    }

    /// - Returns: true when a row was reached, false at the end.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw error(code)
        }
    }

    // MARK: - Columns of the row

    func int(_ column: Int32) -> Int { Int(sqlite3_column_int64(handle, column)) }

    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The row, for when the statement has gone on.
    var copy: CopiedRow {
        CopiedRow(
            values: (0..<sqlite3_column_count(handle)).map { column in
                switch sqlite3_column_type(handle, column) {
                case SQLITE_NULL: .null
                case SQLITE_INTEGER: .int(int(column))
                case SQLITE_BLOB: .blob(blob(column))
                default: .text(text(column))
                }
            }
        )
    }

    private func error(_ code: Int32) -> SQLiteError {
        SQLiteError(code: code, database: database, path: path, action: sql)
    }
}

/// A row that was taken out of a transaction. What takes long is made of it afterwards: as long as a transaction lasts, it keeps
/// others waiting, the leader's renewal among them.
struct CopiedRow: Row, Sendable {
    fileprivate let values: [SQLValue]

    private subscript(_ column: Int32) -> SQLValue { values[Int(column)] }

    func int(_ column: Int32) -> Int {
        guard case .int(let value) = self[column] else { return 0 }
        return value
    }

    func text(_ column: Int32) -> String {
        switch self[column] {
        case .text(let text): text
        case .int(let value): "\(value)"
        case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null: ""
        }
    }

    func blob(_ column: Int32) -> [UInt8] {
        switch self[column] {
        case .blob(let bytes): bytes
        case .text(let text): Array(text.utf8)
        case .int(let value): Array("\(value)".utf8)
        case .null: []
        }
    }

    func isNull(_ column: Int32) -> Bool {
        guard case .null = self[column] else { return false }
        return true
    }
}
