internal import GroupSPI
internal import NIOCore
internal import NIOPosix

/// One stream connection, with any number of calls in flight.
final class StreamTransport: Transport {
    let wireProtocol = PeerDescription.WireProtocol.stream

    private let channel: any Channel
    private let handler: NIOLoopBound<StreamTransportHandler>
    private let encoder: RequestEncoder
    private let replies: ReplyCounter

    private init(
        channel: any Channel,
        handler: NIOLoopBound<StreamTransportHandler>,
        encoder: RequestEncoder,
        replies: ReplyCounter
    ) {
        self.channel = channel
        self.handler = handler
        self.encoder = encoder
        self.replies = replies
    }

    /// - Throws: ``TransportError`` `unreachable`.
    static func connect(
        _ place: PluginPlace,
        path: String,
        limits: JSONLimits,
        on group: any EventLoopGroup
    ) async throws(TransportError) -> StreamTransport {
        let replies = ReplyCounter()
        var backoff = ConnectBackoff()
        while true {
            do {
                return try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = StreamTransportHandler(limits: limits, replyCount: replies)
                        try channel.pipeline.syncOperations.addHandler(handler)
                        return StreamTransport(
                            channel: channel,
                            handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
                            encoder: RequestEncoder(name: place.name),
                            replies: replies
                        )
                    }
                }
            } catch {
                guard ConnectBackoff.calls(for: error), await backoff.wait() else { throw place.connectFailure(error) }
            }
        }
    }

    var isOpen: Bool { channel.isActive }
    var replyCount: Int { replies.value }

    func exchange(_ call: WireCall) async throws(TransportError) -> ReplyEnvelope {
        let reply = PendingReply()
        let sent = channel.eventLoop.submit { [channel, handler, encoder] in
            handler.value.send(call, with: encoder, on: channel, reply: reply)
        }
        sent.whenFailure { error in reply.fill(.failure(.notSent("the event loop has stopped (\(error))"))) }
        let outcome = await reply.outcome()
        if case .failure(.cancelled) = outcome {
            sent.whenSuccess { [handler] id in
                if let id { handler.value.forget(id) }
            }
        }
        return try outcome.get()
    }

    func close() {
        channel.close(promise: nil)
    }

    func closed() async {
        _ = try? await channel.closeFuture.get()
    }
}
