internal import CLinux
internal import Glibc

/// Keeps managers of other stores off a plugin: each store would let go what the other names, and tell it its own.
///
/// All managers of one store that use a plugin share a lock (flock(2)) on a file near its socket, in which that store is named.
/// The lock ends with the last of them, however they end.
public final class PluginClaim: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { Self.unlock(descriptor) }

    /// - Parameters:
    ///   - socket: where the plugin's socket lies, or will lie.
    ///   - store: names the store on this host: one line for each of its names, of which one has to be the same.
    /// - Returns: nil where no such file can be made or locked: in a directory of another user.
    /// - Throws: ``SettingsError`` when a manager of another store uses the plugin.
    public static func take(_ socket: String, for store: [String]) async throws(SettingsError) -> PluginClaim? {
        let descriptor = clinux_open_own(path(beside: socket), 2, O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else { return nil }
        let claim = PluginClaim(descriptor)
        // Others hold all of it only while they write.
        for _ in 0..<200 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                claim.write(store)
                // Another may have been faster between the two locks: what the file says then decides.
                if flock(descriptor, LOCK_SH | LOCK_NB) == 0, claim.names(store) { return claim }
            } else if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
                if claim.names(store) { return claim }
                throw SettingsError(
                    message:
                        "a manager of another store uses the plugin at \(socket): \(claim.lines.first ?? "unknown"). "
                        + "Each store needs a plugin of its own; name another one (--proxy-for-group), or the same store"
                )
            } else if errno != EWOULDBLOCK, errno != EINTR {
                return nil
            }
            try? await Task.sleep(for: .milliseconds(10), clock: .suspending)
        }
        return nil
    }

    private static func path(beside socket: String) -> String {
        // A link leads to the plugin itself.
        let place = realpath(socket, nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        let parts = (place ?? socket).split(separator: "/", omittingEmptySubsequences: false)
        // In a directory: InfraKit's programs complain of each file beside the sockets.
        let folder = (parts.dropLast() + [".\(parts.last ?? "").lock"]).joined(separator: "/")
        _ = mkdir(folder, 0o700)
        return "\(folder)/store"
    }

    private var lines: [String] {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        let text = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return text.split(separator: "\n").map { String($0) }
    }

    private func names(_ store: [String]) -> Bool { !Set(lines).isDisjoint(with: store) }

    private func write(_ store: [String]) {
        let bytes = Array((store.joined(separator: "\n") + "\n").utf8)
        _ = ftruncate(descriptor, 0)
        bytes.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private static func unlock(_ descriptor: Int32) {
        // As of a ``FileLock``: a copy may live in a process that is being started.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}

extension PluginClaim {
    /// The names of a database on this host: its path, and the file, which another path may lead to.
    public static func names(ofDatabase path: String) -> [String] {
        let place = realpath(path, nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        var info = stat()
        guard stat(path, &info) == 0 else { return [place ?? path] }
        return [place ?? path, "file \(info.st_ino) on device \(info.st_dev)"]
    }
}
