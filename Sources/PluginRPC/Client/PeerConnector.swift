internal import CLinux
internal import Glibc
internal import GroupSPI
internal import Logging
internal import NIOCore

/// Finds a plugin and finds out what it speaks, with calls that change nothing.
struct PeerConnector: Sendable {
    /// A plugin that has not answered in HTTP for so long is asked in the other dialect.
    private static let patience = Duration.seconds(3)

    let name: Identifier
    let endpoint: PluginEndpoint
    let plugin: PluginProtocol
    let limits: JSONLimits
    let maximumConnections: Int
    let refusesOwnProcess: Bool
    let login: Identifier?
    let group: any EventLoopGroup
    let logger: Logger

    /// - Parameter mayGuess: whether a plugin that does not say what it speaks is taken for one of the stream protocol, after a part of
    ///   the time: half of it at most, so that there is some left for the call.
    /// - Throws: ``TransportError`` `unreachable` or `cancelled`.
    func connect(
        until deadline: ContinuousClock.Instant,
        mayGuess: Bool = false
    ) async throws(TransportError) -> Peer {
        // Looked at first: a plugin that is replaced while it is being found is found again.
        let identity = endpoint.identity
        let place = PluginPlace(name: name, address: try endpoint.resolve())
        try requireOther(place)
        var isGuess = false
        let transport =
            switch (place.address, plugin) {
            case (.http, .stream):
                throw TransportError.unreachable(
                    "plugin '\(name)' listens at \(place.shown); the stream protocol works on a Unix socket only"
                )
            case (.http, _), (.socket, .http):
                try httpTransport(place) as any Transport
            case (.socket(let path), .stream):
                try await StreamTransport.connect(place, path: path, limits: limits, on: group)
            case (.socket(let path), .auto):
                try await detect(place, path, until: deadline, guess: mayGuess ? { isGuess = true } : nil)
            }
        do {
            // It may have come to be so since the first look.
            try requireOther(place)
        } catch {
            transport.close()
            throw error
        }
        logger.debug(
            "connected to the plugin",
            metadata: [
                "plugin.name": "\(name)", "plugin.address": "\(place.shown)",
                "plugin.dialect": "\(transport.wireProtocol)",
            ]
        )
        return Peer(transport: transport, identity: identity, isGuess: isGuess)
    }

    private func httpTransport(_ place: PluginPlace) throws(TransportError) -> HTTPTransport {
        try HTTPTransport(place, limits: limits, maximumConnections: maximumConnections, login: login, on: group)
    }

    /// - Throws: ``TransportError`` `unreachable` for a socket of this very process.
    private func requireOther(_ place: PluginPlace) throws(TransportError) {
        guard refusesOwnProcess, case .socket(let path) = place.address, Self.isServedHere(path) else { return }
        throw .unreachable(
            "plugin '\(name)' at \(path) is this manager itself. Give --proxy-for-group the name of a group plugin."
        )
    }

    /// Asked of the kernel: whatever the path looks like, it tells who listens.
    private static func isServedHere(_ path: String) -> Bool {
        guard path.utf8.count <= SocketPath.maximumBytes else { return false }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard probe >= 0 else { return false }
        defer { Glibc.close(probe) }
        guard withUnixAddress(path, { Glibc.connect(probe, $0, $1) }) == 0 else { return false }
        var (pid, uid, gid) = (pid_t(), uid_t(), gid_t())
        return clinux_peer_credentials(probe, &pid, &uid, &gid) == 0 && pid == getpid()
    }

    /// HTTP first: a stream peer closes the connection at the first letter of `POST`.
    ///
    /// - Parameter guess: called when what is returned is a guess; nil: then it is an error.
    private func detect(
        _ place: PluginPlace,
        _ path: String,
        until deadline: ContinuousClock.Instant,
        guess: (() -> Void)?
    ) async throws(TransportError) -> any Transport {
        let http = try httpTransport(place)
        do {
            if try await answersHTTP(http, until: deadline, part: guess == nil ? 2 : 4) { return http }
        } catch {
            http.close()
            throw error
        }
        http.close()
        let stream = try await StreamTransport.connect(place, path: path, limits: limits, on: group)
        do {
            // Whatever it says to that is short, also when it does not know the method, and has the dialect's shape.
            _ = try await hello(stream, until: deadline, part: guess == nil ? 1 : 3)
            return stream
        } catch {
            stream.close()
            switch error {
            case .cancelled where guess != nil && !Task.isCancelled:
                // An HTTP server has something to say to that. On the same connection a call may wait behind the question.
                guess?()
                return try await StreamTransport.connect(place, path: path, limits: limits, on: group)
            case .cancelled:
                throw error
            case .malformedReply(let what) where what.contains(": HTTP/"):
                // It speaks HTTP after all, and was only slow to say so.
                return try httpTransport(place)
            case .malformedReply(let what):
                throw .unreachable("plugin '\(name)' at \(path) is not a group plugin: it answered with \(what)")
            default:
                throw .unreachable(
                    "plugin '\(name)' at \(path) accepts connections but answers neither in HTTP nor in the stream "
                        + "protocol"
                )
            }
        }
    }

    /// - Parameter part: of the time that is left.
    private func hello(
        _ transport: StreamTransport,
        until deadline: ContinuousClock.Instant,
        part: Int
    ) async throws(TransportError) -> ReplyEnvelope {
        guard part > 1 else { return try await transport.exchange(.hello) }
        let now = ContinuousClock.now
        let limit = now.advanced(by: now.duration(to: deadline) / part)
        return try await withDeadline(until: limit, on: group.any()) {
            () async -> Result<ReplyEnvelope, TransportError> in
            do throws(TransportError) {
                return .success(try await transport.exchange(.hello))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    private func answersHTTP(
        _ transport: HTTPTransport,
        until deadline: ContinuousClock.Instant,
        part: Int
    ) async throws(TransportError) -> Bool {
        let now = ContinuousClock.now
        let limit = now.advanced(by: min(now.duration(to: deadline) / part, Self.patience))
        let answer = await withDeadline(until: limit, on: group.any()) { () async -> Result<Bool, TransportError> in
            do throws(TransportError) {
                return .success(try await transport.isAnswered())
            } catch {
                return .failure(error)
            }
        }
        switch answer {
        case .success(let isAnswered): return isAnswered
        case .failure(.cancelled) where !Task.isCancelled: return false
        case .failure(let error): throw error
        }
    }
}
