internal import CLinux
internal import CSQLite
internal import Glibc

/// One SQLite connection. It belongs to one thread at a time and is not safe to share.
///
/// Settings follow from where the file may lie (docs/storage.md): a rollback journal because a write-ahead log corrupts
/// across hosts, `synchronous=EXTRA` because an acknowledged commit must survive power loss, no memory mapping because
/// a page that fails to arrive over the network would be a signal, not an error. Every page has a checksum, because a
/// disk or a server may answer with something else than what was written.
final class Connection {
    enum Mode {
        case readOnly
        case readWrite
        /// Also creates the file when it is missing.
        case create
    }

    let path: String
    let database: OpaquePointer
    /// A server may have it, of which the kernel remembers what it was told some time ago.
    private let isRemote: Bool
    /// The file system that the file was on when it was opened.
    let device: UInt?
    private var statements: [StatementText: Statement] = [:]
    /// The numbers of names and authors; see Interning.swift.
    var interned = InternCache()
    /// What this process has seen of the database; nil for who stores nothing that it goes on from.
    var memory: StoreMemory?
    /// Not one page has a checksum: another program has written the whole file. It is to be read only.
    private(set) var isUnchecked = false
    /// Within a transaction of ``begin()``; nil outside of one.
    var transactionCache: TransactionCache?

