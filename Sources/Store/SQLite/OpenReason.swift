internal import Glibc

extension StoreError {
    /// Why SQLite could not open a file, which its one code for that does not tell.
    ///
    /// - Parameter systemError: the error number that SQLite has seen, 0 when it has seen none.
    static func reasonNotOpened(_ path: String, _ systemError: Int32) -> (Code, String) {
        let directory =
            path.utf8.lastIndex(of: UInt8(ascii: "/")).map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        guard stat(directory, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR
                ? (
                    .directoryMissing,
                    "the directory \(directory) does not exist. Is it mounted? Create it only for a new store."
                )
                : notKnown("access the directory", directory, errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return (.directoryMissing, "\(directory) is not a directory. Name another store directory.")
        }
        guard stat(path, &status) == 0 else {
            if errno == EACCES {
                return (
                    .permission,
                    "no permission to access \(directory). Check its owner and mode."
                )
            }
            guard errno == ENOENT || errno == ENOTDIR else { return notKnown("access", path, errno) }
            if access(directory, W_OK) == 0 { return (.missing, "the file does not exist.") }
            return isAboutRights(errno)
                ? (
                    .permission,
                    "the file does not exist, and there is no permission to create it in \(directory). Check its mode."
                )
                : notKnown("access", directory, errno)
        }
        if status.st_mode & S_IFMT == S_IFDIR { return (.notADatabase, "it is a directory. Move it away.") }
        if access(path, R_OK) != 0 {
            guard isAboutRights(errno) else { return notKnown("read", path, errno) }
            return (.permission, "no permission to read it. Check its owner and mode.")
        }
        if access(directory, W_OK) != 0 {
            guard isAboutRights(errno) else { return notKnown("write to", directory, errno) }
            return (.permission, "no permission to write its journal to \(directory). Check its owner and mode.")
        }
        if let other = stranger(beside: path) { return (.io, other) }
        // The file is there, so it is another that was not found after it could not be created.
        if systemError == ENOENT { return (.io, "its journal cannot be created. Check the disk, or the server.") }
        return (.io, systemError == 0 ? "SQLite does not say why." : "\(String(cString: strerror(systemError))).")
    }

    /// What lies where SQLite looks for files of its own, and keeps it from the database.
    private static func stranger(beside path: String) -> String? {
        var status = stat()
        if stat("\(path)-journal", &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            return "its journal \(path)-journal is not a plain file. Move it away."
        }
        guard lstat("\(path)-wal", &status) == 0 else { return nil }
        return "\(path)-wal belongs to another journal mode. With all managers stopped, move it away."
    }

    /// A mount that is read-only refuses as rights do.
    private static func isAboutRights(_ error: Int32) -> Bool { [EACCES, EPERM, EROFS].contains(error) }

    /// A question that failed has no answer: nothing is concluded from it.
    private static func notKnown(_ step: String, _ path: String, _ error: Int32) -> (Code, String) {
        let failure = failed(step, path, error)
        return (failure.code, failure.message)
    }
}
