internal import GroupSPI
public import Logging
public import NIOCore
internal import NIOPosix
internal import Synchronization

/// Serves a plugin on a Unix socket, to clients of all four generations of InfraKit at once.
///
/// Every connection is asked by its first byte which dialect it speaks; see `DialectSniffer`.
public final class PluginServer: Sendable {
    private let socket: ListeningSocket
    private let channel: any Channel
    private let connections: ConnectionRegistry
    private let logger: Logger
    private let isStopped = Mutex(false)

    private init(socket: ListeningSocket, channel: any Channel, connections: ConnectionRegistry, logger: Logger) {
        self.socket = socket
        self.channel = channel
        self.connections = connections
        self.logger = logger
    }

    /// Binds the socket and starts to answer.
    ///
    /// A socket file that nobody answers on is replaced; a live one never is.
    ///
    /// - Parameters:
    ///   - plugin: what to serve.
    ///   - socketPath: where; missing directories are created.
    ///   - configuration: limits and permissions.
    ///   - group: runs the connections; the caller keeps it running until ``stop(grace:)`` has returned.
    ///   - logger: for what clients do wrong.
    /// - Throws: ``PluginServerError``, whose message names the socket.
    public static func start(
        _ plugin: ServedPlugin,
        at socketPath: String,
        configuration: PluginServerConfiguration = .init(),
        group: any EventLoopGroup,
        logger: Logger
    ) async throws -> PluginServer {
        var logger = logger
        logger[metadataKey: "socket.path"] = "\(socketPath)"
        let socket = try await NIOThreadPool.singleton.runIfActive {
            try ListeningSocket.claim(
                socketPath,
                socketMode: configuration.socketMode,
                directoryMode: configuration.directoryMode
            )
        }
        let connections = ConnectionRegistry(maximum: configuration.maximumConnections)
        let acceptor = Acceptor(
            dispatcher: Dispatcher(plugin: plugin),
            configuration: configuration,
            connections: connections,
            logger: logger
        )
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        // Out of descriptors: wait a little instead of failing in a loop.
                        try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                    }
                }
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { acceptor.accept($0) }
                .withBoundSocket(socket.descriptor)
                .get()
            logger.info("listening", metadata: ["plugin.name": "\(plugin.name)"])
            return PluginServer(socket: socket, channel: channel, connections: connections, logger: logger)
        } catch {
            try? await NIOThreadPool.singleton.runIfActive { socket.removeFile() }
            throw PluginServerError(
                .system,
                path: socketPath,
                message: "cannot serve the socket \(socketPath): \(error)"
            )
        }
    }

    /// Stops accepting, lets requests in flight be answered, closes the connections and removes the socket file.
    ///
    /// - Parameter grace: how long requests in flight may take; then they are cancelled and their connections closed.
    public func stop(grace: Duration) async {
        let isFirst = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        guard isFirst else {
            try? await channel.closeFuture.get()
            return
        }
        connections.beginStop()
        // The file first: while the socket is open, its inode tells whether the file is still ours.
        let socket = socket
        try? await NIOThreadPool.singleton.runIfActive { socket.removeFile() }
        try? await channel.close()

        announce(.gracefully)
        await connections.waitUntilEmpty(atMost: grace)
        let left = connections.channels
        if !left.isEmpty {
            logger.warning(
                "closing connections with requests that were not answered in time",
                metadata: ["connections.count": "\(left.count)"]
            )
            announce(.now)
            for channel in left { try? await channel.closeFuture.get() }
        }
        logger.info("stopped listening")
    }

    private func announce(_ event: ServerIsStopping) {
        for channel in connections.channels {
            channel.pipeline.fireUserInboundEventTriggered(event)
        }
    }
}
