internal import Glibc
internal import Platform

/// Keeps managers of other stores off a plugin: each store would let go what the other names, and tell it its own.
///
/// All managers of one store that use a plugin share a lock (flock(2)) on a file near its socket, in which that store is named.
/// The lock ends with the last of them, however they end.
public final class PluginClaim: Sendable {
    private let file: LockedFile

    private init(_ file: LockedFile) {
        self.file = file
    }

    /// - Parameters:
    ///   - socket: where the plugin's socket lies, or will lie.
    ///   - store: names the store on this host: one line for each of its names, of which one has to be the same.
    /// - Returns: nil where no such file can be made or locked: in a directory of another user.
    /// - Throws: ``SettingsError`` when a manager of another store uses the plugin.
    public static func take(_ socket: String, for store: [String]) async throws(SettingsError) -> PluginClaim? {
        guard let file = try? LockedFile(path(beside: socket), own: 2) else { return nil }
        // Others hold all of it only while they write.
        for _ in 0..<200 {
            guard let isAlone = try? file.tryLock(.exclusive) else { return nil }
            if isAlone { file.write(store.joined(separator: "\n") + "\n") }
            guard let isShared = try? file.tryLock(.shared) else { return nil }
            let names = file.text.split(separator: "\n").map { String($0) }
            let isOurs = !Set(names).isDisjoint(with: store)
            if isShared, isOurs { return PluginClaim(file) }
            // Who was alone for a moment may have been overtaken between the two locks: what the file says then decides.
            if isShared, !isAlone {
                throw SettingsError(
                    message:
                        "a manager of another store uses the plugin at \(socket): \(names.first ?? "unknown"). "
                        + "Each store needs a plugin of its own; name another one (--proxy-for-group), or the same store"
                )
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
