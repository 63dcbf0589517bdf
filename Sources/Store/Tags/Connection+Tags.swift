internal import GroupSPI

extension Connection {
    /// In the order of the names.
    func tags() throws -> [Tag] {
        try all(
            """
            SELECT t.name, t.revision, a.user, a.uid, a.host, t.time FROM tag t JOIN author a ON a.id = t.author
            ORDER BY t.name
            """
        ) { row in
            Tag(name: row.identifier(0), revision: row.int(1), author: Self.author(row, from: 2), time: row.int(5))
        }
    }

    func isTagged(_ number: Int) throws -> Bool {
        try first("SELECT 1 FROM tag WHERE revision = ? LIMIT 1", .int(number), row: { _ in true }) == true
    }

    func tags(of number: Int) throws -> [Identifier] {
        try all("SELECT name FROM tag WHERE revision = ? ORDER BY name", .int(number)) { $0.identifier(0) }
    }

    /// The number that a tag stands for.
    func revisionNumber(tagged name: Identifier) throws -> Int? {
        try first("SELECT revision FROM tag WHERE name = ?", .text(name)) { $0.int(0) }
    }

    /// Gives a revision a name.
    ///
    /// - Parameter moving: whether a name that stands for another revision may move.
    /// - Throws: ``StoreError``: `notFound` when the revision is not kept whole, `conflict` when the name is taken.
    func setTag(_ name: Identifier, to revision: Int, author: Author, moving: Bool, time: Int) throws {
        try requireWhole(revision)
        if let taken = try revisionNumber(tagged: name), taken != revision, !moving {
            throw StoreError.tagTaken(name, by: taken)
        }
        try execute(
            """
            INSERT INTO tag (name, revision, author, time) VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, author = excluded.author, time = excluded.time
                WHERE revision <> excluded.revision
            """,
            .text(name),
            .int(revision),
            .int(try authorID(author)),
            .int(time)
        )
    }

    /// - Throws: ``StoreError`` `notFound`.
    func removeTag(_ name: Identifier) throws {
        guard try execute("DELETE FROM tag WHERE name = ?", .text(name)) == 1 else {
            throw StoreError.noTag(name, of: try tags().map(\.name))
        }
    }
}
