import Glibc
import Synchronization

/// A lock on a file, held until it is released or the process ends, however it ends.
final class FileLock: Sendable {
    private let descriptor: Mutex<Int32?>

    /// Tries for a second: a predecessor may be about to end, and a process that is being started at this moment has
    /// the lock for the instant between fork and exec.
    ///
    /// - Throws: ``SystemError`` with `EWOULDBLOCK` when another process holds it.
    init(_ path: String) throws(SystemError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open", path) }
        for attempt in 1... {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
            let error = SystemError("flock", path)
            guard attempt < 50, error.code == EWOULDBLOCK || error.code == EINTR else {
                close(descriptor)
                throw error
            }
            usleep(20_000)
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor { close(open) }
            descriptor = nil
        }
    }
}
