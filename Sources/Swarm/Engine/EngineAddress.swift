internal import HTTPClient

/// Where the Docker Engine listens.
public struct EngineAddress: Hashable, Sendable {
    public enum Place: Hashable, Sendable {
        /// A Unix socket, by its path.
        case socket(String)
        /// TCP. `host` is without the brackets of an IPv6 address.
        case tcp(host: String, port: Int, isSecure: Bool)
    }

    /// Docker's own.
    public static let standard = "unix:///var/run/docker.sock"

    /// The longest path that the library connects to, in bytes.
    private static let longestPath = 103
    private static let plainPort = 2375
    private static let securePort = 2376

    public let place: Place
    /// As it was written.
    public let text: String

    /// - Parameters:
    ///   - text: `unix://PATH`, `tcp://HOST[:PORT]`, `http://HOST[:PORT]` or `https://HOST[:PORT]`.
    ///   - isSecure: whether `tcp://` means TLS. `https://` always does, `http://` never.
    /// - Throws: ``EngineError`` `settings`.
    public init(_ text: String, isSecure: Bool) throws(EngineError) {
        self.text = text
        guard let separator = text.firstRange(of: "://") else {
            throw Self.refusal(text, "it must begin with unix://, tcp://, http:// or https://")
        }
        let rest = String(text[separator.upperBound...])
        switch text[..<separator.lowerBound].lowercased() {
        case "unix":
            place = try Self.socket(rest, text)
        case "tcp":
            place = try Self.tcp(rest, text, isSecure: isSecure)
        case "https":
            place = try Self.tcp(rest, text, isSecure: true)
        case "http":
            guard !isSecure else {
                throw Self.refusal(text, "http:// has no TLS, but TLS flags are set. Write tcp:// or https://")
            }
            place = try Self.tcp(rest, text, isSecure: false)
        case let scheme:
            throw Self.refusal(text, "'\(scheme)' is not supported; use unix://, tcp://, http:// or https://")
        }
    }

    /// `--host`, else `DOCKER_HOST`, else Docker's own socket. An empty variable counts as none, as with docker.
    ///
    /// - Throws: ``EngineError`` `settings`.
    public static func resolve(
        host: String?,
        environment: [String: String],
        isSecure: Bool
    ) throws(EngineError) -> EngineAddress {
        if let host { return try EngineAddress(host, isSecure: isSecure) }
        if let host = environment["DOCKER_HOST"], !host.isEmpty {
            do {
                return try EngineAddress(host, isSecure: isSecure)
            } catch {
                throw EngineError(.settings, "DOCKER_HOST: \(error.message)")
            }
        }
        return try EngineAddress(standard, isSecure: isSecure)
    }

    private static func socket(_ path: String, _ text: String) throws(EngineError) -> Place {
        guard path.hasPrefix("/") else { throw refusal(text, "the socket's path must begin with /, as in \(standard)") }
        guard path.utf8.count <= longestPath else {
            throw refusal(
                text,
                "a socket's path can have at most \(longestPath) bytes; this one has \(path.utf8.count)"
            )
        }
        return .socket(path)
    }

    private static func tcp(_ rest: String, _ text: String, isSecure: Bool) throws(EngineError) -> Place {
        var authority = Substring(rest)
        if authority.hasSuffix("/") { authority.removeLast() }
        guard !authority.contains(where: { "/?#@ ".contains($0) }) else {
            throw refusal(text, "only a host and a port can follow ://")
        }
        var host = authority
        var digits: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw refusal(text, "a ] is missing") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw refusal(text, "only a port can follow ]") }
            if !tail.isEmpty { digits = tail.dropFirst() }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            digits = authority[authority.index(after: colon)...]
            if digits?.contains(":") == true { throw refusal(text, "write an IPv6 address in brackets: [::1]:2375") }
        }
        guard !host.isEmpty else { throw refusal(text, "the host is missing") }
        var port = isSecure ? securePort : plainPort
        if let digits {
            guard !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }), let number = Int(digits),
                (1...65535).contains(number)
            else { throw refusal(text, "the port must be a number from 1 to 65535") }
            port = number
        }
        return .tcp(host: String(host), port: port, isSecure: isSecure)
    }

    private static func refusal(_ text: String, _ reason: String) -> EngineError {
        EngineError(.settings, "'\(text)' is not a valid address of a Docker Engine: \(reason).")
    }

    var server: ServerAddress {
        switch place {
        case .tcp(let host, let port, _): .tcp(host: host, port: port)
        case .socket(let path): .socket(path: path)
        }
    }

    /// What the Engine is called in a request. Go answers 400 to one without a host, and on a Unix socket there is none.
    var authority: String {
        switch place {
        case .tcp(let host, let port, let isSecure):
            ServerURL.authority(host: host, port: port == (isSecure ? 443 : 80) ? nil : port)
        case .socket: "docker"
        }
    }
}

extension EngineAddress: CustomStringConvertible {
    public var description: String { text }
}
