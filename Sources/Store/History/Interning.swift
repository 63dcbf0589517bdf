internal import GroupSPI

// Values that many rows share are stored once and named by number.
extension Connection {
    func nameID(_ text: String) throws -> Int {
        if let id = try first("SELECT id FROM name WHERE text = ?", .text(text), row: { $0.int(0) }) { return id }
        try execute("INSERT INTO name (text) VALUES (?)", .text(text))
        return lastInsertedRow
    }

    func authorID(_ author: Author) throws -> Int {
        let values: (SQLValue, SQLValue, SQLValue) = (
            .text(author.user ?? ""), .int(author.uid ?? -1), .text(author.host)
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
        if let id = try first("SELECT id FROM spec WHERE hash = ?", .blob(hash), row: { $0.int(0) }) { return id }
        try execute("INSERT INTO spec (hash, body) VALUES (?, ?)", .blob(hash), .blob(properties.bytes))
        return lastInsertedRow
    }

    /// Reads three columns that ``authorID(_:)`` has written.
    static func author(_ row: Statement, from column: Int32) -> Author {
        let user = row.text(column)
        let uid = row.int(column + 1)
        return Author(user: user.isEmpty ? nil : user, uid: uid < 0 ? nil : uid, host: row.text(column + 2))
    }
}
