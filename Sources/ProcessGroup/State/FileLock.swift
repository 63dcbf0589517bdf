internal import Platform
internal import Synchronization

/// A lock on a file, held until it is released or the process ends, however it ends. The file is there while somebody
/// holds the lock, and after a holder that was killed.
final class FileLock: Sendable {
    private let file: Mutex<LockedFile?>

    /// Tries once.
    ///
    /// - Parameter own: how many parts at the end of the path are the plugin's own, and no symbolic links.
    /// - Returns: nil when somebody else holds it; also a process that is being started at this moment, for the
    ///   instant between fork and exec.
    static func attempt(_ path: String, own: Int = 1) throws(SystemError) -> FileLock? {
        while true {
            let file = try LockedFile(path, own: own)
            guard try file.tryLock(.exclusive) else { return nil }
            // Or it was removed by the one that held it: whoever comes next would lock another file.
            if file.isInPlace { return FileLock(file) }
        }
    }

    private init(_ file: LockedFile) {
        self.file = Mutex(file)
    }

    /// Takes the file away, and then gives up the lock: in this order, as afterwards the file may be the lock of somebody else.
    func release() {
        file.withLock { file in
            file?.remove()
            file = nil
        }
    }
}
