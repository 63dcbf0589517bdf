internal import Glibc
internal import GroupSPI

/// Small files, most of them the kernel's, read whole.
enum ProcFS {
    /// - Returns: nil when the file cannot be read.
    static func read(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }

    /// - Returns: nil when the file cannot be read; `errno` tells why, and never that it was read.
    static func bytes(_ path: String) -> [UInt8]? {
        // Without O_NONBLOCK the opening of a pipe would wait for its writer, who may never come; files do not mind it.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        var (bytes, code) = ([UInt8](), Int32(0))
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { code = errno }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        close(file)
        errno = code
        return code == 0 ? bytes : nil
    }

    /// State, parent and start time of a process, from `/proc/<pid>/stat` (proc(5), fields 3, 4 and 22).
    ///
    /// - Returns: nil when there is no such process.
    static func process(_ pid: Int) -> (state: Character, parent: Int, startTime: Int)? {
        guard let stat = read("/proc/\(pid)/stat"), let nameEnd = stat.lastIndex(of: ")") else { return nil }
        // The name in parentheses may hold blanks and parentheses itself; what follows does not.
        let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let parent = Int(fields[1]),
            let startTime = Int(fields[19])
        else { return nil }
        return (state, parent, startTime)
    }

    static func trimmed(_ path: String) -> String {
        let text = read(path) ?? ""
        return String(text.split(whereSeparator: \.isNewline).first ?? "")
    }

    static var hostName: Identifier {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return Identifier(String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
