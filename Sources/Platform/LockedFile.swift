internal import CLinux
internal import Glibc

/// An open file, and a lock (flock(2)) on it that ends with the process that holds it, however that ends.
package final class LockedFile: Sendable {
    package enum Mode {
        /// With any number of others.
        case shared
        /// Alone.
        case exclusive

        fileprivate var operation: Int32 {
            switch self {
            case .shared: LOCK_SH
            case .exclusive: LOCK_EX
            }
        }
    }

    private let path: String
    private let descriptor: Int32

    /// Opens the file, for reading and writing; it is not locked yet.
    ///
    /// - Parameters:
    ///   - own: how many parts at the end of the path are the program's own, and no symbolic links.
    ///   - isMade: whether it is made when it is not there.
    package init(_ path: String, own: Int, isMade: Bool = true) throws(SystemError) {
        self.path = path
        descriptor = try File.open(path, own: own, isMade ? O_RDWR | O_CREAT : O_RDWR)
    }

    /// Closing alone is not enough: a process that is being started at this moment has a copy of the descriptor for the instant
    /// between fork and exec, and the lock would live on in it.
    deinit {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Waits for the lock, on this thread.
    package func lock(_ mode: Mode) throws(SystemError) {
        while flock(descriptor, mode.operation) != 0 {
            guard errno == EINTR else { throw SystemError("flock", path) }
        }
    }

    /// - Returns: false when somebody else has it; also a process that is being started at this moment, for the instant between
    ///   fork and exec.
    package func tryLock(_ mode: Mode) throws(SystemError) -> Bool {
        while flock(descriptor, mode.operation | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw SystemError("flock", path) }
        }
        return true
    }

    /// False when the file was removed, or another has taken its place.
    package var isInPlace: Bool {
        var (mine, there) = (stat(), stat())
        guard fstat(descriptor, &mine) == 0 else { return true }
        return stat(path, &there) == 0 && there.st_dev == mine.st_dev && there.st_ino == mine.st_ino
    }

    /// The beginning of the content, up to 16 KiB; empty when it cannot be read.
    package var text: String {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    /// Replaces the content. That it cannot be written is no reason to fail: it only tells others who holds the lock.
    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = ftruncate(descriptor, 0)
        bytes.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Takes the file away. Whoever has opened it meanwhile has to look whether it ``isInPlace``.
    package func remove() { unlink(path) }
}
