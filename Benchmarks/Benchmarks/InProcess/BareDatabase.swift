import BenchmarkSupport
import CSQLite
import GroupSPI
import Store

/// What a revision costs without a manager: the same rows in the same tables, with the same settings, by SQLite alone. No
/// lease is looked at, nothing is hashed, no page has a checksum, nobody is told.
final class BareDatabase: @unchecked Sendable {
    // One benchmark uses it, one call after the other, hence unchecked.
    private let scratch: Scratch
    private var database: OpaquePointer?
    private var statements: [OpaquePointer] = []
    private var number = 0
    private var random = SplitMix64()

    /// The statements by their places in the list.
    private enum Step: Int, CaseIterable {
        case begin, spec, revision, change, outcome, commit

        var sql: String {
            switch self {
            case .begin: "BEGIN IMMEDIATE"
            case .spec: "INSERT INTO spec (id, hash, body) VALUES (?1, ?2, ?3)"
            case .revision:
                """
                INSERT INTO revision (number, token, time, epoch, manager, author, operation, target, message, hash)
                VALUES (?1, ?4, ?5, 1, 1, 1, 3, NULL, '', ?2)
                """
            case .change:
                "INSERT INTO change (group_id, revision, action, plugin, spec, status) VALUES (?6, ?1, 1, 2, ?1, 0)"
            case .outcome: "UPDATE change SET status = 1 WHERE group_id = ?6 AND revision = ?1"
            case .commit: "COMMIT"
            }
        }
    }

    private let groups: Int

    /// - Parameter groups: whose turn it is, one after the other.
    init(groups: Int = 1) async throws {
        self.groups = groups
        scratch = try Scratch()
        let path = StoreConfiguration.path(in: scratch.path)
        // The tables are the manager's own.
        _ = try await Store.openForManager(StoreConfiguration(path: path))
        try check(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, "unix"))
        for pragma in ["synchronous = EXTRA", "mmap_size = 0", "cell_size_check = ON", "foreign_keys = ON"] {
            try execute("PRAGMA \(pragma)")
        }
        try execute("INSERT INTO name VALUES (1, 'manager'), (2, 'group-stateless')")
        try execute("INSERT INTO author VALUES (1, 'ann', 1000, 'h1')")
        for group in 0..<groups { try execute("INSERT INTO name VALUES (\(group + 3), 'group-\(group)')") }
        statements = try Step.allCases.map { try prepare($0.sql) }
    }

    private func execute(_ sql: String) throws { try check(sqlite3_exec(database, sql, nil, nil, nil)) }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(database, sql, -1, &statement, nil))
        guard let statement else { throw BenchmarkError("no statement for \(sql)") }
        return statement
    }

    /// A revision in one transaction, on the disk when it returns.
    func write() throws {
        number += 1
        try run([.begin, .spec, .revision, .change, .commit], number)
    }

    /// Revisions of different groups in one transaction, with the outcomes of those that the groups had before.
    func write(together count: Int) throws {
        try run([.begin], 0)
        for _ in 0..<count {
            number += 1
            if number > groups { try run([.outcome], number - groups) }
            try run([.spec, .revision, .change], number)
        }
        try run([.commit], 0)
    }

    private func run(_ steps: [Step], _ number: Int) throws {
        var hash: [UInt8] = steps.contains(.spec) ? random.bytes(32) : []
        var token = Array(hash.prefix(16))
        var body = steps.contains(.spec) ? Specs.properties(number).bytes : []
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        for step in steps {
            let statement = statements[step.rawValue]
            let count = sqlite3_bind_parameter_count(statement)
            if count >= 1 { sqlite3_bind_int64(statement, 1, Int64(number)) }
            if count >= 2 { sqlite3_bind_blob(statement, 2, &hash, 32, transient) }
            if count == 3 { sqlite3_bind_blob(statement, 3, &body, Int32(body.count), transient) }
            if count >= 4 { sqlite3_bind_blob(statement, 4, &token, 16, transient) }
            if count >= 5 { sqlite3_bind_int64(statement, 5, Int64(Store.wallClock())) }
            if count >= 6 { sqlite3_bind_int64(statement, 6, Int64(number % groups + 3)) }
            let code = sqlite3_step(statement)
            guard code == SQLITE_DONE else { throw failure(code) }
            try check(sqlite3_reset(statement))
        }
    }

    func end() {
        for statement in statements { sqlite3_finalize(statement) }
        sqlite3_close_v2(database)
        scratch.remove()
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func failure(_ code: Int32) -> BenchmarkError {
        BenchmarkError("SQLite: \(code) \(String(cString: sqlite3_errmsg(database)))")
    }
}

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). Asking the kernel for each number would take
/// more time than a hash does.
private struct SplitMix64 {
    private var state = UInt64.random(in: .min ... .max)

    mutating func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            withUnsafeBytes(of: mixed ^ (mixed >> 31)) { result.append(contentsOf: $0) }
        }
        return result
    }
}