    /// Opens the file and applies the settings.
    ///
    /// - Parameters:
    ///   - busyTimeout: how long a statement waits for another connection's lock, in milliseconds.
    ///   - vfs: the name of the way by which SQLite reaches the file; nil for the usual one.
    ///   - checksPages: whether pages that do not have their checksums are refused; written they are with them in any case.
    /// - Throws: ``SQLiteError``, ``StoreError``.
    init(path: String, mode: Mode, busyTimeout: Int, vfs: String? = nil, checksPages: Bool = true) throws {
        let flags =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        Self.configureOnce
        var handle: OpaquePointer?
        // A relative path that begins with "file:" would be read as a URI.
        let name = path.hasPrefix("/") ? path : "./" + path
        guard Self.linksInCircles(name) || clinux_links_are_own(name) != ELOOP else {
            throw StoreError(
                .permission,
                "\(path) is a symbolic link that another user could have made, so it is not followed. Remove the "
                    + "link, or name the store directory that it leads to."
            )
        }
        self.isRemote = csqlite_is_remote(name) != 0
        if isRemote { csqlite_ask_server(name) }
        let checked = vfs.map { $0.withCString { csqlite_checksum_vfs($0) } } ?? csqlite_checksum_vfs(nil)
        let code = sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, checked)
        guard code == SQLITE_OK, let handle else {
            let error = SQLiteError(code: code, database: handle, path: path, action: "open")
            sqlite3_close_v2(handle)
            throw error
        }
        self.path = path
        self.database = handle
        self.device = Self.device(of: path)
        sqlite3_busy_timeout(handle, Int32(clamping: busyTimeout))
        do {
            if mode == .create { csqlite_reserve_checksums(handle) }
            if !checksPages { csqlite_read_damaged_pages(handle) }
            try checkHeader()
            if checksPages { try findChecksums() }
            try configure()
            // It takes the tables' definitions, and who looks at damage may find those damaged; that one stores nothing,
            // and the header was asked for the journal already.
            if checksPages { try configureJournal() }
        } catch {
            close()
            throw error
        }
    }

    /// Links that lead nowhere are nobody's trap, and opening the file tells of them.
    private static func linksInCircles(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 && errno == ELOOP
    }

    private static let configureOnce: Void = csqlite_keep_no_statistics()

    convenience init(_ configuration: StoreConfiguration, mode: Mode, busyTimeout: Int? = nil) throws {
        if !configuration.mayHaveOtherNames { try SoleName.require(of: configuration.path) }
        try self.init(
            path: configuration.path,
            mode: mode,
            busyTimeout: busyTimeout ?? configuration.busyTimeout,
            vfs: configuration.vfs,
            checksPages: configuration.checksPages
        )
    }

    deinit { close() }

    private var isClosed = false

    /// Ends it at once: its locks are gone, an open transaction is undone. It is of no use afterwards.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        statements.removeAll()
        sqlite3_close_v2(database)
    }

    /// Refuses a database with a write-ahead log before SQLite looks at more than its header: any question to it, even
    /// `PRAGMA journal_mode`, would create the log's files beside it and take part in the log, which between two hosts
    /// is the damage itself. And a database of ours without checksums, which would be read without a check.
    private func checkHeader() throws {
        var header = [UInt8](repeating: 0, count: 100)
        let code = csqlite_read_header(database, &header, Int32(header.count))
        guard code == SQLITE_OK else {
            throw SQLiteError(code: code, database: nil, path: path, action: "read the header")
        }
        // https://sqlite.org/fileformat2.html: the read version is 2 with a write-ahead log; the application id; the bytes
        // that are left free in each page.
        let application = header[68..<72].reduce(0) { $0 << 8 | Int($1) }
        let isMarked = header.starts(with: Array("SQLite format 3\0".utf8))
        guard isMarked || application == Schema.applicationID else { return }
        guard isMarked, Self.isReadable(header) else {
            // SQLite takes it for no database. Each of the two marks alone says that it was one.
            throw StoreError(
                .corrupt,
                "\(path) is damaged: its header is invalid. Stop the managers and restore a backup."
            )
        }
        if header[18] > 1 || header[19] > 1 {
            guard application == Schema.applicationID else { throw StoreError.foreign(path) }
            throw StoreError.journalMode("wal", path: path)
        }
        guard application != Schema.applicationID || header[20] == 8 else {
            throw StoreError(
                .corrupt,
                "\(path) has no page checksums: its header is damaged, or another program has rewritten it. Stop the "
                    + "managers and restore a backup."
            )
        }
    }

    /// Whether SQLite takes a header with its mark for one of a database.
    private static func isReadable(_ header: [UInt8]) -> Bool {
        let size = header[16..<18].reduce(0) { $0 << 8 | Int($1) }
        let isSize = size == 1 || size >= 512 && size & (size - 1) == 0
        return isSize && header[18] <= 2 && header[19] <= 2 && header[21..<24] == [64, 32, 32]
    }

    /// A copy that SQLite itself has made by statements (`VACUUM INTO`), or a file that it has compacted, has room for
    /// checksums and none at all. Damage leaves no such file: it does not end with zeros in each page.
    private func findChecksums() throws {
        guard try hasNoChecksums() else { return }
        isUnchecked = true
        csqlite_read_damaged_pages(database)
    }

    private func hasNoChecksums() throws -> Bool {
        var hasNone: Int32 = 0
        let code = csqlite_has_no_checksums(database, &hasNone)
        guard code == SQLITE_OK else {
            throw SQLiteError(code: code, database: nil, path: path, action: "look for checksums")
        }
        return hasNone != 0
    }

    /// True when another file, or none, is where this one was when it was opened. On a server that is what the server says.
    var hasMoved: Bool {
        if isRemote { csqlite_ask_server(path.hasPrefix("/") ? path : "./" + path) }
        var answer: Int32 = 0
        let code = sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &answer)
        // SQLite compares the number of the file, which is the same in a copy of the whole file system.
        return code == SQLITE_OK && answer != 0 || Self.device(of: path) != device
    }

    private static func device(of path: String) -> UInt? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_dev) : nil
    }

    /// True when the operating system allowed no writing, although it was asked for.
    var isReadOnly: Bool { sqlite3_db_readonly(database, "main") == 1 }

    private func configure() throws {
        for (option, value) in [
            (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_DQS_DDL, 0), (SQLITE_DBCONFIG_DQS_DML, 0),
            (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), (SQLITE_DBCONFIG_ENABLE_FKEY, 1),
        ] as [(Int32, Int32)] {
            let code = csqlite_db_config(database, option, value)
            guard code == SQLITE_OK else {
                throw SQLiteError(code: code, database: database, path: path, action: "configure option \(option)")
            }
        }
        try execute("PRAGMA mmap_size = 0")
        // Damage is found where it lies, when it is read, and not as a wrong answer.
        try execute("PRAGMA cell_size_check = ON")
    }

    private func configureJournal() throws {
        try execute("PRAGMA synchronous = EXTRA")
        // Asked, never set: setting it would rewrite a file that somebody else put into another mode.
        let journal = try first("PRAGMA journal_mode") { $0.text(0) } ?? "unknown"
        guard ["delete", "truncate", "persist"].contains(journal) else {
            throw StoreError.journalMode(journal, path: path)
        }
    }

    // MARK: - Statements

    /// Runs a statement to its end.
    ///
    /// - Returns: how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ values: SQLValue...) throws -> Int {
        let statement = try prepare(sql)
        defer { statement.reset() }
        try statement.bind(values)
        while try statement.step() {}
        return Int(sqlite3_changes(database))
    }

    /// Runs a script of several statements without parameters.
    func executeScript(_ sql: String) throws {
        let code = sqlite3_exec(database, sql, nil, nil, nil)
        guard code == SQLITE_OK else {
            throw SQLiteError(code: code, database: database, path: path, action: "script")
        }
    }

    /// All rows of a query.
    func all<Result>(_ sql: String, _ values: SQLValue..., row: (Statement) throws -> Result) throws -> [Result] {
        let statement = try prepare(sql)
        defer { statement.reset() }
        try statement.bind(values)
        var result: [Result] = []
        while try statement.step() { result.append(try row(statement)) }
        return result
    }

    /// The first row of a query, or nil when there is none.
    func first<Result>(_ sql: String, _ values: SQLValue..., row: (Statement) throws -> Result) throws -> Result? {
        let statement = try prepare(sql)
        defer { statement.reset() }
        try statement.bind(values)
        return try statement.step() ? try row(statement) : nil
    }

    /// Begins a transaction that writes, and takes the lock for it: from here to its end nobody else changes anything.
    func begin() throws {
        transactionCache = nil
        try execute("BEGIN IMMEDIATE")
        transactionCache = TransactionCache()
    }

    func commit() throws {
        transactionCache = nil
        try execute("COMMIT")
    }

    /// For what changes, within a transaction, something that ``transactionCache`` may tell.
    func forgetFacts() {
        if transactionCache != nil { transactionCache = TransactionCache() }
    }

    /// Undoes the transaction; or what came after a savepoint, which stays.
    func rollBack(to savepoint: String? = nil) throws {
        interned.forget()
        forgetFacts()
        if savepoint == nil { transactionCache = nil }
        try execute(savepoint.map { "ROLLBACK TO \($0)" } ?? "ROLLBACK")
    }

    /// Has the disk keep a commit that was made but reported as failed.
    ///
    /// The journal's removal is the commit. If it is seen but not synced, the journal comes back when the power goes, and
    /// with it what was before. A transaction more has a journal of the same name, whose removal is synced.
    func keepLastCommit() throws {
        try begin()
        try execute("UPDATE lease SET id = id")
        try commit()
    }

    /// The pages that do not have their checksums, by number from 1; the first so many of them.
    ///
    /// Of a connection that does not check pages.
    ///
    /// - Throws: ``SQLiteError``.
    func damagedPages(limit: Int) throws -> [Int] {
        var numbers = [Int64](repeating: 0, count: limit)
        var count: Int32 = 0
        // Locks the file, and needs no table.
        try execute("PRAGMA user_version")
        // With none at all there is nothing to compare.
        guard try !hasNoChecksums() else { return [] }
        let code = csqlite_check_pages(database, &numbers, Int32(limit), &count)
        guard code == SQLITE_OK else {
            throw SQLiteError(code: code, database: database, path: path, action: "check the pages")
        }
        return numbers.prefix(Int(count)).map(Int.init)
    }

    var lastInsertedRow: Int { Int(sqlite3_last_insert_rowid(database)) }

    /// True inside BEGIN … COMMIT. SQLite leaves a transaction by itself on some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(database) == 0 }

    /// Whether the connection can go on after an error. After trouble below it, it may hold stale pages or locks; what was not
    /// found, or a lock that another holds, says nothing against it.
    func outlives(_ error: any Error) -> Bool {
        guard let error = error as? SQLiteError else { return (error as? StoreError)?.code != .corrupt }
        return ![SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_NOMEM, SQLITE_PROTOCOL].contains(error.primaryCode)
    }

    /// The text of every statement that was prepared and kept, for a look at their plans.
    var preparedTexts: [String] { statements.keys.map(\.sql) }

    private func prepare(_ sql: String) throws -> Statement {
        let text = StatementText(sql: sql)
        if let statement = statements[text], !statement.isBusy { return statement }
        let statement = try Statement(sql, database: database, path: path)
        statements[text] = statement
        return statement
    }
}

/// A statement's text as a key. Few have the same length, and a literal is compared by its address first, so that none is
/// read to its end.
private struct StatementText: Hashable {
    let sql: String

    func hash(into hasher: inout Hasher) { hasher.combine(sql.utf8.count) }
}
