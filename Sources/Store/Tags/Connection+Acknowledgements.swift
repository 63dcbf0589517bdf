internal import GroupSPI

extension Connection {
    func acknowledgement(of revision: Int) throws -> Acknowledgement? {
        try first(
            """
            SELECT k.revision, a.user, a.uid, a.host, k.time, k.message
            FROM acknowledgement k JOIN author a ON a.id = k.author WHERE k.revision = ?
            """,
            .int(revision),
            row: Self.acknowledgement
        )
    }

    /// The newest ones, the oldest of them first.
    func acknowledgements(atMost count: Int) throws -> [Acknowledgement] {
        try all(
            """
            SELECT k.revision, a.user, a.uid, a.host, k.time, k.message
            FROM acknowledgement k JOIN author a ON a.id = k.author ORDER BY k.revision DESC LIMIT ?
            """,
            .int(count),
            row: Self.acknowledgement
        ).reversed()
    }

    private static func acknowledgement(_ row: Statement) throws -> Acknowledgement {
        Acknowledgement(revision: row.int(0), author: author(row, from: 1), time: row.int(4), message: row.text(5))
    }

    /// Ends the warnings of a rejected revision.
    ///
    /// - Throws: ``StoreError``: `notFound`; `conflict` when the plugin has refused nothing of it, or it is acknowledged already.
    func acknowledge(_ number: Int, author: Author, message: String, time: Int) throws {
        guard let revision = try revision(number) else {
            // It says what there is instead.
            try requireWhole(number)
            throw StoreError(.notFound, "there is no revision \(number)")
        }
        guard revision.changes.contains(where: { $0.status == .rejected }) else {
            throw StoreError.notRejected(number, revision.status)
        }
        if let acknowledgement = revision.acknowledgement { throw StoreError.acknowledgedAlready(acknowledgement) }
        try insert(Acknowledgement(revision: number, author: author, time: time, message: message))
    }

    private func insert(_ acknowledgement: Acknowledgement) throws {
        try execute(
            "INSERT INTO acknowledgement (revision, author, time, message) VALUES (?, ?, ?, ?)",
            .int(acknowledgement.revision),
            .int(try authorID(acknowledgement.author)),
            .int(acknowledgement.time),
            .text(acknowledgement.message)
        )
    }

    /// Takes in what was acknowledged elsewhere. A revision that was never seen here cannot be.
    func take(_ acknowledgements: [Acknowledgement]) throws {
        for acknowledgement in acknowledgements {
            let isNew = try first(
                """
                SELECT 1 FROM revision WHERE number = ?1
                    AND NOT EXISTS (SELECT 1 FROM acknowledgement WHERE revision = ?1)
                """,
                .int(acknowledgement.revision),
                row: { _ in true }
            )
            if isNew == true { try insert(acknowledgement) }
        }
    }
}
