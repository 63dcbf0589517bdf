internal import CSQLite
internal import Glibc
internal import Synchronization

/// A database that cannot be used, put out of the way.
extension Store {
    /// Puts a database that cannot be used as a copy out of the way, and an empty one in its place, which whoever has the old
    /// one open then finds. Nothing is lost.
    ///
    /// The new one is made elsewhere: an open connection to the old one would take the journal of whatever is made at its
    /// path for its own.
    ///
    /// - Parameters:
    ///   - configuration: where the database lies, and how it is opened.
    ///   - word: goes into the old one's new name, and says why.
    /// - Returns: that name; nil when there was none.
    public static func resync(
        _ configuration: StoreConfiguration,
        quarantining word: String
    ) async throws(StoreError) -> String? {
        var fresh = configuration
        fresh.path = "\(configuration.path).new"
        for name in [fresh.path, "\(fresh.path)-journal"] where unlink(name) != 0 && errno != ENOENT {
            throw StoreError(.io, "\(name) cannot be removed: \(String(cString: strerror(errno)))")
        }
        try await openForManager(fresh).beginReplica(within: .seconds(30))
        let aside = try quarantine(configuration, as: word)
        guard rename(fresh.path, configuration.path) == 0 else {
            throw StoreError(.io, "\(fresh.path) cannot be renamed: \(String(cString: strerror(errno)))")
        }
        return aside
    }

    /// Puts a database that cannot be used as a copy out of the way; nothing is lost. A new one can be made in its place,
    /// which whoever has the old one open then finds.
    ///
    /// A journal that belongs to it goes along, and at no moment is one of the two without the other where somebody would take it
    /// for whole, also when this process ends in between: first there is a copy of the journal under the new name, beside which
    /// there is no database yet; then the database has the new name, in one step; and then the old journal, beside which there is
    /// none any more, is removed. Nobody writes to the database meanwhile.
    ///
    /// - Parameters:
    ///   - word: goes into its new name, and says why.
    ///   - between: called between any two steps, for a test that ends it there.
    /// - Returns: its new path; nil when there was none.
    /// - Throws: ``StoreError``: `busy` when somebody writes to it.
    static func quarantine(
        _ configuration: StoreConfiguration,
        as word: String,
        between: () -> Void = {}
    ) throws(StoreError) -> String? {
        let path = configuration.path
        let file = open(path, O_RDWR | O_CLOEXEC)
        if file < 0, errno == ENOENT || errno == ENOTDIR { return nil }
        guard file >= 0 else { throw notPutAside(path, errno) }
        guard lockOutWriters(file, for: configuration.busyTimeout) else {
            // To close it would take the locks away that SQLite has on it in this process.
            held.withLock { $0.append(file) }
            throw StoreError(.busy, "\(path) is locked by another process and was not moved aside. Try again.")
        }
        // What SQLite has locked of it in this process goes at that too; it has been moved by then, and is not written any more.
        defer { close(file) }
        let aside = "\(path).\(word)-\(wallClock())"
        between()
        if try hasJournal(path) { try copyJournal(of: path, to: "\(aside)-journal") }
        between()
        guard rename(path, aside) == 0 else {
            let error = errno
            unlink("\(aside)-journal")
            throw notPutAside(path, error)
        }
        between()
        unlink("\(path)-journal")
        between()
        return aside
    }

    /// Descriptors that stay open.
    private static let held = Mutex<[Int32]>([])

    private static func lockOutWriters(_ file: Int32, for milliseconds: Int) -> Bool {
        for _ in 0...max(0, milliseconds / 10) {
            let error = csqlite_lock_out_writers(file)
            // Where there are no locks, nobody has any.
            guard error == EAGAIN || error == EACCES else { return true }
            usleep(10_000)
        }
        return false
    }

    private static func hasJournal(_ path: String) throws(StoreError) -> Bool {
        guard access("\(path)-journal", F_OK) != 0 else { return true }
        guard errno == ENOENT else { throw .failed("access", "\(path)-journal", errno) }
        return false
    }

    private static func copyJournal(of path: String, to copy: String) throws(StoreError) {
        let source = open("\(path)-journal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard source >= 0 else { throw notPutAside("\(path)-journal", errno) }
        defer { close(source) }
        let target = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard target >= 0 else { throw notPutAside("\(path)-journal", errno) }
        defer { close(target) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &bytes, bytes.count)
            if count == 0, fsync(target) == 0 { return }
            guard count > 0, write(target, bytes, count) == count else {
                let error = errno
                unlink(copy)
                throw notPutAside("\(path)-journal", error)
            }
        }
    }

    private static func notPutAside(_ path: String, _ error: Int32) -> StoreError {
        StoreError(.io, "\(path) cannot be moved aside: \(String(cString: strerror(error)))")
    }
}
