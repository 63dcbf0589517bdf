/// Measures how long a renewal of the lease takes where the database lies, whoever holds locks on that.
public enum RenewalProbe {
    private static let longest = Duration.seconds(60)

    /// Makes a database of its own beside it, writes it as a renewal does, and removes it. May block for as long as the
    /// file system does, and ends after the first renewal that takes long.
    ///
    /// - Parameter path: the database; never touched.
    /// - Returns: the longest of three.
    /// - Throws: ``StoreError``.
    public static func run(nextTo path: String) async throws(StoreError) -> Duration {
        let directory = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
        let queue = DatabaseQueue(label: "store.renewalprobe", path: path, purpose: .writing) { batch, _ in
            for job in batch where job.begin() {
                // First the files go: who hears of the end may end the process.
                job.settle(ProbeFile.with(.renewal, in: directory, suffixes: ["-journal"]) { perform(job, $0) })
            }
        }
        return try await queue.run(within: longest) { try measure($0) }
    }

    /// - Parameter path: where the database is created. It keeps its name: SQLite writes to none that has lost it.
    private static func perform(_ job: Job, _ path: String) -> StoreError? {
        do {
            let connection = try Connection(StoreConfiguration(path: path), mode: .create)
            defer { connection.close() }
            try job.body(connection)
            return nil
        } catch {
            return StoreError(any: error)
        }
    }

    private static func measure(_ connection: Connection) throws -> Duration {
        try connection.executeScript("CREATE TABLE lease (id INTEGER PRIMARY KEY, sequence INTEGER, holder TEXT)")
        try connection.execute("INSERT INTO lease VALUES (1, 0, 'probe')")
        var slowest = Duration.zero
        for _ in 0..<3 {
            let start = ContinuousClock.now
            // A look for requests, and the renewal itself.
            _ = try connection.first("SELECT sequence FROM lease") { $0.int(0) }
            try connection.execute("BEGIN IMMEDIATE")
            try connection.execute("UPDATE lease SET sequence = sequence + 1 WHERE id = 1")
            try connection.execute("COMMIT")
            slowest = max(slowest, .now - start)
            if slowest > .seconds(1) { break }
        }
        return slowest
    }
}
