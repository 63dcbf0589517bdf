internal import Glibc

/// A lock (flock(2)) on a file of this host: it ends with the process that holds it, however that ends.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// Waits until the lock is free.
    ///
    /// - Throws: ``SettingsError`` when the file cannot be opened.
    public init(waitingFor path: String) throws(SettingsError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SettingsError(message: "cannot open the lock \(path): \(String(cString: strerror(errno)))")
        }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                let reason = String(cString: strerror(errno))
                close(descriptor)
                throw SettingsError(message: "cannot lock \(path): \(reason)")
            }
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// True when some process holds the lock.
    static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
