internal import CLinux
internal import Glibc
public import GroupSPI

/// The lock that a guard holds for as long as it lives, in the directory of the plugins' sockets.
///
/// It lies in a directory of its own there: InfraKit's programs complain of each file beside the sockets, and pass over
/// directories.
public enum GuardLock {
    private static let (directory, file) = (".lock", "guard")

    /// - Parameter plugins: the directory of the sockets.
    public static func path(of manager: Identifier, in plugins: String) -> String {
        "\(plugins)/.\(manager)\(directory)/\(file)"
    }

    /// Waits until no guard of an earlier run holds the lock.
    ///
    /// - Parameter path: as ``path(of:in:)`` has made it.
    /// - Throws: ``SettingsError``.
    public static func wait(for path: String) throws(SettingsError) -> FileLock {
        let folder = String(path.dropLast(file.utf8.count + 1))
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw SettingsError(message: "cannot make the directory \(folder): \(String(cString: strerror(errno)))")
        }
        let lock = try FileLock(waitingFor: path, own: 2)
        waitForEarlierVersion("\(folder.dropLast(directory.utf8.count)).guard")
        return lock
    }

    /// Before the first release the lock was a file beside the sockets. Its guard may be at work, and its file is in the way.
    private static func waitForEarlierVersion(_ path: String) {
        let descriptor = clinux_open_own(path, 1, O_RDWR, 0)
        guard descriptor >= 0 else { return }
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
        unlink(path)
        close(descriptor)
    }
}
