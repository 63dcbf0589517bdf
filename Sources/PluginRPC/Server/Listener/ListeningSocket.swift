internal import Glibc

/// A socket file that is ours: made without ever deleting a live one, removed only while it is still ours.
///
/// **How it comes to be.** The socket is bound under a temporary name in the same directory, gets its permissions and
/// listens; only then is it linked to its own name, so from the moment it can be seen it has the right mode and
/// answers. `link` refuses a name that exists. A file that is in the way is asked first: who answers is alive, and the
/// start fails. One that does not answer is moved aside and *asked again there*, because a program that knows nothing
/// of our lock may have taken the name between question and move; if it answers now, it is moved back. Only a file that
/// is still dead is removed.
///
/// **How it goes.** The file is removed only if it is the very one that was made (device and inode). While the socket is
/// open the kernel keeps the inode, so its number cannot have passed to another file.
struct ListeningSocket: Sendable {
    let descriptor: Int32
    let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Blocks for moments: not for an event loop.
    static func claim(_ path: String, socketMode: mode_t, directoryMode: mode_t) throws(PluginServerError) -> Self {
        let path = try SocketPath(path)
        try path.createDirectory(mode: directoryMode)
        let lock = try DirectoryLock(path)
        try checkFree(path, lock)

        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw path.failure("create a descriptor", errno) }
        do {
            return try place(descriptor, path, lock, mode: socketMode)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// How many may wait to be accepted. One more hears at once that it must try again, unless it blocks.
    private static let waitingConnections: Int32 = 1024

    /// NIO listens once more when it takes a socket over, with a number of its own that no option changes.
    func makeRoom() { _ = listen(descriptor, Self.waitingConnections) }

    private static func place(
        _ descriptor: Int32,
        _ path: SocketPath,
        _ lock: borrowing DirectoryLock,
        mode: mode_t
    ) throws(PluginServerError) -> Self {
        let temporary = lock.file(temporaryName())
        // The mode that the file will be created with; without it there would be a moment at the umask's mercy.
        fchmod(descriptor, mode)
        guard withUnixAddress(temporary, { bind(descriptor, $0, $1) }) == 0 else { throw path.failure("bind", errno) }
        defer { unlink(temporary) }
        var status = stat()
        guard chmod(temporary, mode) == 0 else { throw path.failure("set the permissions", errno) }
        guard listen(descriptor, waitingConnections) == 0 else { throw path.failure("listen", errno) }
        guard lstat(temporary, &status) == 0 else { throw path.failure("access the new file", errno) }
        while link(temporary, lock.file(path.name)) != 0 {
            guard errno == EEXIST else { throw path.failure("name the new file", errno) }
            try clear(path, lock)
        }
        return Self(descriptor: descriptor, path: path.path, device: status.st_dev, inode: status.st_ino)
    }

    /// Refuses a name that somebody answers under, or that is no socket.
    private static func checkFree(_ path: SocketPath, _ lock: borrowing DirectoryLock) throws(PluginServerError) {
        var status = stat()
        guard lstat(lock.file(path.name), &status) == 0 else {
            guard errno == ENOENT else { throw path.failure("check for a file", errno) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw PluginServerError(.wrongKind, path: path.path, message: "\(path.path) exists and is not a socket")
        }
        switch SocketLife(probing: lock.file(path.name)) {
        case .absent, .dead: return
        case .alive: throw inUse(path)
        case .unclear(let error): throw path.failure("find out whether somebody answers", error)
        }
    }

    /// Removes a dead socket.
    private static func clear(_ path: SocketPath, _ lock: borrowing DirectoryLock) throws(PluginServerError) {
        try checkFree(path, lock)
        let aside = lock.file(temporaryName())
        guard rename(lock.file(path.name), aside) == 0 else {
            if errno == ENOENT { return }
            throw path.failure("move a dead socket away", errno)
        }
        guard SocketLife(probing: aside) == .dead else {
            // Somebody has just begun to listen here. If the name is taken once more, then by yet another live socket.
            link(aside, lock.file(path.name))
            unlink(aside)
            throw inUse(path)
        }
        unlink(aside)
    }

    /// Takes the file away, if it is still the one that was made.
    func removeFile() {
        guard let path = try? SocketPath(path), let lock = try? DirectoryLock(path) else { return }
        let file = lock.file(path.name)
        if isOurs(file) { unlink(file) }
    }

    /// False when the file was taken away, or is another.
    var isInPlace: Bool { isOurs(path) }

    private func isOurs(_ file: String) -> Bool {
        var status = stat()
        return lstat(file, &status) == 0 && status.st_dev == device && status.st_ino == inode
    }

    private static func inUse(_ path: SocketPath) -> PluginServerError {
        PluginServerError(.socketInUse, path: path.path, message: "another process answers on the socket \(path.path)")
    }

    private static func temporaryName() -> String {
        ".\(String(getpid(), radix: 36))-\(String(UInt32.random(in: .min ... .max), radix: 36))"
    }
}
