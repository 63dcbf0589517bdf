internal import Glibc

enum Directories {
    /// Makes a directory and those above it, for this user alone; existing ones stay as they are.
    static func make(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) != 0 else { return }
        guard errno == ENOENT || errno == ENOTDIR else {
            throw Failure("cannot access the directory \(path): \(String(cString: strerror(errno)))")
        }
        if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex {
            try make(String(path[..<slash]))
        }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw Failure("cannot create the directory \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// From now on, files that this process makes are for its user alone: a specification may hold what others must not
    /// read, and a directory that was there before may be open to all.
    static func makeFilesPrivate() { umask(0o077) }
}
