internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// What a pool knows: its connections, and who waits for one. Lives on the pool's event loop.
final class PoolCore {
    private let address: ServerAddress
    private let authority: String
    private let settings: PoolSettings
    private let loop: any EventLoop
    private let allClosed: EventLoopPromise<Void>

    /// Connections that are open or being opened for somebody.
    private var count = 0
    /// The one that was used last is the last: those that are not needed grow old.
    private var idle: [Connection] = []
    private var busy: [ObjectIdentifier: Connection] = [:]
    private var connecting: [ObjectIdentifier: PendingRequest] = [:]
    private var waiting: [PendingRequest] = []
    /// All that have a descriptor, also those that are not connected yet.
    private var channels: [ObjectIdentifier: any Channel] = [:]
    private var isClosed = false
    private var sweep: Scheduled<Void>?

    init(
        _ address: ServerAddress,
        authority: String,
        settings: PoolSettings,
        on loop: any EventLoop,
        allClosed: EventLoopPromise<Void>
    ) {
        self.address = address
        self.authority = authority
        self.settings = settings
        self.loop = loop
        self.allClosed = allClosed
    }

    var waitingCount: Int { waiting.count }

    // MARK: - Exchanges

    func begin(_ pending: PendingRequest) {
        if pending.cancellation.isCancelled { return pending.end(.failure(.cancelled)) }
        if isClosed { return pending.end(.failure(.poolClosed(wasSent: false))) }
        while let connection = idle.popLast() {
            if connection.isUsable { return start(pending, on: connection) }
        }
        if count < settings.maximumConnections {
            connect(for: pending)
        } else {
            waiting.append(pending)
        }
    }

    /// The caller has given up. A connection that still owes an answer is of no use to others.
    func abandon(_ cancellation: CancellationFlag) {
        let id = ObjectIdentifier(cancellation)
        if let connection = busy[id] {
            connection.abort(.cancelled)
        } else if let pending = connecting.removeValue(forKey: id) {
            pending.end(.failure(.cancelled))
        } else if let index = waiting.firstIndex(where: { $0.cancellation === cancellation }) {
            waiting.remove(at: index).end(.failure(.cancelled))
        }
    }

    func close() {
        isClosed = true
        sweep?.cancel()
        let channels = Array(channels.values)
        for pending in waiting + connecting.values { pending.end(.failure(.poolClosed(wasSent: false))) }
        waiting.removeAll()
        connecting.removeAll()
        for connection in busy.values { connection.abort(.poolClosed(wasSent: connection.isWritten)) }
        for channel in channels { channel.close(promise: nil) }
        if channels.isEmpty { allClosed.succeed() }
    }

    private func start(_ pending: PendingRequest, on connection: Connection) {
        busy[ObjectIdentifier(pending.cancellation)] = connection
        connection.start(pending)
    }

    // MARK: - What connections tell

    /// Whatever came of the exchange, the connection carries it no longer.
    func ended(_ pending: PendingRequest) {
        busy[ObjectIdentifier(pending.cancellation)] = nil
    }

    /// The connection can carry another exchange.
    func isFree(_ connection: Connection) {
        guard !isClosed else { return connection.close() }
        if !waiting.isEmpty {
            start(waiting.removeFirst(), on: connection)
        } else {
            connection.idleSince = .now()
            idle.append(connection)
            scheduleSweep()
        }
    }

    /// The connection carries no exchange any more, and never will.
    func isGone(_ connection: Connection) {
        count -= 1
        idle.removeAll { $0 === connection }
        connectForWaiting()
    }

    // MARK: - Connecting

    private func connect(for pending: PendingRequest) {
        count += 1
        let id = ObjectIdentifier(pending.cancellation)
        connecting[id] = pending
        let core = NIOLoopBound(self, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(settings.connectTimeout)
            .resolver(NameResolver(on: loop))
            .channelInitializer { [settings] channel in
                channel.eventLoop.makeCompletedFuture {
                    try core.value.register(channel)
                    try settings.secure?(channel)
                    try channel.pipeline.syncOperations.addHandlers([
                        RequestEncoder(), ByteToMessageHandler(HTTPResponseDecoder()), NIOHTTPRequestHeadersValidator(),
                    ])
                }
            }
        let channel =
            switch address {
            case .socket(let path): bootstrap.connect(unixDomainSocketPath: path)
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            }
        channel.assumeIsolated()
            .flatMapThrowing { [authority, settings] channel in
                let pipeline = channel.pipeline.syncOperations
                let connection = Connection(
                    channel,
                    try pipeline.handler(type: RequestEncoder.self),
                    authority: authority,
                    largestAnswer: settings.largestAnswer,
                    self
                )
                try pipeline.addHandler(connection)
                return connection
            }
            .whenComplete { self.connected($0, for: id) }
    }

    private func connected(_ result: Result<Connection, any Error>, for id: ObjectIdentifier) {
        // Nil when the caller has given up meanwhile: the connection is there for the next one.
        let pending = connecting.removeValue(forKey: id)
        switch result {
        case .success(let connection):
            if let pending { start(pending, on: connection) } else { isFree(connection) }
        case .failure(let error):
            count -= 1
            pending?.end(.failure(.noConnection(error)))
            connectForWaiting()
        }
    }

    private func connectForWaiting() {
        guard !isClosed, !waiting.isEmpty, count < settings.maximumConnections else { return }
        connect(for: waiting.removeFirst())
    }

    private func register(_ channel: any Channel) throws {
        guard !isClosed else { throw ChannelError.alreadyClosed }
        let id = ObjectIdentifier(channel)
        channels[id] = channel
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            self.channels[id] = nil
            if self.isClosed, self.channels.isEmpty { self.allClosed.succeed() }
        }
    }

    // MARK: - Connections that are not needed

    private func scheduleSweep() {
        guard sweep == nil, let oldest = idle.first else { return }
        sweep = loop.assumeIsolated().scheduleTask(deadline: oldest.idleSince + settings.longestIdleTime) {
            self.sweep = nil
            let now = NIODeadline.now()
            for connection in self.idle where connection.idleSince + self.settings.longestIdleTime <= now {
                connection.close()
            }
            self.scheduleSweep()
        }
    }
}
