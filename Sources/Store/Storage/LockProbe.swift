internal import CSQLite
internal import Glibc

/// Tries out whether a lock that one process holds on a file keeps another process away from it.
///
/// Everything rests on that: SQLite's transactions, and with them the lease. A mount's options tell much, but not what a
/// server, a FUSE program or a container runtime makes of a lock; so a lock is taken and a second process tries it.
///
/// It proves the file system of this host. That two hosts see each other's locks takes a second host to try.
public enum LockProbe {
    public enum Finding: Hashable, Sendable {
        /// The second process was kept away.
        case works
        /// The second process got the lock as well.
        case doesNotHold
        /// Not even the first lock could be taken; the operating system's reason.
        case noLocks(String)
        /// No file could be created there to try it with. Opening the database says why, and better.
        case notTried
    }

    /// Creates a file of its own beside the database, and removes it. May block for as long as the file system does.
    ///
    /// - Parameter path: the database; never touched, as closing it would drop the locks that SQLite holds on it.
    public static func run(nextTo path: String) -> Finding {
        let directory = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
        return ProbeFile.with(.lock, in: directory) { name in
            let file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard file >= 0 else { return .notTried }
            defer { close(file) }
            return switch csqlite_probe_lock(file, name) {
            case 0: .works
            case 1: .doesNotHold
            case let error: .noLocks(String(cString: strerror(-error)))
            }
        }
    }
}

extension LockProbe.Finding {
    /// - Throws: ``StoreError`` `unsafeStorage`.
    func requireSafe(path: String, allowed: Bool) throws(StoreError) {
        guard !allowed else { return }
        let words =
            switch self {
            case .works, .notTried: nil as String?
            case .doesNotHold: "a second process got a lock that this one holds"
            case .noLocks(let reason): "no lock could be tested there (\(reason))"
            }
        guard let words else { return }
        throw StoreError(
            .unsafeStorage,
            "locks do not work on the file system of \(path): \(words), so two leaders could act. Mount it with "
                + "working locks, name another store directory, or accept the risk with --unsafe-storage."
        )
    }
}
