internal import Glibc
internal import Migrations

/// Whose file it is, and how new its tables are.
enum Schema {
    /// `PRAGMA application_id`: "InfK", so that another program's database is never taken for ours.
    static let applicationID = 0x496E_664B

    static var currentVersion: Int { Migrations.scripts.count }

    /// SHA-256 of the definitions of all tables and indexes, as the scripts make them: MigrationTests tells a new one.
    static let fingerprint = "e81236a8ec0fd58b427e872d810b955c28240987b8b632a9babec5f8c2d2a033"

    static func fingerprint(of connection: Connection) throws -> String {
        let definitions = try connection.all(
            "SELECT quote(type) || quote(name) || quote(tbl_name) || quote(sql) FROM sqlite_schema ORDER BY type, name"
        ) { $0.text(0) }
        return HashChain.digest(Array(definitions.joined(separator: "\n").utf8)).hexadecimal
    }

    /// Refuses a file that is not ours, or newer than this program.
    ///
    /// - Returns: the file's version; 0 for a new, empty file.
    static func version(of connection: Connection) throws -> Int {
        // In one transaction: another manager may create the tables between two questions, and then the answers would
        // be of no file that ever was.
        let isAlone = !connection.isInTransaction
        if isAlone { try connection.execute("BEGIN") }
        defer { if isAlone { _ = try? connection.execute("COMMIT") } }
        let application = try connection.first("PRAGMA application_id") { $0.int(0) } ?? 0
        let version = try connection.first("PRAGMA user_version") { $0.int(0) } ?? 0
        let tables = try connection.first("SELECT count(*) FROM sqlite_schema") { $0.int(0) } ?? 0
        if application == 0, version == 0, tables == 0 { return 0 }
        guard application == applicationID else {
            let isDump = try application == 0 && version == 0 && isOurs(connection)
            throw isDump ? StoreError.dump(connection.path) : StoreError.foreign(connection.path)
        }
        guard version <= currentVersion else {
            throw StoreError(
                .newerSchema,
                "\(connection.path) has schema version \(version), made by a newer infrakit-manager; this one knows "
                    + "versions up to \(currentVersion). The file was not touched. Upgrade this host."
            )
        }
        return version
    }

    /// By the tables that every version has.
    private static func isOurs(_ connection: Connection) throws -> Bool {
        try connection.first(
            """
            SELECT count(*) FROM sqlite_schema
            WHERE type = 'table' AND name IN ('revision', 'change', 'spec', 'lease', 'leadership')
            """
        ) { $0.int(0) } == 5
    }

    /// Brings the file to the newest version, one transaction for each step; a new file in a single one, so that nobody
    /// ever sees half a schema.
    static func migrate(_ connection: Connection) throws {
        // Or a table that others refer to could not be made anew. What a script leaves is whole by itself.
        try connection.execute("PRAGMA foreign_keys = OFF")
        defer { _ = try? connection.execute("PRAGMA foreign_keys = ON") }
        while try version(of: connection) < currentVersion {
            try connection.execute("BEGIN IMMEDIATE")
            do {
                // Another manager may have been faster; only the state under the lock counts.
                let version = try version(of: connection)
                let next = version == 0 ? currentVersion : min(version + 1, currentVersion)
                for script in Migrations.scripts[version..<next] { try connection.executeScript(script) }
                if version < next {
                    try connection.execute("PRAGMA application_id = \(applicationID)")
                    try connection.execute("PRAGMA user_version = \(next)")
                }
                try connection.execute("COMMIT")
            } catch {
                if connection.isInTransaction { try? connection.executeScript("ROLLBACK") }
                throw error
            }
        }
    }

    /// Makes what holds nothing of its own that of the newest version: drops indexes, triggers, views and SQLite's statistics that
    /// are not ours, and makes our indexes that are missing or defined in another way. Tables stay as they are.
    ///
    /// - Parameter scratch: where a file may be made for a moment.
    /// - Throws: ``SQLiteError``, also when what is there does not fit an index.
    static func restoreIndexes(of connection: Connection, scratch: String) throws {
        let right = try definitions(scratch)
        let found = try Definition.all(of: connection)
        try connection.execute("BEGIN IMMEDIATE")
        do {
            // Those first that belong to what is dropped after them.
            for definition in found where definition.mayBeDropped && !right.contains(definition) {
                try connection.execute("DROP \(definition.type) IF EXISTS \(definition.quotedName)")
            }
            for definition in right where definition.type == "index" && !found.contains(definition) {
                if let sql = definition.sql { try connection.execute(sql) }
            }
            try connection.execute("COMMIT")
        } catch {
            if connection.isInTransaction { try? connection.executeScript("ROLLBACK") }
            throw error
        }
    }

    private static func definitions(_ scratch: String) throws -> Set<Definition> {
        defer { unlink(scratch) }
        let connection = try Connection(path: scratch, mode: .create, busyTimeout: 0)
        defer { connection.close() }
        try migrate(connection)
        return Set(try Definition.all(of: connection))
    }

    private struct Definition: Hashable {
        let type: String
        let name: String
        let sql: String?

        static func all(of connection: Connection) throws -> [Self] {
            try connection.all("SELECT type, name, sql FROM sqlite_schema ORDER BY type = 'table', type, name") {
                Self(type: $0.text(0), name: $0.text(1), sql: $0.optionalText(2))
            }
        }

        /// An index without a text of its own is a part of its table.
        var mayBeDropped: Bool {
            switch type {
            case "index": sql != nil
            case "trigger", "view": true
            default: name.hasPrefix("sqlite_stat")
            }
        }

        var quotedName: String { "\"\(name.replacing("\"", with: "\"\""))\"" }
    }

    /// For commands that only read or ask: the file must exist and be of this program's version.
    static func requireCurrent(_ connection: Connection) throws {
        let version = try version(of: connection)
        guard version > 0 else {
            throw StoreError(.empty, "\(connection.path) is empty: no manager has used it yet. Start one.")
        }
        guard version == currentVersion else {
            throw StoreError(
                .olderSchema,
                "\(connection.path) has schema version \(version), this program needs \(currentVersion). "
                    + "A manager of this version migrates it when it starts."
            )
        }
    }

    static func requireFile(at path: String) throws {
        try DatabaseTraces.requireNotLost(path)
        guard access(path, F_OK) != 0 else { return }
        // A file that cannot be looked for is not one that is missing.
        guard errno == ENOENT || errno == ENOTDIR else { throw StoreError.failed("access", path, errno) }
        let (code, reason) = StoreError.reasonNotOpened(path, ENOENT)
        // While the reason was looked for, a manager that starts may have created it.
        guard access(path, F_OK) != 0 else { return }
        guard code == .missing else { throw StoreError(code, "\(path) cannot be opened: \(reason)") }
        throw StoreError(
            .missing,
            "there is no database at \(path). Name the store directory with --store-dir or INFRAKIT_STORE_DIR."
        )
    }
}
