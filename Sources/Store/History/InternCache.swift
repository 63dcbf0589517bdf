internal import GroupSPI

// Values that many rows share are stored once and named by number.
extension Connection {
    func nameID(_ name: Identifier) throws -> Int {
        if let id = interned.names[name] { return id }
        let id = try storedNameID(name)
        interned.remember { $0.names[name] = id }
        return id
    }

    private func storedNameID(_ name: Identifier) throws -> Int {
        if let id = try first("SELECT id FROM name WHERE text = ?", .text(name), row: { $0.int(0) }) { return id }
        try execute("INSERT INTO name (text) VALUES (?)", .text(name))
        return lastInsertedRow
    }

    func authorID(_ author: Author) throws -> Int {
        if let id = interned.authors[author] { return id }
        let id = try storedAuthorID(author)
        interned.remember { $0.authors[author] = id }
        return id
    }

    private func storedAuthorID(_ author: Author) throws -> Int {
        let values: (SQLValue, SQLValue, SQLValue) = (
            .text(author.account ?? ""), .int(author.uid ?? -1), .text(author.host)
        )
        if let id = try first(
            "SELECT id FROM author WHERE user = ? AND uid = ? AND host = ?",
            values.0,
            values.1,
            values.2,
            row: { $0.int(0) }
        ) {
            return id
        }
        try execute("INSERT INTO author (user, uid, host) VALUES (?, ?, ?)", values.0, values.1, values.2)
        return lastInsertedRow
    }

    func specID(_ properties: RawJSON) throws -> Int {
        let hash = HashChain.digest(properties.bytes)
        if transactionCache?.knowsSpecs != true { try readNewSpecs() }
        if let id = interned.specs[hash],
            try first("SELECT 1 FROM spec WHERE id = ? AND hash = ?", .int(id), .blob(hash), row: { _ in true }) == true
        {
            return id
        }
        try execute("INSERT INTO spec (hash, body) VALUES (?, ?)", .blob(hash), .blob(properties.bytes))
        let id = lastInsertedRow
        interned.specs.add(hash, id)
        return id
    }

    /// Those that are not remembered yet: all, at the first write; later what another leader has stored meanwhile.
    private func readNewSpecs() throws {
        if interned.specs.isFull { interned.specs = SpecNumbers() }
        let specs = try all(
            """
            SELECT id, hash FROM spec INDEXED BY spec_hash WHERE id > max(?, (SELECT max(id) FROM spec) - ?) ORDER BY id
            """,
            .int(interned.specs.newest),
            .int(SpecNumbers.limit / 2)
        ) { row in (hash: row.blob(1), id: row.int(0)) }
        for spec in specs { interned.specs.add(spec.hash, spec.id) }
        transactionCache?.knowsSpecs = true
    }

    /// Reads three columns that ``authorID(_:)`` has written.
    static func author(_ row: some Row, from column: Int32) -> Author {
        let user = row.identifier(column)
        let uid = row.int(column + 1)
        return Author(account: user.isEmpty ? nil : user, uid: uid < 0 ? nil : uid, host: row.identifier(column + 2))
    }
}

/// Numbers that were asked for lately. Nothing ever deletes a name or an author, so they stay right, but for what a
/// rollback undoes.
struct InternCache {
    fileprivate var names: [Identifier: Int] = [:]
    fileprivate var authors: [Author: Int] = [:]
    fileprivate var specs = SpecNumbers()

    /// A few hundred kilobytes at most.
    private static let limit = 1024

    fileprivate mutating func remember(_ body: (inout InternCache) -> Void) {
        if names.count + authors.count >= Self.limit { (names, authors) = ([:], [:]) }
        body(&self)
    }

    mutating func forget() { self = InternCache() }
}

/// The numbers of the newest specifications by their hashes, of which eight bytes are enough to find one: whoever finds one
/// compares the rest in the database, where it may have been removed.
private struct SpecNumbers {
    /// Four megabytes.
    static let limit = 1 << 17

    private var numbers: [UInt64: Int] = [:]
    private(set) var newest = 0

    var isFull: Bool { numbers.count >= Self.limit }

    subscript(hash: [UInt8]) -> Int? { numbers[Self.key(hash)] }

    mutating func add(_ hash: [UInt8], _ id: Int) {
        numbers[Self.key(hash)] = id
        newest = max(newest, id)
    }

    private static func key(_ hash: [UInt8]) -> UInt64 { hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
