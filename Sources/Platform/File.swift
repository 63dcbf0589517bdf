internal import CLinux
package import Glibc

/// The few operations on files that are needed, straight from the C library.
///
/// `own` is how many parts at the end of a path are the program's own. None of them may be a symbolic link: somebody else could
/// have put it there.
package enum File {
    /// - Returns: a descriptor that a spawned process does not inherit.
    package static func open(_ path: String, own: Int, _ flags: Int32) throws(SystemError) -> Int32 {
        let descriptor = clinux_open_own(path, Int32(own), flags, 0o600)
        guard descriptor >= 0 else { throw SystemError("open", path, code: -descriptor) }
        return descriptor
    }

    /// Calls `body` with the directory of a file, and the file's name in it.
    package static func inDirectory<Result>(
        of path: String,
        own: Int,
        _ body: (Int32, String) -> Result
    ) throws(SystemError) -> Result {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
        let directory = try open(folder, own: own - 1, clinux_o_path | O_DIRECTORY)
        defer { close(directory) }
        return body(directory, name)
    }

    /// The whole content, or nil when the file cannot be read; `errno` tells why, and never that it was read. Reads to the end
    /// rather than by size: the files of `/proc` claim to be empty. It does not wait for the writer of a pipe.
    package static func read(_ path: String, own: Int = 1) -> [UInt8]? {
        let descriptor = clinux_open_own(path, Int32(own), O_RDONLY, 0)
        guard descriptor >= 0 else {
            errno = -descriptor
            return nil
        }
        var (content, code) = ([UInt8](), Int32(0))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { code = errno }
            guard count > 0 else { break }
            content += buffer[..<count]
        }
        close(descriptor)
        errno = code
        return code == 0 ? content : nil
    }

    /// The same as text.
    package static func text(_ path: String, own: Int = 0) -> String? {
        read(path, own: own).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first line; empty when the file cannot be read.
    package static func firstLine(_ path: String) -> String {
        String((text(path) ?? "").split(whereSeparator: \.isNewline).first ?? "")
    }

    /// Replaces the file in one step: a reader, or a plugin that starts after a crash, sees the old or the new content.
    ///
    /// Nothing is forced to the disk: what is stored here says which processes run, and those do not outlive the
    /// kernel whose memory holds the file.
    package static func replace(_ path: String, own: Int = 1, with content: [UInt8]) throws(SystemError) {
        let temporary = path + ".new"
        // What a crash has left, or somebody else has put there.
        unlink(temporary, own: own)
        let descriptor = try open(temporary, own: own, O_WRONLY | O_CREAT | O_EXCL)
        var written = 0
        while written < content.count {
            let count = content[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                let error = SystemError("write", temporary)
                close(descriptor)
                unlink(temporary, own: own)
                throw error
            }
            written += count
        }
        close(descriptor)
        try rename(temporary, to: "", own: own)
    }

    /// Renames the file in its directory: its name with `suffix` in place of `.new`, or behind it.
    private static func rename(_ path: String, to suffix: String, own: Int) throws(SystemError) {
        let code = try inDirectory(of: path, own: own) { directory, name in
            let stem = name.hasSuffix(".new") ? String(name.dropLast(4)) : name
            return renameat(directory, name, directory, stem + suffix) == 0 ? 0 : errno
        }
        guard code == 0 else { throw SystemError("rename", path, code: code) }
    }

    /// Gives the file the name with `.old` behind it, in place of the one before.
    package static func setAside(_ path: String, own: Int) throws(SystemError) {
        try rename(path, to: ".old", own: own)
    }

    /// What cannot be removed is left.
    package static func unlink(_ path: String, own: Int) {
        do throws(SystemError) {
            try inDirectory(of: path, own: own) { directory, name in _ = unlinkat(directory, name, 0) }
        } catch {}
    }

    /// An empty one.
    package static func removeDirectory(_ path: String, own: Int) {
        do throws(SystemError) {
            try inDirectory(of: path, own: own) { directory, name in _ = unlinkat(directory, name, AT_REMOVEDIR) }
        } catch {}
    }

    /// Size and time of change; nil when there is no such file.
    package static func status(_ path: String, own: Int) -> stat? {
        do throws(SystemError) {
            return try inDirectory(of: path, own: own) { directory, name in
                var status = stat()
                return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
            }
        } catch {
            return nil
        }
    }

    /// Makes the directory and those above it, readable by this user only: environments may hold secrets that
    /// processes print into their logs.
    package static func makeDirectory(_ path: String, own: Int = 0) throws(SystemError) {
        var code = ENOENT
        do throws(SystemError) {
            code = try inDirectory(of: path, own: own) { directory, name in
                mkdirat(directory, name, 0o700) == 0 ? 0 : errno
            }
        } catch  where error.code == ENOENT {
            guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else { throw error }
            try makeDirectory(String(path[..<slash]), own: own - 1)
            code = try inDirectory(of: path, own: own) { directory, name in
                mkdirat(directory, name, 0o700) == 0 ? 0 : errno
            }
        }
        guard code == 0 || code == EEXIST else { throw SystemError("mkdir", path, code: code) }
        close(try open(path, own: own, clinux_o_path | O_DIRECTORY))
    }

    /// The names in a directory, sorted; empty when it cannot be read. For what may be left undone.
    package static func names(in path: String, own: Int = 0) -> [String] {
        do throws(SystemError) { return try listing(of: path, own: own) } catch { return [] }
    }

    /// The names in a directory, sorted; none when there is no such directory. One that cannot be read is not empty.
    package static func listing(of path: String, own: Int = 0) throws(SystemError) -> [String] {
        let descriptor = clinux_open_own(path, Int32(own), O_RDONLY | O_DIRECTORY, 0)
        if descriptor == -ENOENT { return [] }
        guard descriptor >= 0, let directory = fdopendir(descriptor) else {
            let code = descriptor < 0 ? -descriptor : errno
            if descriptor >= 0 { close(descriptor) }
            throw SystemError("opendir", path, code: code)
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
}
