internal import Glibc
internal import GroupSPI
internal import Logging
internal import NIOCore
internal import NIOPosix

/// Decides on every new connection: whether there is room, whether its user may call, and who that is.
struct Acceptor: Sendable {
    let dispatcher: Dispatcher
    let configuration: PluginServerConfiguration
    let connections: ConnectionRegistry
    let logger: Logger
    let memory: RequestMemory
    let replies: ReplyMemory
    private let peers = PeerDirectory()
    private let ownUID = geteuid()

    init(
        dispatcher: Dispatcher,
        configuration: PluginServerConfiguration,
        connections: ConnectionRegistry,
        logger: Logger
    ) {
        self.dispatcher = dispatcher
        self.configuration = configuration
        self.connections = connections
        self.logger = logger
        memory = RequestMemory(limit: configuration.requestMemory, largest: configuration.limits.maximumBytes)
        replies = ReplyMemory(limit: configuration.replyMemory, largest: configuration.limits.maximumBytes)
    }

    /// Prepares the pipeline of an accepted connection. One that is not wanted is closed.
    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let (uid, descriptor) = PeerDirectory.peer(of: channel)
        guard Self.mayCall(uid, allowed: configuration.allowedUIDs, own: ownUID) else {
            logger.warning(
                "closing a connection: its user may not call",
                metadata: Self.metadata(uid)
            )
            return refuse(channel)
        }
        switch connections.admit(channel, of: uid, touchesReserve: descriptor >= configuration.descriptorLimit) {
        case .admitted(let activity, let closing, let release):
            if let closing {
                logger.debug("closing a connection: its user has opened another", metadata: Self.metadata(uid))
                closing.close(promise: nil)
            }
            return prepare(channel, uid, activity, release)
        case .full(let isFirst):
            if isFirst {
                logger.warning(
                    "closing new connections: there are too many",
                    metadata: Self.metadata(uid).merging([
                        "connections.maximum": "\(configuration.maximumConnections)"
                    ]) { $1 }
                )
            }
            return refuse(channel)
        case .stopping:
            return refuse(channel)
        }
    }

    private static func metadata(_ uid: uid_t?) -> Logger.Metadata {
        ["peer.uid": "\(uid.map(String.init) ?? "unknown")"]
    }

    /// Root and the server's own user always may: they could do worse than call.
    static func mayCall(_ uid: uid_t?, allowed: Set<uid_t>?, own: uid_t) -> Bool {
        guard let allowed else { return true }
        guard let uid else { return false }
        return uid == 0 || uid == own || allowed.contains(uid)
    }

    private func refuse(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.close(promise: nil)
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    private func prepare(
        _ channel: any Channel,
        _ uid: uid_t?,
        _ activity: ConnectionActivity,
        _ release: @escaping @Sendable () -> Void
    ) -> EventLoopFuture<Void> {
        let eventLoop = channel.eventLoop
        guard let uid else {
            return eventLoop.makeCompletedFuture { try begin(channel, peers.anonymous, activity, release) }
        }
        if let caller = peers.knownCaller(uid) {
            return eventLoop.makeCompletedFuture { try begin(channel, caller, activity, release) }
        }
        return peers.caller(uid, on: eventLoop).flatMapThrowing { try begin(channel, $0, activity, release) }
    }

    private func begin(
        _ channel: any Channel,
        _ caller: Caller,
        _ activity: ConnectionActivity,
        _ release: @escaping @Sendable () -> Void
    ) throws {
        var logger = logger
        logger[metadataKey: "peer.uid"] = caller.uid.map { "\($0)" }
        let connection = Connection(
            eventLoop: channel.eventLoop,
            dispatcher: dispatcher,
            caller: caller,
            configuration: configuration,
            logger: logger,
            activity: activity,
            memory: memory,
            replies: replies,
            release: release
        )
        do {
            try channel.pipeline.syncOperations.addHandler(WireProtocolSniffer(connection: connection))
            // Admitted just before the server began to stop, it may have missed the word.
            if connections.isStopping { channel.close(promise: nil) }
        } catch {
            release()
            throw error
        }
    }
}
