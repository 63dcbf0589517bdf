import NIOCore
import NIOPosix

/// A TCP port whose connections lead to a Unix socket.
struct Relay {
    let number: Int
    private let channel: any Channel

    static func start(to path: String) async throws -> Relay {
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { inbound in
                ClientBootstrap(group: inbound.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connect(unixDomainSocketPath: path)
                    .flatMapThrowing { outbound in
                        try inbound.pipeline.syncOperations.addHandler(Pipe(into: outbound))
                        try outbound.pipeline.syncOperations.addHandler(Pipe(into: inbound))
                        outbound.setOption(.autoRead, value: true).and(inbound.setOption(.autoRead, value: true))
                            .whenComplete { _ in }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return Relay(number: channel.localAddress?.port ?? 0, channel: channel)
    }

    func stop() async {
        try? await channel.close()
    }
}

/// Sends what comes in out of another channel of the same event loop.
private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel

    init(into other: any Channel) {
        self.other = other
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        other.close(promise: nil)
        context.fireChannelInactive()
    }
}
