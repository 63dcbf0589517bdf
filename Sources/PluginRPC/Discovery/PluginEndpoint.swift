public import GroupSPI

/// Where a plugin listens.
public enum PluginEndpoint: Hashable, Sendable {
    /// A Unix socket.
    case socket(path: String)
    /// `http://…`, `tcp://host:port` (HTTP over TCP) or `unix:///path`.
    case url(String)
    /// Whatever the directory holds under that name when the client connects: a socket, or a `.listen` file.
    case named(Identifier, PluginDirectory)
}

extension PluginEndpoint {
    /// Whether two endpoints of this host lead to one plugin now: to the same socket's file, however it is named, or to the same
    /// address. One that cannot be looked up is compared by what is written of it.
    public func leadsToSame(as other: PluginEndpoint) -> Bool {
        guard let mine = try? resolve(), let theirs = try? other.resolve() else { return self == other }
        guard case .socket(let path) = mine, case .socket(let otherPath) = theirs,
            let identity = FileIdentity(.socket, path: path), let otherIdentity = FileIdentity(.socket, path: otherPath)
        else { return mine.normalized == theirs.normalized }
        return identity.isSameFile(as: otherIdentity)
    }

    /// Of the plugin whose socket lies at a path, or whose `.listen` file lies beside it.
    public static func announced(at path: String) -> PluginEndpoint {
        guard let slash = path.lastIndex(of: "/") else { return .socket(path: path) }
        return .named(
            Identifier(String(path[path.index(after: slash)...])),
            PluginDirectory(path: slash == path.startIndex ? "/" : String(path[..<slash]))
        )
    }

    /// An endpoint that can be connected to.
    enum Address: Hashable, Sendable {
        case socket(path: String)
        /// Starts with `http://`.
        case http(url: String)

        /// In the one way of writing that two of the same have.
        fileprivate var normalized: Address {
            guard case .http(let url) = self else { return self }
            let text = url.lowercased()
            return .http(url: text.hasSuffix("/") ? String(text.dropLast()) : text)
        }
    }

    /// Looks the endpoint up; asked again at every connect, since a plugin may come back at another place.
    ///
    /// - Throws: ``TransportError`` `unreachable` that says what the place holds instead of an address.
    func resolve() throws(TransportError) -> Address {
        switch self {
        case .socket(let path):
            return .socket(path: path)
        case .url(let url):
            return try Self.address(url: url, source: nil)
        case .named(let name, let directory):
            let socket = directory.socketPath(for: name)
            let listen = directory.listenPath(for: name)
            guard FileIdentity(.socket, path: socket) == nil, let url = PluginDirectory.readListenFile(listen) else {
                return .socket(path: socket)
            }
            return try Self.address(url: url, source: listen)
        }
    }

    /// The file that announces the plugin, as it is now; nil for a URL, or when there is none.
    var identity: FileIdentity? {
        switch self {
        case .socket(let path):
            FileIdentity(.socket, path: path)
        case .named(let name, let directory):
            FileIdentity(.socket, path: directory.socketPath(for: name))
                ?? FileIdentity(.regular, path: directory.listenPath(for: name))
        case .url:
            nil
        }
    }

    private static func address(url: String, source: String?) throws(TransportError) -> Address {
        guard let colon = url.firstRange(of: "://") else {
            throw .unreachable("'\(url)'\(source.map { " in \($0)" } ?? "") is not a URL")
        }
        let rest = String(url[colon.upperBound...])
        switch url[..<colon.lowerBound].lowercased() {
        case "unix": return .socket(path: rest)
        case "http": return .http(url: url)
        case "tcp": return .http(url: "http://" + rest)
        default:
            throw .unreachable(
                "'\(url)'\(source.map { " in \($0)" } ?? "") is not a URL that a plugin can listen on: "
                    + "expected http, tcp or unix"
            )
        }
    }
}
