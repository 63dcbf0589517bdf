/// An Engine's address with what it takes to be trusted there.
public struct EngineEndpoint: Hashable, Sendable {
    public var address: EngineAddress
    /// Nil for an address without TLS; for one with it, the system's authorities are trusted then.
    public var tls: EngineTLS?

    public init(_ address: EngineAddress, tls: EngineTLS? = nil) {
        self.address = address
        self.tls = tls
    }

    /// Joins flags and environment, see ``EngineAddress`` and ``EngineTLS``.
    ///
    /// - Throws: ``EngineError`` `settings`.
    public static func resolve(
        host: String?,
        tls flags: EngineTLS.Flags,
        environment: [String: String]
    ) throws(EngineError) -> EngineEndpoint {
        let plain = try EngineAddress.resolve(host: host, environment: environment, isSecure: false)
        switch plain.place {
        case .socket:
            // What the environment says of TLS is for other addresses.
            guard let name = flags.names.first else { return EngineEndpoint(plain) }
            throw EngineError(.settings, "\(name) is for tcp:// addresses; a Unix socket has no TLS.")
        case .tcp(_, _, let isSecure):
            guard let tls = try EngineTLS.resolve(flags, environment: environment, isRequired: isSecure) else {
                return EngineEndpoint(plain)
            }
            let address = try EngineAddress.resolve(host: host, environment: environment, isSecure: true)
            return EngineEndpoint(address, tls: tls)
        }
    }
}
