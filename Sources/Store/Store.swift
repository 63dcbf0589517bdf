internal import Glibc

/// The history, the lease and the requests, in one SQLite file that several hosts may share.
///
/// All calls are asynchronous and bounded in time: the file may lie on a server that is away. Writes that wait together
/// are committed together.
public final class Store: Sendable {
    let configuration: StoreConfiguration
    let writer: DatabaseQueue
    let reader: DatabaseQueue
    let clock: StoreClock
    package let readingTimes = ReadingTimes()
    /// Nil where an older state is nothing to be noticed.
    let memory: StoreMemory?

    /// Reads what somebody acts on: not from an older state than was seen.
    ///
    /// - Throws: ``StoreError`` `stale`.
    func readNewest<Result: Sendable>(
        within timeout: Duration,
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws(StoreError) -> Result {
        try await reader.run(within: timeout) { [memory] connection in
            try connection.requireNewest(memory)
            return try body(connection)
        }
    }

    /// Writes what needs no leader: not into an older state than was seen, in which nothing is kept.
    ///
    /// - Throws: ``StoreError`` `stale`.
    func writeSeen<Result: Sendable>(
        within timeout: Duration,
        verify: @escaping @Sendable (Connection, Result) throws -> Bool,
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws(StoreError) -> Result {
        try await writer.run(within: timeout, verify: verify) { connection in
            try connection.requireSeen(connection.memory)
            return try body(connection)
        }
    }

    private init(_ configuration: StoreConfiguration, _ bootTime: @escaping @Sendable () -> Int) {
        let memory = configuration.noticesOlderState ? StoreMemory(bootTime) : nil
        self.configuration = configuration
        self.clock = StoreClock(bootTime)
        self.memory = memory
        self.writer = Writer.queue(configuration, memory)
        self.reader = Reader.queue(configuration, readingTimes)
    }

    /// Opens the store for a manager: creates the file and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - configuration: where the database lies, and how it is opened.
    ///   - timeout: how long to wait for a file system that does not answer.
    /// - Throws: ``StoreError``, for example `directoryMissing`, `foreign`, `newerSchema`, `unsafeStorage`.
    public static func openForManager(
        _ configuration: StoreConfiguration,
        within timeout: Duration = .seconds(30)
    ) async throws(StoreError) -> Store {
        try await openForManager(configuration, within: timeout, bootTime: StoreClock.bootTime)
    }

    /// - Parameter bootTime: a moment in milliseconds, on a clock that nobody can set.
    package static func openForManager(
        _ configuration: StoreConfiguration,
        within timeout: Duration = .seconds(30),
        bootTime: @escaping @Sendable () -> Int
    ) async throws(StoreError) -> Store {
        let path = configuration.path
        let preparation = DatabaseQueue(label: "store.preparation", path: path, purpose: .writing) { batch, _ in
            for job in batch { prepare(job, configuration) }
        }
        // A file without checksums is proven as a whole first, which may take as long as it is large.
        let isUnchecked = try await preparation.run(within: timeout) { connection in
            if !connection.isUnchecked { try Schema.migrate(connection) }
            return connection.isUnchecked
        }
        if isUnchecked {
            try await addChecksums(configuration)
            try await preparation.run(within: timeout) { connection in try Schema.migrate(connection) }
        }
        if !configuration.mayBeginAnew { DatabaseTraces.leaveMark(beside: path) }
        return Store(configuration, bootTime)
    }

    /// Makes an empty database where one was lost, on somebody's word; what is left of that one stays.
    ///
    /// - Throws: ``StoreError`` `conflict` when there is a database, or nothing tells of one that was lost.
    public static func beginAnew(_ configuration: StoreConfiguration) async throws(StoreError) {
        let path = configuration.path
        do {
            try DatabaseTraces.requireNotLost(path)
        } catch {
            try DatabaseTraces.putJournalAside(of: path)
            var anew = configuration
            anew.mayBeginAnew = true
            _ = try await openForManager(anew)
            return DatabaseTraces.leaveMark(beside: path)
        }
        throw StoreError(.conflict, "there is nothing to accept: \(path) holds a database, or there never was one")
    }

    /// First what only looks, then, if somebody still waits for it, what creates.
    static func prepare(_ job: Job, _ configuration: StoreConfiguration) {
        do {
            let storage = try StorageClass(of: configuration.path)
            try storage.requireSafe(path: configuration.path, allowed: configuration.allowsUnsafeStorage)
            try LockProbe.run(nextTo: configuration.path).requireSafe(
                path: configuration.path,
                allowed: configuration.allowsUnsafeStorage
            )
            if !configuration.mayBeginAnew { try DatabaseTraces.requireNotLost(configuration.path) }
            guard job.begin() else { return }
            let connection = try Connection(configuration, mode: .create, busyTimeout: 10_000)
            defer { connection.close() }
            guard !connection.isReadOnly else { throw StoreError.readOnly(configuration.path) }
            try requireWritableDirectory(of: configuration.path)
            try job.body(connection)
            job.settle(nil)
        } catch {
            job.settle(StoreError(any: error))
        }
    }

    /// The journal goes beside the file: who may not create one there never commits anything.
    private static func requireWritableDirectory(of path: String) throws(StoreError) {
        let directory =
            path.utf8.lastIndex(of: UInt8(ascii: "/")).map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard access(directory, W_OK) != 0 else { return }
        guard [EACCES, EPERM, EROFS].contains(errno) else { throw .failed("access", directory, errno) }
        let (code, reason) = StoreError.reasonNotOpened(path, errno)
        throw StoreError(code, "\(path) cannot be written: \(reason)")
    }

    /// Opens the store for a command: never creates, never migrates. Nothing is touched before the first call.
    public static func openForCommand(_ configuration: StoreConfiguration) -> Store {
        Store(configuration, StoreClock.bootTime)
    }

    public var path: String { configuration.path }

    /// Milliseconds since 1970, UTC, by this host's clock.
    public static func wallClock() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
