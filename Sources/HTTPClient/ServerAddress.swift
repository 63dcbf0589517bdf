/// Where an HTTP server listens.
package enum ServerAddress: Hashable, Sendable {
    /// A Unix socket.
    case socket(path: String)
    /// `host` is without the brackets of an IPv6 address.
    case tcp(host: String, port: Int)
}
