public import GroupSPI
public import Logging
public import NIOCore
internal import Synchronization

/// A group plugin behind a socket, of whatever generation.
///
/// It connects at the first call and again whenever the connection is lost or the plugin's socket is another one,
/// and finds out afresh each time what the plugin speaks.
public final class PluginClient: GroupPlugin {
    /// What the clock can count to without trouble; nobody waits so long.
    private static let longestTimeout = Duration.seconds(10 * 365 * 24 * 3600)

    let connector: PeerConnector
    private let gate = ConnectGate()
    /// Letting go does not wait for who asks the plugin what it speaks.
    private let releaseGate = ConnectGate()
    private let table = Mutex(ConnectionTable())

    /// - Parameters:
    ///   - name: as the user wrote it: `group-stateless` or `group-stateless/type`. The part before the slash names
    ///     the socket; the whole is the `Name` in requests.
    ///   - endpoint: where the plugin listens; looked up again at each connect.
    ///   - protocol: what to speak.
    ///   - limits: how large and deep a reply may be.
    ///   - maximumConnections: at one time, to a plugin that takes one call at a time on each.
    ///   - refusesOwnProcess: whether a socket that this very process serves is no plugin: it would call itself for ever.
    ///   - login: who has logged in, for the history of a manager; nil to say nothing.
    ///   - group: where connections live; must outlive ``shutdown()``.
    ///   - logger: told about connections, at debug level.
    public init(
        name: Identifier,
        endpoint: PluginEndpoint,
        protocol: PluginProtocol,
        limits: JSONLimits,
        maximumConnections: Int = 256,
        refusesOwnProcess: Bool = false,
        login: Identifier? = nil,
        group: any EventLoopGroup,
        logger: Logger
    ) {
        connector = PeerConnector(
            name: name,
            endpoint: endpoint,
            plugin: `protocol`,
            limits: limits,
            maximumConnections: maximumConnections,
            refusesOwnProcess: refusesOwnProcess,
            login: login,
            group: group,
            logger: logger
        )
    }

    deinit {
        for peer in table.withLock({ $0.shutDown() }) { peer.transport.close() }
    }

    /// As the user wrote it.
    var name: Identifier { connector.name }

    /// What the plugin turned out to speak; nil when there is no connection.
    public var peer: PeerDescription? {
        get async {
            table.withLock { table in
                guard let peer = table.current, peer.transport.isOpen else { return nil }
                return peer.description
            }
        }
    }

    /// Ends the calls in flight and closes the connections; later calls fail with `unreachable`.
    public func shutdown() async {
        let peers = table.withLock { $0.shutDown() }
        for peer in peers { peer.transport.close() }
        for peer in peers { await peer.transport.closed() }
    }

    public func call(_ request: GroupRequest, within timeout: Duration) async throws(GroupError) -> GroupReply {
        let delivery = DeliveryState(isReadOnly: request.isReadOnly)
        let deadline = ContinuousClock.now.advanced(by: min(timeout, Self.longestTimeout))
        // A plugin that answers in the meantime is alive, and at work at it.
        let prolonging: @Sendable () async -> Bool = {
            delivery.isRolling ? await self.isAlive(within: timeout) : false
        }
        let outcome = await withDeadline(
            until: deadline,
            on: connector.group.any(),
            prolonging: request.mayRoll ? prolonging : nil
        ) {
            // What grows with all groups is read where it holds up nothing else: users' calls run on the event loop.
            guard request == .inspect else { return await self.attempts(at: request, delivery, until: deadline) }
            return await withTaskExecutorPreference(globalConcurrentExecutor) {
                await self.attempts(at: request, delivery, until: deadline)
            }
        }
        switch outcome {
        case .success(let reply): return reply
        case .failure(.cancelled): throw endedEarly(request, delivery, timeout)
        case .failure(let error):
            throw error.groupError(plugin: connector.name, method: request.method, isQuestion: request.isReadOnly)
        }
    }

    private func isAlive(within limit: Duration) async -> Bool {
        do throws(GroupError) {
            _ = try await call(.inspect, within: min(limit, .seconds(30)))
            return true
        } catch {
            return false
        }
    }

