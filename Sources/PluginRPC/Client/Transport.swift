/// A way to one plugin process: a stream connection, or a pool of HTTP connections.
protocol Transport: AnyObject, Sendable {
    var wireProtocol: PeerDescription.WireProtocol { get }
    /// False when no call can succeed any more.
    var isOpen: Bool { get }
    /// How many replies have come in so far. A call that runs out of time while this stands still has met a peer that
    /// is stuck, not one that is slow.
    var replyCount: Int { get }

    /// Sends a call and waits for its reply; ends at once when the task is cancelled.
    ///
    /// - Throws: ``TransportError``, anything but `rejected`.
    func exchange(_ call: WireCall) async throws(TransportError) -> ReplyEnvelope

    /// Begins to close; calls in flight end with `lost`.
    func close()
    /// Returns when the descriptors are closed; after ``close()``.
    func closed() async
}
