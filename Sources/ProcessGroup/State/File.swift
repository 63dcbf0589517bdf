import Glibc
internal import GroupSPI

/// The few operations on files that the plugin needs, straight from the C library.
enum File {
    /// The whole content, or nil when the file cannot be read. Reads to the end rather than by size: the files of
    /// `/proc` claim to be empty.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 {
                content.append(contentsOf: buffer[..<count])
            } else if count == 0 {
                return content
            } else if errno != EINTR {
                return nil
            }
        }
    }

    /// Replaces the file in one step: a reader, or a plugin that starts after a crash, sees the old or the new content.
    ///
    /// Nothing is forced to the disk: what is stored here says which processes run, and those do not outlive the
    /// kernel whose memory holds the file.
    static func replace(_ path: String, with content: [UInt8]) throws(SystemError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open", temporary) }
        var written = 0
        while written < content.count {
            let count = content[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                let error = SystemError("write", temporary)
                close(descriptor)
                unlink(temporary)
                throw error
            }
            written += count
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw SystemError("rename", temporary) }
    }

    /// Makes the directory and those above it, readable by this user only: environments may hold secrets that
    /// processes print into their logs.
    static func makeDirectory(_ path: String) throws(SystemError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST {
            var status = stat()
            guard stat(path, &status) == 0 else { throw SystemError("stat", path) }
            guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError("mkdir", path, code: ENOTDIR) }
            return
        }
        guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else {
            throw SystemError("mkdir", path)
        }
        try makeDirectory(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemError("mkdir", path) }
    }

    /// The names in a directory, sorted; empty when it cannot be read. For what may be left undone.
    static func names(in path: String) -> [String] {
        do throws(SystemError) { return try listing(of: path) } catch { return [] }
    }

    /// The names in a directory, sorted; none when there is no such directory. One that cannot be read is not empty.
    static func listing(of path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else {
            guard errno == ENOENT else { throw SystemError("opendir", path) }
            return []
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Turns any text into a name that is safe as one part of a path: other bytes than letters, digits, `_`, `-` and
    /// inner dots become `%XX`. A text too long for a file system is cut and told apart by its hash.
    static func safeName(_ name: Identifier) -> String {
        var safe = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                safe.unicodeScalars.append(UnicodeScalar(byte))
            case UInt8(ascii: ".") where !safe.isEmpty:
                safe += "."
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                safe += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        guard safe.utf8.count > 200 else { return safe }
        return "\(safe.prefix(150))-\(Digest.hex(Array(name.utf8), length: 16))"
    }
}