    /// The time ran out, or the caller gave up.
    private func endedEarly(_ request: GroupRequest, _ delivery: DeliveryState, _ timeout: Duration) -> GroupError {
        let plugin = "plugin '\(connector.name)'"
        if Task.isCancelled {
            guard delivery.isSent else {
                return GroupError(.unreachable, "\(request.method) was cancelled before it was sent to \(plugin)")
            }
            return TransportError.cancelled.groupError(
                plugin: connector.name,
                method: request.method,
                isQuestion: request.isReadOnly
            )
        }
        guard delivery.isSent else {
            return GroupError(
                .unreachable,
                "\(plugin) accepts connections but did not answer within \(timeout); \(request.method) was not sent"
            )
        }
        let reason = TransportError.lost("no answer within \(timeout)")
        return reason.groupError(
            plugin: connector.name,
            method: request.method,
            isQuestion: request.isReadOnly
        )
    }
}

// MARK: - Attempts

extension PluginClient {
    typealias Outcome = Result<GroupReply, TransportError>

    /// Tries once, and once more when the first try has met a connection of the past and changed nothing.
    private func attempts(
        at request: GroupRequest,
        _ delivery: DeliveryState,
        until deadline: ContinuousClock.Instant
    ) async -> Result<GroupReply, TransportError> {
        var isFirst = true
        while true {
            do throws(TransportError) {
                let (peer, isNew) = try await checkOut(until: deadline, isRelease: request.isRelease)
                let repliesBefore = peer.transport.replyCount
                let outcome = await attempt(request, delivery, peer, until: deadline)
                checkIn(peer, after: outcome, wasSilent: peer.transport.replyCount == repliesBefore, deadline)
                let mayGoOn = !isNew && delivery.mayStartAgain || delivery.hasBegunToStop
                if case .failure(let error) = outcome, error.endsTransport, isFirst, mayGoOn {
                    isFirst = false
                    continue
                }
                return outcome
            } catch {
                return .failure(error)
            }
        }
    }

    private func attempt(
        _ request: GroupRequest,
        _ delivery: DeliveryState,
        _ peer: Peer,
        until deadline: ContinuousClock.Instant
    ) async -> Outcome {
        let translator = APIVersionTranslator(peer: peer, delivery: delivery) { [connector] body in
            let now = ContinuousClock.now
            await withDeadline(until: now + max(.zero, deadline - now) / 3, on: connector.group.any(), body)
        }
        do throws(TransportError) {
            return .success(try await translator.carryOut(request))
        } catch {
            return .failure(error)
        }
    }

    /// The peer for one call, and whether it was found just now.
    ///
    /// - Parameter isRelease: lets a group go. That does not depend on the plugin's saying what it speaks.
    func checkOut(
        until deadline: ContinuousClock.Instant,
        isRelease: Bool = false
    ) async throws(TransportError) -> (Peer, isNew: Bool) {
        if let peer = takeCurrent(isRelease) { return (peer, false) }
        let gate = isRelease ? releaseGate : gate
        guard await gate.enter() else { throw .cancelled }
        defer { gate.leave() }
        if let peer = takeCurrent(isRelease) { return (peer, false) }
        guard !table.withLock({ $0.isShutDown }) else { throw .notSent("the client was shut down") }
        let peer = try await connector.connect(until: deadline, mayGuess: isRelease)
        let (isInstalled, retired) = table.withLock { $0.install(peer) }
        retired?.transport.close()
        guard isInstalled else {
            peer.transport.close()
            throw .notSent("the client was shut down")
        }
        return (peer, true)
    }

    private func takeCurrent(_ isRelease: Bool) -> Peer? {
        let identity = connector.endpoint.identity
        let (peer, retired) = table.withLock { $0.checkOut(identity: identity, mayBeGuess: isRelease) }
        retired?.transport.close()
        return peer
    }

    func checkIn<Reply>(
        _ peer: Peer,
        after outcome: Result<Reply, TransportError>,
        wasSilent: Bool,
        _ deadline: ContinuousClock.Instant
    ) {
        let isStuck = wasSilent && ContinuousClock.now >= deadline
        let isOver: Bool
        if case .failure(let error) = outcome { isOver = error.endsTransport || isStuck } else { isOver = false }
        let closing = table.withLock { table in
            let idle = isOver ? table.retire(peer) : nil
            return table.checkIn(peer) ?? idle
        }
        closing?.transport.close()
    }
}

extension GroupRequest {
    /// Some plugins replace instances one after another before they answer.
    fileprivate var mayRoll: Bool {
        switch self {
        case .update, .commit(_, pretend: false), .setSize: true
        default: false
        }
    }

    /// The plugin is to do nothing to the group any more.
    fileprivate var isRelease: Bool {
        switch self {
        case .free, .unwatch: true
        default: false
        }
    }

    /// Asks only: its answer may be asked for again.
    fileprivate var isReadOnly: Bool {
        switch self {
        case .inspect, .describe, .describeUpdate, .size, .commit(_, pretend: true): true
        default: false
        }
    }
}
