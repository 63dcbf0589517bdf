internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// Looks at a connection's first byte that is not white space, and hands the connection to the handler of its dialect.
///
/// `{` begins a message of the stream, a letter an HTTP method; nothing else begins anything that could be answered.
final class WireProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: Connection
    private var readDeadline: ReadDeadline?
    private var isDecided = false

    init(connection: Connection) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let readDeadline = ReadDeadline(connection: connection) { _ in channel.close(promise: nil) }
        readDeadline.wait(for: .idle)
        self.readDeadline = readDeadline
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        readDeadline?.stop()
        readDeadline = nil
        // Once decided, the connection's place is the dialect's handler's to give back. A connection that closes before
        // it ever was active is only told of by this removal.
        if !isDecided { connection.release() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        let whitespace = bytes.readableBytesView.prefix { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        bytes.moveReaderIndex(forwardBy: whitespace.count)
        guard !isDecided, let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return }
        isDecided = true
        let pipeline = context.pipeline.syncOperations
        do {
            switch first {
            case UInt8(ascii: "{"):
                try pipeline.addHandler(StreamHandler(connection: connection), position: .after(self))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                var limits = NIOHTTPDecoderLimitConfiguration()
                limits.maxHeaderFieldSize = connection.configuration.maximumHeaderBytes
                limits.maxHeaderListSize = connection.configuration.maximumHeaderBytes
                let decoder = ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits))
                try pipeline.addHandlers(
                    [decoder, HTTPHandler(connection: connection)],
                    position: .after(self)
                )
            default:
                connection.logger.info(
                    "closing a connection: neither a JSON object nor an HTTP request",
                    metadata: ["request.first_byte": "\(first)"]
                )
                connection.release()
                context.close(promise: nil)
                return
            }
        } catch {
            connection.release()
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(wrapInboundOut(bytes))
        pipeline.removeHandler(context: context, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ServerIsStopping, ChannelEvent.inputClosed as ChannelEvent:
            if isDecided { context.fireUserInboundEventTriggered(event) } else { context.close(promise: nil) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isDecided { context.fireErrorCaught(error) } else { context.close(promise: nil) }
    }
}
