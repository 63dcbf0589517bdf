internal import Glibc

/// A database whose pages another program has written, made whole again: first every hash is proven, then it is used.
extension Store {
    /// Writes all that the database holds into a new file, with every page checksum and every index made anew.
    ///
    /// The file gets its name only when all in it is proven as `verify` does it: every specification and revision by its hash,
    /// all else by what else tells of it. What stands in the database's own file is left as it is.
    ///
    /// - Returns: what was proven.
    /// - Throws: ``StoreError``: `corrupt` when something cannot be proven, `conflict` when there is a file at the path; nothing
    ///   is written then.
    public static func repair(
        _ configuration: StoreConfiguration,
        to path: String,
        within timeout: Duration
    ) async throws(StoreError) -> (found: Verification, retention: Retention) {
        var configuration = configuration
        configuration.checksPages = false
        return try await alone(configuration, "store.repair", within: timeout) { connection in
            try connection.rewrite(to: path)
        }
    }

    /// Gives checksums to a file that has none, in its place, before a manager uses it.
    ///
    /// Managers that start together take turns: the lock is on the file that is replaced, and who waited for it looks anew.
    static func addChecksums(_ configuration: StoreConfiguration) async throws(StoreError) {
        var isDone = false
        while !isDone {
            isDone = try await alone(configuration, "store.preparation", within: .seconds(3600)) { connection in
                guard connection.isUnchecked else { return true }
                try connection.execute("BEGIN EXCLUSIVE")
                guard !connection.hasMoved else { return false }
                _ = try connection.rewrite(to: configuration.path, isReplacing: true)
                return true
            }
        }
    }

    /// Runs something on a thread and a connection of its own.
    static func alone<Result: Sendable>(
        _ configuration: StoreConfiguration,
        _ label: String,
        within timeout: Duration,
        _ open: @escaping @Sendable (StoreConfiguration) throws -> Connection = connectToWrite,
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws(StoreError) -> Result {
        let queue = DatabaseQueue(label: label, path: configuration.path, purpose: .reading) { batch, _ in
            for job in batch where job.begin() {
                do {
                    let connection = try open(configuration)
                    defer { connection.close() }
                    try job.body(connection)
                    job.settle(nil)
                } catch {
                    job.settle(StoreError(any: error))
                }
            }
        }
        return try await queue.run(within: timeout, body)
    }

    private static func connectToWrite(_ configuration: StoreConfiguration) throws -> Connection {
        try Schema.requireFile(at: configuration.path)
        return try Connection(configuration, mode: .readWrite, busyTimeout: 10_000)
    }
}

extension Connection {
    /// - Parameter isReplacing: whether it takes the place of a file that is there; within a transaction that keeps everybody out.
    /// - Returns: what was proven.
    fileprivate func rewrite(
        to target: String,
        isReplacing: Bool = false
    ) throws -> (found: Verification, retention: Retention) {
        if !isReplacing { try Self.requirePlace(for: target, besides: path) }
        let partial = Self.partial(target)
        defer { unlink(partial) }
        try copyFile(to: partial, .sealed)
        let proven = try Self.rebuild(partial, of: path)
        guard isReplacing else {
            try Self.publish(partial, as: target)
            try Self.sync(directoryOf: target)
            return proven
        }
        try Self.takeOwner(of: target, for: partial)
        guard rename(partial, target) == 0 else { throw StoreError.failed("replace", target, errno) }
        try Self.sync(directoryOf: target)
        return proven
    }

    private static func rebuild(
        _ copy: String,
        of original: String
    ) throws -> (found: Verification, retention: Retention) {
        let connection = try Connection(path: copy, mode: .readWrite, busyTimeout: 0)
        defer { connection.close() }
        do {
            guard try Schema.version(of: connection) > 0 else {
                throw StoreError(.empty, "\(original) is empty: no manager has used it yet.")
            }
            try Schema.migrate(connection)
            try Schema.restoreIndexes(of: connection, scratch: "\(copy).schema")
            try connection.execute("REINDEX")
            let found = try connection.proof()
            guard let first = found.problems.first else { return (found, try connection.retention()) }
            let more = found.problems.count > 1 ? " (and \(found.problems.count - 1) more)" : ""
            throw StoreError(
                .corrupt,
                "\(original) cannot be repaired, and nothing was written: \(first)\(more). Stop the managers and restore a backup."
            )
        } catch let error as SQLiteError {
            let cause = StoreError(error)
            guard cause.code == .corrupt || cause.code == .conflict else { throw cause }
            throw StoreError(
                .corrupt,
                "\(original) cannot be repaired, and nothing was written: \(error.message). Stop the managers and restore a backup.",
                cause: error
            )
        }
    }

    /// Everything that `verify` looks at.
    private func proof() throws -> Verification {
        var problems = try verifyFile().map { Damage($0) }
        var specification: Int? = 0
        while specification != nil { problems += try verifySpecs(from: &specification, count: 500) }
        var position = ChainPosition()
        while true {
            let before = position
            problems += try verifyChain(from: &position, count: 500)
            if position == before { break }
        }
        for query in Self.impossibleRecords { problems += try verifyRecords(query) }
        return Verification(newest: position.number, revisions: position.count, problems: problems)
    }

    /// A manager that runs as another user than the one whose file it is does not take it away from that one.
    private static func takeOwner(of old: String, for new: String) throws {
        var status = stat()
        guard stat(old, &status) == 0 else { throw StoreError.failed("access", old, errno) }
        var own = stat()
        guard stat(new, &own) == 0 else { throw StoreError.failed("access", new, errno) }
        if own.st_uid != status.st_uid || own.st_gid != status.st_gid,
            chown(new, status.st_uid, status.st_gid) != 0
        {
            throw StoreError.failed("give the owner of \(old) to", new, errno)
        }
        guard chmod(new, status.st_mode & 0o7777) == 0 else { throw StoreError.failed("set the mode of", new, errno) }
    }
}
