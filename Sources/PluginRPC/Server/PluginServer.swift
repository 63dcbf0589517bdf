internal import GroupSPI
public import Logging
public import NIOCore
internal import Synchronization

/// Serves a plugin on a Unix socket, to clients of all four generations of InfraKit at once.
///
/// Every connection is asked by its first byte which dialect it speaks; see `WireProtocolSniffer`.
public final class PluginServer: Sendable {
    private let listener: Mutex<Listener>
    private let connections: ConnectionRegistry
    let memory: RequestMemory
    let replies: ReplyMemory
    private let logger: Logger
    private let isStopped = Mutex(false)
    private let keeper = Mutex<Task<Void, Never>?>(nil)

    private init(_ listener: Listener, connections: ConnectionRegistry, _ acceptor: Acceptor, logger: Logger) {
        self.listener = Mutex(listener)
        memory = acceptor.memory
        replies = acceptor.replies
        self.connections = connections
        self.logger = logger
    }

    /// Binds the socket and starts to answer.
    ///
    /// A socket file that nobody answers on is replaced; a live one never is. A file that is taken away while the server
    /// runs is made anew: a server that nobody can reach is of no use, and restarting one that leads costs its users more.
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
        let connections = ConnectionRegistry(maximum: configuration.maximumConnections)
        let acceptor = Acceptor(
            dispatcher: Dispatcher(plugin: plugin),
            configuration: configuration,
            connections: connections,
            logger: logger
        )
        let listener = try await Listener.open(socketPath, acceptor, group: group)
        logger.info("listening", metadata: ["plugin.name": "\(plugin.name)"])
        let server = PluginServer(listener, connections: connections, acceptor, logger: logger)
        let keeper = Task { [weak server] in
            var isTold = false
            while !Task.isCancelled {
                try? await Task.sleep(for: keeperPause, clock: .suspending)
                guard let server else { return }
                await server.keep(acceptor, group, &isTold)
            }
        }
        server.keeper.withLock { $0 = keeper }
        return server
    }

    /// Between two looks at the socket's file.
    private static let keeperPause = Duration.seconds(1)

    /// Makes the socket anew when its file is not there any more.
    ///
    /// - Parameter isTold: whether it was logged already that this cannot be done.
    private func keep(_ acceptor: Acceptor, _ group: any EventLoopGroup, _ isTold: inout Bool) async {
        let old = listener.withLock { $0 }
        guard await !old.isInPlace, !Task.isCancelled else { return }
        do {
            let new = try await Listener.open(old.path, acceptor, group: group)
            listener.withLock { $0 = new }
            await old.close()
            isTold = false
            logger.warning("the socket's file was taken away; it is served anew")
        } catch {
            guard !isTold else { return }
            isTold = true
            logger.error("the socket's file was taken away and cannot be made anew", metadata: ["error": "\(error)"])
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
            await listener.withLock { $0 }.waitUntilClosed()
            return
        }
        connections.beginStop()
        let keeper = keeper.withLock { $0 }
        keeper?.cancel()
        await keeper?.value
        await listener.withLock { $0 }.close()

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
