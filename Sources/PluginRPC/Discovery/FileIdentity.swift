internal import Glibc

/// Which file lies at a path. A plugin that restarts binds its socket anew, and the file is another one.
struct FileIdentity: Hashable, Sendable {
    /// What kind of file is looked for.
    enum Kind {
        case socket, regular

        fileprivate var mode: mode_t { self == .socket ? S_IFSOCK : S_IFREG }
    }

    private let device: UInt64
    private let inode: UInt64
    private let changedSeconds: Int
    private let changedNanoseconds: Int

    /// Whatever has changed about it: another link, or its mode.
    func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }

    /// Nil when there is no such file at the path.
    init?(_ kind: Kind, path: String) {
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == kind.mode else { return nil }
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        changedSeconds = info.st_ctim.tv_sec
        changedNanoseconds = info.st_ctim.tv_nsec
    }
}
