import GroupSPI
import Logging
import NIOCore
import NIOEmbedded
import Synchronization

@testable import PluginRPC

/// A connection to the server, without a socket: what is sent goes through the real handlers of both dialects.
enum Conversation {
    /// Small enough for a short input to reach them.
    static let configuration: PluginServerConfiguration = {
        var configuration = PluginServerConfiguration()
        configuration.limits = JSONLimits(maximumBytes: 1024, maximumDepth: 16)
        configuration.maximumHeaderBytes = 512
        return configuration
    }()

    /// Sends the pieces, says that no more will come, and returns all that the server has sent.
    ///
    /// - Throws: ``Broken`` when the server does not close after that.
    static func hold(_ pieces: [ArraySlice<UInt8>]) throws -> [UInt8] {
        let place = Place()
        let channel = EmbeddedChannel()
        let memory = RequestMemory(limit: configuration.requestMemory, largest: configuration.limits.maximumBytes)
        let replies = ReplyMemory(limit: configuration.replyMemory, largest: configuration.limits.maximumBytes)
        let connection = Connection(
            eventLoop: channel.eventLoop,
            dispatcher: Dispatcher(plugin: ServedPlugin(name: "group", group: StandIn(), manager: StandIn())),
            caller: Caller(user: "ann", uid: 1000, host: "h"),
            configuration: configuration,
            logger: Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() }),
            activity: ConnectionActivity(),
            memory: memory,
            replies: replies,
            release: { place.isFree.store(true, ordering: .relaxed) }
        )
        try channel.pipeline.syncOperations.addHandler(WireProtocolSniffer(connection: connection))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
        for piece in pieces where channel.isActive { try channel.writeInbound(ByteBuffer(bytes: piece)) }
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        channel.embeddedEventLoop.run()
        try require(!channel.isActive, "the connection stays open after its end")
        var sent: [UInt8] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { sent += bytes.readableBytesView }
        _ = try channel.finish(acceptAlreadyClosed: true)
        try require(place.isFree.load(ordering: .relaxed), "the connection's place is not given back")
        try require(memory.used == 0, "what is gone still takes memory")
        try require(replies.used == 0 && replies.waitingCount == 0, "replies of what is gone still take memory")
        return sent
    }

    private final class Place: Sendable {
        let isFree = Atomic(false)
    }
}
