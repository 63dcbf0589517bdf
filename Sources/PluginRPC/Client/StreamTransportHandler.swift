internal import GroupSPI
internal import NIOCore
internal import Synchronization

/// Matches the replies of a stream connection to the calls in flight, by id. Lives on the channel's event loop.
final class StreamTransportHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let decoder: ReplyDecoder
    private let replyCount: ReplyCounter
    private var framer: ReplyFramer
    private var calls: [Int: PendingReply] = [:]
    /// Ids from 0 up to here have been sent; a reply to any other is nonsense.
    private var nextID = 0
    private var end: TransportError?

    init(limits: JSONLimits, replyCount: ReplyCounter) {
        self.decoder = ReplyDecoder(limits: limits)
        self.framer = ReplyFramer(limits: limits)
        self.replyCount = replyCount
    }

    /// Sends one call, unless its caller has given up already.
    ///
    /// - Returns: its id, for ``forget(_:)``; nil when nothing was sent.
    func send(_ call: WireCall, with encoder: RequestEncoder, on channel: any Channel, reply: PendingReply) -> Int? {
        if let end {
            reply.fill(.failure(end.beforeSending))
            return nil
        }
        guard !reply.isFilled else { return nil }
        let id = nextID
        nextID += 1
        calls[id] = reply
        let promise = channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenFailure { error in
            // A part of an object is no request: the plugin cannot have acted on it.
            reply.fill(.failure(.notSent("the connection broke while the request was written (\(error))")))
        }
        channel.write(ByteBuffer(bytes: encoder.stream(call, id: id)), promise: promise)
        channel.writeAndFlush(ByteBuffer(string: "\n"), promise: nil)
        return id
    }

    /// Nobody waits for the reply any more; when it comes it is dropped.
    func forget(_ id: Int) {
        calls[id] = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        do throws(TransportError) {
            for reply in try framer.append(unwrapInboundIn(data).readableBytesView) {
                try deliver(try decoder.decode(reply))
            }
        } catch {
            finish(error)
            context.close(promise: nil)
        }
    }

    private func deliver(_ reply: ReplyEnvelope) throws(TransportError) {
        guard let id = reply.id, (0..<nextID).contains(id) else {
            throw .malformedReply("a reply to a call that was never made")
        }
        replyCount.increment()
        calls.removeValue(forKey: id)?.fill(.success(reply))
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.lost("the plugin closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.lost("the connection broke (\(error))"))
        context.close(promise: nil)
    }

    /// Ends all calls in flight, with the first reason there was.
    private func finish(_ reason: TransportError) {
        let reason = end ?? reason
        end = reason
        for call in calls.values { call.fill(.failure(reason)) }
        calls.removeAll()
    }
}

extension TransportError {
    /// What the end of a connection means for a call that was not sent yet.
    fileprivate var beforeSending: TransportError {
        switch self {
        case .lost(let reason): .notSent(reason)
        case .malformedReply(let what): .notSent("the connection was closed after \(what)")
        default: self
        }
    }
}
