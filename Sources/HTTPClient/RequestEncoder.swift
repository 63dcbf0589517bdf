internal import NIOCore
internal import NIOHTTP1

/// Writes a request as one buffer, in place of NIO's encoder, which makes one of each part: every write goes through the whole
/// pipeline, and small ones cost the kernel nearly as much as large ones.
///
/// It takes the head alone, behind the handler that checks it and the decoder that has to know to what the answer will belong.
final class RequestEncoder: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = ByteBuffer

    /// Of the request whose head comes next.
    var body: [UInt8]?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(let head) = unwrapOutboundIn(data) else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        let body = body ?? []
        self.body = nil
        var bytes = context.channel.allocator.buffer(capacity: 256 + body.count)
        bytes.writeString(head.method.rawValue)
        bytes.writeStaticString(" ")
        bytes.writeString(head.uri)
        bytes.writeStaticString(" HTTP/1.1\r\n")
        for (name, value) in head.headers {
            bytes.writeString(name)
            bytes.writeStaticString(": ")
            bytes.writeString(value)
            bytes.writeStaticString("\r\n")
        }
        bytes.writeStaticString("\r\n")
        bytes.writeBytes(body)
        context.write(wrapOutboundOut(bytes), promise: promise)
    }
}
