public import Glibc
public import GroupSPI

/// How much a ``PluginServer`` takes from its clients before it refuses, and who may be one.
///
/// Every limit exists because a socket is open to whatever a user runs: one client must not be able to take all memory,
/// all descriptors or all patience.
public struct PluginServerConfiguration: Sendable {
    /// Largest and deepest request.
    public var limits: JSONLimits = .standard
    /// Connections at one time, of all users. Each user may have as many as are still free, half of them at most; one more of
    /// them takes the place of the one that has been idle for longest, or is closed at once.
    public var maximumConnections: Int = 4096
    /// A connection that gets a descriptor of this number or above touches what is kept for other things.
    public var descriptorLimit: Int = .max
    /// How much memory all requests together may take, those that have arrived in part and those that are being answered. Who
    /// would need more is not read from for a while. Beside it, each connection may have 32 KiB and its header.
    public var requestMemory: Int = 64 * 1024 * 1024
    /// How much memory all replies together may take that wait for their readers. A reply, or a call that is likely to give a long
    /// one, waits for room; alone, every reply fits. Beside it, each connection may have 32 KiB, and what its socket takes.
    public var replyMemory: Int = 64 * 1024 * 1024
    /// While a reply waits for room, a client that has taken nothing of its own for so long is closed.
    public var stalledReplyTimeout: Duration = .seconds(2)
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
