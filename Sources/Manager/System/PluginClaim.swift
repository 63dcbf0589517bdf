internal import Glibc
internal import Platform
internal import Synchronization

/// Keeps managers of other stores off a plugin: each store would let go what the other names, and tell it its own.
///
/// All managers of one store that use a plugin share a lock (flock(2)) on a file near its socket, in which that store is named.
/// The lock ends with the last of them, however they end.
public final class PluginClaim: Sendable {
    private let path: String
    private let store: [String]
    /// Of the file that was at the path when it was looked at last.
    private let file: Mutex<LockedFile>

    private init(_ file: LockedFile, at path: String, for store: [String]) {
        (self.path, self.store) = (path, store)
        self.file = Mutex(file)
    }

    /// - Parameters:
    ///   - socket: where the plugin's socket lies, or will lie.
    ///   - store: names the store on this host: one line for each of its names, of which one has to be the same.
    /// - Returns: nil where no such file can be made or locked: in a directory of another user.
    /// - Throws: ``SettingsError`` when a manager of another store uses the plugin.
    public static func take(_ socket: String, for store: [String]) async throws(SettingsError) -> PluginClaim? {
        let path = path(beside: socket)
        guard let file = open(path) else { return nil }
        // Others hold all of it only while they write.
        for _ in 0..<200 {
            switch attempt(file, for: store) {
            case .ours: return PluginClaim(file, at: path, for: store)
            case .another(let name):
                throw SettingsError(
                    message:
                        "a manager of another store uses the plugin at \(socket): \(name). "
                        + "Each store needs a plugin of its own; name another one (--proxy-for-group), or the same store"
                )
            case .busy: try? await Task.sleep(for: .milliseconds(10), clock: .suspending)
            case .impossible: return nil
            }
        }
        return nil
    }

    private enum Attempt {
        case ours, busy, impossible
        case another(String)
    }

    private static func attempt(_ file: LockedFile, for store: [String]) -> Attempt {
        guard let isAlone = try? file.tryLock(.exclusive) else { return .impossible }
        if isAlone { file.write(store.joined(separator: "\n") + "\n") }
        guard let isShared = try? file.tryLock(.shared) else { return .impossible }
        let names = file.text.split(separator: "\n").map { String($0) }
        if isShared, !Set(names).isDisjoint(with: store) { return .ours }
        // Who was alone for a moment may have been overtaken between the two locks: what the file says then decides.
        return isShared && !isAlone ? .another(names.first ?? "unknown") : .busy
    }

    private static func open(_ path: String) -> LockedFile? {
        // In a directory: InfraKit's programs complain of each file beside the sockets.
        _ = mkdir(String(path.dropLast(file.utf8.count + 1)), 0o700)
        return try? LockedFile(path, own: 2)
    }

    private static let file = "store"

    /// Makes the file anew if somebody has removed or replaced it, and locks that one: whoever comes now finds it.
    ///
    /// - Returns: the store of the manager that came first; nil when none did.
    func holdPlace() -> String? {
        file.withLock { file in
            guard !file.isInPlace, let anew = Self.open(path) else { return nil }
            switch Self.attempt(anew, for: store) {
            case .ours: file = anew
            case .another(let name): return name
            case .busy, .impossible: break
            }
            return nil
        }
    }

    /// Looks after the file until it is cancelled.
    ///
    /// - Parameter lost: told once of each store whose manager came first.
    public func keepPlace(lost: @Sendable (String) -> Void) async {
        var other: String?
        while (try? await Task.sleep(for: .seconds(1), clock: .suspending)) != nil {
            let found = holdPlace()
            if let found, found != other { lost(found) }
            other = found
        }
    }

    private static func path(beside socket: String) -> String {
        // A link leads to the plugin itself.
        let place = realpath(socket, nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        let parts = (place ?? socket).split(separator: "/", omittingEmptySubsequences: false)
        return (parts.dropLast() + [".\(parts.last ?? "").lock"]).joined(separator: "/") + "/\(file)"
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
