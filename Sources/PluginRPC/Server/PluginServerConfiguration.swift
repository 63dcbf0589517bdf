public import Glibc
public import GroupSPI

/// How much a ``PluginServer`` takes from its clients before it refuses, and who may be one.
///
/// Every limit exists because a socket is open to whatever a user runs: one client must not be able to take all memory,
/// all descriptors or all patience.
public struct PluginServerConfiguration: Sendable {
    /// Largest and deepest request.
    public var limits: JSONLimits = .standard
    /// Connections at one time; one more is closed at once.
    public var maximumConnections: Int = 4096
    /// Requests of one connection that are being answered or wait for it; beyond it, the server stops reading from that
    /// connection until one is answered.
    public var maximumRequestsInFlight: Int = 64
    /// Largest sum of the names and values of one HTTP request's header.
    public var maximumHeaderBytes: Int = 64 * 1024
    /// A connection without a request for so long is closed.
    public var idleTimeout: Duration = .seconds(600)
    /// A message that has begun must be complete after so long.
    public var requestTimeout: Duration = .seconds(30)
    /// A client that has let its replies pile up must have read some of them after so long.
    public var replyTimeout: Duration = .seconds(60)
    /// The socket file's permissions.
    public var socketMode: mode_t = 0o600
    /// The permissions of directories that have to be created; existing ones stay as they are.
    public var directoryMode: mode_t = 0o700
    /// Whose processes may call; nil: whoever may open the socket. Root and the server's own user always may.
    public var allowedUIDs: Set<uid_t>?

    public init() {}
}
