internal import Glibc
public import GroupSPI
internal import Platform

/// The lock that a guard holds for as long as it lives, in the directory of the plugins' sockets.
///
/// It lies in a directory of its own there: InfraKit's programs complain of each file beside the sockets, and pass over
/// directories.
public enum GuardLock {
    private static let (directory, file, queue) = (".lock", "guard", "next")

    /// - Parameters:
    ///   - manager: the name of the manager whose guard it is.
    ///   - plugins: the directory of the sockets.
    public static func path(of manager: Identifier, in plugins: String) -> String {
        "\(plugins)/.\(manager)\(directory)/\(file)"
    }

    /// Waits until no guard of an earlier run holds the lock, and shows meanwhile that it waits: see ``isAwaited(_:)``.
    ///
    /// - Parameter path: as ``path(of:in:)`` has made it.
    /// - Throws: ``SettingsError``.
    public static func wait(for path: String) throws(SettingsError) -> FileLock {
        let folder = folder(of: path)
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw SettingsError(message: "cannot create the directory \(folder): \(String(cString: strerror(errno)))")
        }
        let turn = try FileLock(waitingFor: "\(folder)/\(queue)", own: 2)
        defer { withExtendedLifetime(turn) {} }
        let lock = try FileLock(waitingFor: path, own: 2)
        waitForEarlierVersion("\(folder.dropLast(directory.utf8.count)).guard")
        return lock
    }

    /// Whether the guard of another manager waits for the lock.
    public static func isAwaited(_ path: String) -> Bool { FileLock.isTaken("\(folder(of: path))/\(queue)", own: 2) }

    /// Holds the lock also where somebody has removed its file, or the directory: whoever comes now waits at what is there.
    public static func hold(_ lock: FileLock, at path: String) {
        _ = mkdir(folder(of: path), 0o700)
        lock.holdPlace()
    }

    private static func folder(of path: String) -> String { String(path.dropLast(file.utf8.count + 1)) }

    /// Before the first release the lock was a file beside the sockets. Its guard may be at work, and its file is in the way.
    private static func waitForEarlierVersion(_ path: String) {
        guard let file = try? LockedFile(path, own: 1, isMade: false) else { return }
        try? file.lock(.exclusive)
        file.remove()
    }
}
