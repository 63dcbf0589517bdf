import Glibc
import Synchronization

/// A lock on a file, held until it is released or the process ends, however it ends. The file is there while somebody
/// holds the lock, and after a holder that was killed.
final class FileLock: Sendable {
    private let path: String
    private let descriptor: Mutex<Int32?>

    /// Tries once.
    ///
    /// - Parameter own: how many parts at the end of the path are the plugin's own, and no symbolic links.
    /// - Returns: nil when somebody else holds it; also a process that is being started at this moment, for the
    ///   instant between fork and exec.
    static func attempt(_ path: String, own: Int = 1) throws(SystemError) -> FileLock? {
        while true {
            let descriptor = try File.open(path, own: own, O_RDWR | O_CREAT)
            let result = flock(descriptor, LOCK_EX | LOCK_NB)
            let error = SystemError("flock", path)
            var status = stat()
            if result == 0 && fstat(descriptor, &status) == 0 && status.st_nlink > 0 {
                return FileLock(path, descriptor)
            }
            close(descriptor)
            // Locked, but removed by the one that held it: whoever comes next would lock another file.
            if result == 0 || error.code == EINTR { continue }
            if error.code == EWOULDBLOCK { return nil }
            throw error
        }
    }

    private init(_ path: String, _ descriptor: Int32) {
        self.path = path
        self.descriptor = Mutex(descriptor)
    }

    /// As the end of the process does it: the file stays.
    deinit { descriptor.withLock { $0.map { _ = close($0) } } }

    func release() {
        descriptor.withLock { descriptor in
            guard let open = descriptor else { return }
            // In this order: once it is closed, the file may be the lock of somebody else.
            unlink(path)
            close(open)
            descriptor = nil
        }
    }
}
