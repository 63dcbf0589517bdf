internal import Glibc

/// The path of a Unix socket, split where the file system needs it.
struct SocketPath {
    /// What `sockaddr_un.sun_path` holds, less the zero at its end.
    static let maximumBytes = 107

    let path: String
    let directory: String
    let name: String

    init(_ path: String) throws(PluginServerError) {
        let length = path.utf8.count
        guard length <= Self.maximumBytes else {
            throw PluginServerError(
                .pathTooLong,
                path: path,
                message: "the socket path \(path) has \(length) bytes; a Unix socket's path has at most "
                    + "\(Self.maximumBytes)"
            )
        }
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
        guard !name.isEmpty, name != ".", name != "..", !path.utf8.contains(0) else {
            throw PluginServerError(.wrongKind, path: path, message: "the socket path '\(path)' does not name a file")
        }
        self.path = path
        self.name = name
        self.directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Creates what is missing of the directory; what exists stays as it is.
    func createDirectory(mode: mode_t) throws(PluginServerError) {
        var missing: [String] = []
        var current = directory
        var status = stat()
        while stat(current, &status) != 0 {
            guard errno == ENOENT else { throw failure("look at the directory \(current)", errno) }
            missing.append(current)
            guard let slash = current.utf8.lastIndex(of: UInt8(ascii: "/")), slash != current.startIndex else { break }
            current = String(current[..<slash])
        }
        for directory in missing.reversed() {
            if mkdir(directory, mode) != 0, errno != EEXIST {
                throw failure("create the directory \(directory)", errno)
            }
        }
        guard stat(directory, &status) == 0 else { throw failure("look at the directory \(directory)", errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            let message = "\(directory), for the socket \(path), is no directory"
            throw PluginServerError(.wrongKind, path: path, message: message)
        }
    }

    func failure(_ step: String, _ error: Int32) -> PluginServerError {
        let reason = String(cString: strerror(error))
        return PluginServerError(
            .system,
            path: path,
            errno: error,
            message: "cannot \(step) for the socket \(path): \(reason)"
        )
    }
}
