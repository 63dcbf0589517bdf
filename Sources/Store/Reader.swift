/// The connection that reads: every piece of work sees one consistent state, in a short transaction of its own.
final class Reader: @unchecked Sendable {
    // Touched only on the queue's thread, hence unchecked.
    private var connection: Connection?
    private let configuration: StoreConfiguration
    private let times: ReadingTimes

    private init(_ configuration: StoreConfiguration, _ times: ReadingTimes) {
        self.configuration = configuration
        self.times = times
    }

    /// A queue whose thread owns a reader. The queue keeps it for as long as work is under way.
    static func queue(_ configuration: StoreConfiguration, _ times: ReadingTimes) -> DatabaseQueue {
        let reader = Reader(configuration, times)
        return DatabaseQueue(label: "store.reader", path: configuration.path, purpose: .reading) { batch, _ in
            for job in batch where job.begin() { reader.perform(job) }
        }
    }

    private func perform(_ job: Job) {
        do {
            let connection = try open()
            let start = ContinuousClock.now
            try connection.execute("BEGIN")
            try job.body(connection)
            try end(connection)
            times.note(.now - start)
            job.settle(nil)
        } catch {
            if !goesOn(after: error) { close() }
            job.settle(StoreError(any: error))
        }
    }

    /// Ends the transaction of a piece that failed.
    ///
    /// - Returns: false when the connection must not be used any more: after an I/O error it may hold stale locks or pages. What
    ///   was not found, or a lock that another holds, says nothing against it.
    private func goesOn(after error: any Error) -> Bool {
        guard let connection, connection.outlives(error) else { return false }
        guard connection.isInTransaction else { return true }
        return (try? connection.rollBack()) != nil
    }

    private func close() {
        connection?.close()
        connection = nil
    }

    private func end(_ connection: Connection) throws {
        do {
            try connection.execute("COMMIT")
        } catch let error as SQLiteError where isCorrupt(error) {
            // SQLite repeats there what a check of damaged pages has met. What was found is found.
            connection.close()
            self.connection = nil
        }
    }

    /// Of one who looks at what is damaged.
    private func isCorrupt(_ error: SQLiteError) -> Bool {
        !configuration.checksPages && StoreError(error).code == .corrupt
    }

    private func open() throws -> Connection {
        if let connection {
            // A backup that was put in the file's place would never be seen.
            if !connection.hasMoved { return connection }
            connection.close()
            self.connection = nil
        }
        let opened = try Self.connect(configuration)
        connection = opened
        return opened
    }

    /// Opens a file of this program's schema to read it.
    static func connect(_ configuration: StoreConfiguration) throws -> Connection {
        try Schema.requireFile(at: configuration.path)
        var opened: Connection
        do {
            opened = try Connection(configuration, mode: .readWrite)
            // The file may have been left with a journal to roll back, which takes the right to write.
            try requireSchema(of: opened, configuration)
        } catch let error as SQLiteError where StoreError(error).isAboutRights {
            opened = try Connection(configuration, mode: .readOnly)
            try requireSchema(of: opened, configuration)
        }
        return opened
    }

    private static func requireSchema(of connection: Connection, _ configuration: StoreConfiguration) throws {
        do {
            try Schema.requireCurrent(connection)
        } catch let error as SQLiteError where !configuration.checksPages && StoreError(error).code == .corrupt {
            // What is left is to be looked at.
        }
    }
}

extension StoreError {
    fileprivate var isAboutRights: Bool { code == .permission || code == .readOnly }
}
