internal import Glibc
internal import Platform
internal import Synchronization

/// A lock on a file of this host, in which its holder's pid is written: it ends with the process, however that ends.
public final class FileLock: Sendable {
    private let path: String
    private let own: Int
    /// The last one is of the file that was at the path when it was looked at last.
    private let files: Mutex<[LockedFile]>

    /// Waits until the lock is free.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - own: how many parts at the end of the path are this program's own, and no symbolic links.
    /// - Throws: ``SettingsError`` when the file cannot be opened.
    public convenience init(waitingFor path: String, own: Int = 1) throws(SettingsError) {
        try self.init(path, own: own, waits: true)
    }

    /// Takes the lock at once.
    ///
    /// - Throws: ``SettingsError`` when the file cannot be opened, or another process holds the lock.
    public convenience init(taking path: String) throws(SettingsError) {
        try self.init(path, own: 1, waits: false)
    }

    private init(_ path: String, own: Int, waits: Bool) throws(SettingsError) {
        do throws(SystemError) {
            let file = try LockedFile(path, own: own)
            if waits {
                try file.lock(.exclusive)
            } else {
                guard try file.tryLock(.exclusive) else { throw SystemError("flock", path, code: EWOULDBLOCK) }
            }
            Self.sign(file)
            (self.path, self.own) = (path, own)
            files = Mutex([file])
        } catch {
            guard error.function == "flock" else {
                throw SettingsError(message: "cannot open the lock \(path): \(error.reason)")
            }
            let isTaken = error.code == EWOULDBLOCK
            let reason = isTaken ? "another process\(Self.owner(of: path, own)) holds it" : error.reason
            throw SettingsError(message: "cannot lock \(path): \(reason)")
        }
    }

    /// For those who find the lock taken and want to know by whom.
    private static func sign(_ file: LockedFile) { file.write("\(getpid())\n") }

    /// For a sentence; empty when it is not known.
    private static func owner(of path: String, _ own: Int) -> String {
        let pid = (try? LockedFile(path, own: own, isMade: false)).flatMap { owner($0) }
        return pid.map { " (pid \($0))" } ?? ""
    }

    /// The pid that the holder has written into the file.
    private static func owner(_ file: LockedFile) -> Int? { Int(file.text.prefix { $0.isASCII && $0.isNumber }) }

    /// Makes the file anew if somebody has removed or replaced it, and locks that one as well: whoever comes now finds it. One that
    /// another has locked already is left to them.
    func holdPlace() {
        files.withLock { files in
            guard let last = files.last, !last.isInPlace,
                let file = try? LockedFile(path, own: own), (try? file.tryLock(.exclusive)) == true
            else { return }
            Self.sign(file)
            // Who waits for the first file goes on waiting. Those between are nobody's.
            if files.count > 1 { files.removeLast() }
            files.append(file)
        }
    }

    enum Holder: Hashable {
        case nobody
        /// Nil when it has not told its pid, or cannot be asked: a lock that cannot be looked at is not a free one.
        case process(Int?)
    }

    /// Whether another process is known to hold the lock now.
    static func isTaken(_ path: String, own: Int = 1) -> Bool {
        (try? LockedFile(path, own: own, isMade: false).tryLock(.shared)) == false
    }

    /// Who holds the lock now. Any number may ask at once: none takes another for a holder.
    static func holder(_ path: String) -> Holder {
        guard let file = try? LockedFile(path, own: 1, isMade: false) else { return .process(nil) }
        return (try? file.tryLock(.shared)) == true ? .nobody : .process(owner(file))
    }
}
