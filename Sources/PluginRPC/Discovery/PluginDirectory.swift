internal import Glibc
public import GroupSPI

/// The directory in which plugins announce themselves: a Unix socket named as the plugin, or a file `NAME.listen`
/// that holds a URL.
public struct PluginDirectory: Hashable, Sendable {
    /// The variable that names the directory.
    public static let variable = "INFRAKIT_PLUGINS_DIR"

    private static let listenSuffix = ".listen"
    private static let maximumListenFileBytes = 4096

    public let path: String

    public init(path: String) {
        self.path = path
    }

    /// `INFRAKIT_PLUGINS_DIR`, or `~/.infrakit/plugins`.
    public static func fromEnvironment(_ environment: [String: String]) -> PluginDirectory {
        if let path = environment[variable], !path.isEmpty { return PluginDirectory(path: path) }
        return PluginDirectory(path: (environment["HOME"] ?? "") + "/.infrakit/plugins")
    }

    /// Whether a plugin, or a manager, may be called so: it names a file in the directory, and stays in one line.
    public static func isName(_ identifier: Identifier) -> Bool {
        let name = identifier.text
        guard let first = name.unicodeScalars.first, let last = name.unicodeScalars.last, name != ".", name != ".."
        else { return false }
        return !first.properties.isWhitespace && !last.properties.isWhitespace
            && name.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: false
                default: scalar != "/"
                }
            }
    }

    /// The socket of a plugin; of a name such as `group-stateless/type` the part before the slash counts.
    public func socketPath(for name: Identifier) -> String {
        path + "/" + Self.lookup(name).text
    }

    /// The file that says where a plugin without a socket listens.
    public func listenPath(for name: Identifier) -> String {
        socketPath(for: name) + Self.listenSuffix
    }

    /// Why the sockets of that name can be neither served nor called; nil when they can.
    public func trouble(of name: Identifier) -> String? { SocketPath.trouble(socketPath(for: name)) }

    /// The part of a plugin's name by which it is found.
    static func lookup(_ name: Identifier) -> Identifier {
        Identifier(String(name.text.utf8.prefix { $0 != UInt8(ascii: "/") }) ?? "")
    }

    /// The plugin of that name, or nil when the directory knows none.
    public func entry(named name: Identifier) -> PluginEntry? {
        Self.entry(fileName: Self.lookup(name).text, in: path)
            ?? Self.entry(fileName: Self.lookup(name).text + Self.listenSuffix, in: path)
    }

    /// The plugins in the directory, sorted by name; a socket goes before a `.listen` file of the same name.
    ///
    /// - Throws: ``PluginDirectoryError``. A directory that does not exist holds no plugins and is no error.
    public func entries() throws -> [PluginEntry] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw PluginDirectoryError(path: path, errno: errno)
        }
        defer { closedir(directory) }
        var entries: [Identifier: PluginEntry] = [:]
        while let item = readdir(directory) {
            let fileName = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(item.pointee.d_reclen)) { String(cString: $0) }
            }
            guard let entry = Self.entry(fileName: fileName, in: path) else { continue }
            if case .socket = entries[entry.name]?.endpoint { continue }
            entries[entry.name] = entry
        }
        return entries.values.sorted { $0.name < $1.name }
    }

    /// Whether calls to the plugin of that name come to whoever listens on `socket`: also by another spelling of the path,
    /// through a symbolic link, or by a file that names it. Neither needs to be there yet.
    public func leads(_ name: Identifier, to socket: String) -> Bool {
        do throws(TransportError) {
            guard case .socket(let path) = try PluginEndpoint.named(name, self).resolve() else { return false }
            return Self.place(path) == Self.place(socket)
        } catch {
            return false
        }
    }

    /// The path without links, as far as it leads somewhere.
    private static func place(_ path: String) -> String {
        var path = path
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        for _ in 0..<40 {
            let length = readlink(path, &target, target.count)
            guard length > 0 else { break }
            let next = String(decoding: target[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            path = next.utf8.first == UInt8(ascii: "/") ? next : "\(split(path).directory)/\(next)"
        }
        let (directory, name) = split(path)
        guard let resolved = realpath(directory, nil) else { return path }
        defer { free(resolved) }
        return "\(String(cString: resolved))/\(name)"
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
    }

    private static func entry(fileName: String, in directory: String) -> PluginEntry? {
        let path = directory + "/" + fileName
        if FileIdentity(.socket, path: path) != nil {
            return PluginEntry(name: Identifier(fileName), listen: path, endpoint: .socket(path: path))
        }
        guard fileName.hasSuffix(listenSuffix), let url = readListenFile(path) else { return nil }
        let name = String(fileName.dropLast(listenSuffix.count))
        return PluginEntry(name: Identifier(name), listen: url, endpoint: .url(url))
    }

    /// The URL in a `.listen` file, or nil when there is no such file or nothing in it.
    static func readListenFile(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        var buffer = [UInt8](repeating: 0, count: maximumListenFileBytes)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return nil }
        let isWhitespace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        let text = buffer[..<count].drop(while: isWhitespace).prefix { !isWhitespace($0) }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }
}
