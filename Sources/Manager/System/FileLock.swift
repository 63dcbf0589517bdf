internal import CLinux
internal import Glibc
internal import Synchronization

/// A lock (flock(2)) on a file of this host: it ends with the process that holds it, however that ends.
public final class FileLock: Sendable {
    private let path: String
    private let own: Int
    /// The last one is of the file that was at the path when it was looked at last.
    private let descriptors: Mutex<[Int32]>

    /// Waits until the lock is free.
    ///
    /// - Parameter own: how many parts at the end of the path are this program's own, and no symbolic links.
    /// - Throws: ``SettingsError`` when the file cannot be opened.
    public convenience init(waitingFor path: String, own: Int = 1) throws(SettingsError) {
        try self.init(path, LOCK_EX, own: own)
    }

    /// Takes the lock at once.
    ///
    /// - Throws: ``SettingsError`` when the file cannot be opened, or another process holds the lock.
    public convenience init(taking path: String) throws(SettingsError) {
        try self.init(path, LOCK_EX | LOCK_NB)
    }

    private init(_ path: String, _ operation: Int32, own: Int = 1) throws(SettingsError) {
        let descriptor = clinux_open_own(path, Int32(own), O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else {
            throw SettingsError(
                message: "cannot open the lock \(path): \(String(cString: clinux_open_trouble(-descriptor)))"
            )
        }
        while flock(descriptor, operation) != 0 {
            guard errno == EINTR else {
                let reason =
                    errno == EWOULDBLOCK
                    ? "another process\(Self.owner(descriptor).map { " (pid \($0))" } ?? "") holds it"
                    : String(cString: strerror(errno))
                close(descriptor)
                throw SettingsError(message: "cannot lock \(path): \(reason)")
            }
        }
        (self.path, self.own) = (path, own)
        descriptors = Mutex([descriptor])
        Self.sign(descriptor)
    }

    /// For those who find the lock taken and want to know by whom.
    private static func sign(_ descriptor: Int32) {
        let words = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        words.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Makes the file anew if somebody has removed or replaced it, and locks that one as well: whoever comes now finds it. One that
    /// another has locked already is left to them.
    func holdPlace() {
        descriptors.withLock { descriptors in
            var (mine, there) = (stat(), stat())
            guard let last = descriptors.last, fstat(last, &mine) == 0 else { return }
            if stat(path, &there) == 0, there.st_dev == mine.st_dev, there.st_ino == mine.st_ino { return }
            let descriptor = clinux_open_own(path, Int32(own), O_RDWR | O_CREAT, 0o600)
            guard descriptor >= 0 else { return }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                return
            }
            Self.sign(descriptor)
            // Who waits for the first file goes on waiting. Those between are nobody's.
            if descriptors.count > 1 { Self.unlock(descriptors.removeLast()) }
            descriptors.append(descriptor)
        }
    }

    /// The pid that the holder has written into the file.
    private static func owner(_ descriptor: Int32) -> Int? {
        var words = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &words, words.count, 0)
        return Int(String(decoding: words.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }

    deinit { descriptors.withLock { for descriptor in $0 { Self.unlock(descriptor) } } }

    /// Closing alone is not enough: a process that is being started at this moment has a copy of the descriptor for the
    /// instant between fork and exec, and the lock would live on in it.
    private static func unlock(_ descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    enum Holder: Hashable {
        case nobody
        /// Nil when it has not told its pid, or cannot be asked: a lock that cannot be looked at is not a free one.
        case process(Int?)
    }

    /// Whether another process is known to hold the lock now.
    static func isTaken(_ path: String, own: Int = 1) -> Bool {
        let descriptor = clinux_open_own(path, Int32(own), O_RDWR, 0)
        guard descriptor >= 0 else { return false }
        defer { unlock(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Who holds the lock now. Any number may ask at once: none takes another for a holder.
    static func holder(_ path: String) -> Holder {
        let descriptor = clinux_open_own(path, 1, O_RDWR, 0)
        guard descriptor >= 0 else { return .process(nil) }
        defer { unlock(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return .nobody }
        return .process(owner(descriptor))
    }
}
