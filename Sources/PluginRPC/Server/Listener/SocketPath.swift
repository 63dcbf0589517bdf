internal import Glibc

/// The path of a Unix socket, split where the file system needs it.
struct SocketPath {
    /// For who listens and for who connects. The kernel would take 107; the library that connects takes no more than this on any
    /// system, and a socket that is served and that nobody can call is worse than none.
    static let maximumBytes = 103

    /// Why a path is too long for both; nil when it is not.
    static func trouble(_ path: String) -> String? {
        let length = path.utf8.count
        guard length > maximumBytes else { return nil }
        return "the socket path \(path) has \(length) bytes; at most \(maximumBytes) are accepted. "
            + "Name a shorter directory in \(PluginDirectory.variable)."
    }

    let path: String
    let directory: String
    let name: String

    init(_ path: String) throws(PluginServerError) {
        if let trouble = Self.trouble(path) { throw PluginServerError(.pathTooLong, path: path, message: trouble) }
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
            guard errno == ENOENT else { throw failure("access the directory \(current)", errno) }
            missing.append(current)
            guard let slash = current.utf8.lastIndex(of: UInt8(ascii: "/")), slash != current.startIndex else { break }
            current = String(current[..<slash])
        }
        for directory in missing.reversed() {
            if mkdir(directory, mode) != 0, errno != EEXIST {
                throw failure("create the directory \(directory)", errno)
            }
        }
        guard stat(directory, &status) == 0 else { throw failure("access the directory \(directory)", errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            let message = "\(directory), for the socket \(path), is not a directory"
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
