internal import Glibc
internal import GroupSPI

/// A file, or standard input, that a command reads as a whole.
enum InputFile {
    /// - Parameter path: `-` for standard input.
    /// - Throws: ``Failure`` that says why it cannot be read.
    static func read(_ path: String, limit: Int = JSONLimits.configuration.maximumBytes) throws -> [UInt8] {
        let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw trouble(path) }
        defer { if file != STDIN_FILENO { close(file) } }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(file, &part, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw trouble(path) }
            guard count > 0 else { return bytes }
            bytes += part[..<count]
            guard bytes.count <= limit else {
                throw Failure("\(path) is too long; at most \(limit) bytes are accepted")
            }
        }
    }

    private static func trouble(_ path: String) -> Failure {
        Failure("\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
}
