/// An `http://` URL: where its server listens, and what is asked of it.
package struct ServerURL: Hashable, Sendable {
    private static let scheme = "http://"
    private static let standardPort = 80

    package let address: ServerAddress
    /// For the header `Host`.
    package let authority: String
    /// Path and query, as they go over the wire; at least `/`.
    package let target: String

    /// - Returns: nil for a text that is none. Spaces and letters outside ASCII have to be escaped; a user's name is left away.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }),
            text.prefix(Self.scheme.count).lowercased() == Self.scheme
        else { return nil }
        let rest = text.dropFirst(Self.scheme.count).prefix { $0 != "#" }
        let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
        let path = rest[end...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
        let authority = rest[..<end].split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard let (host, port) = Self.split(authority) else { return nil }
        address = .tcp(host: host, port: port ?? Self.standardPort)
        self.authority = Self.authority(host: host, port: port == Self.standardPort ? nil : port)
    }

    /// A host and a port as `Host` has them.
    package static func authority(host: String, port: Int?) -> String {
        (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
    }

    private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var digits: Substring = ""
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[..<end].dropFirst()
            digits = authority[end...].dropFirst()
            guard digits.isEmpty || digits.hasPrefix(":") else { return nil }
            digits = digits.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            digits = authority[colon...].dropFirst()
        }
        guard !host.isEmpty else { return nil }
        guard !digits.isEmpty else { return (String(host), nil) }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), (1...65535).contains(port)
        else { return nil }
        return (String(host), port)
    }
}
