internal import CSQLite

/// A result code of SQLite that is not success, with what was being done to which file.
public struct SQLiteError: Error, Hashable, Sendable {
    /// The extended result code, for example 2570 (`SQLITE_IOERR_BLOCKED`).
    public let extendedCode: Int32
    /// SQLite's own words.
    public let message: String
    /// The database file.
    public let path: String
    /// What was asked: `open`, or the statement's text.
    public let action: String
    /// The operating system's error number behind an I/O error or a file that does not open; 0 when there is none.
    public let systemError: Int32

    /// `SQLITE_IOERR_DATA`, a macro that Swift does not import: a page does not match its checksum.
    static let damagedPage = SQLITE_IOERR | 32 << 8

    init(extendedCode: Int32, message: String, path: String, action: String, systemError: Int32 = 0) {
        self.extendedCode = extendedCode
        self.message = message
        self.path = path
        self.action = action
        self.systemError = systemError
    }

    /// The journal beside the file is not of its last transaction.
    static let strangeJournal = Int32(CSQLITE_STRANGE_JOURNAL)

    /// Reads the last error of `database`, which may be nil when opening failed for want of memory.
    init(code: Int32, database: OpaquePointer?, path: String, action: String) {
        if code == Self.damagedPage {
            // Failed on this thread just now.
            let words = "page \(csqlite_damaged_page()) does not match its checksum"
            self.init(extendedCode: code, message: words, path: path, action: action)
            return
        }
        self.init(
            // The connection's own code is the finer one, if it is about the same failure.
            extendedCode: database.map { sqlite3_extended_errcode($0) }.flatMap { $0 & 0xFF == code & 0xFF ? $0 : nil }
                ?? code,
            message: database.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code)),
            path: path,
            action: action,
            systemError: [SQLITE_IOERR, SQLITE_CANTOPEN].contains(code & 0xFF)
                ? database.map { sqlite3_system_errno($0) } ?? 0 : 0
        )
    }

    /// The low byte of the code: the family that it belongs to.
    public var primaryCode: Int32 { extendedCode & 0xFF }

    /// Another connection holds the lock.
    public var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }
}

extension SQLiteError: CustomStringConvertible {
    public var description: String { "\(message) (SQLite code \(extendedCode), \(path), during: \(action))" }
}
