internal import AsyncHTTPClient
internal import GroupSPI
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// HTTP connections to one plugin, kept alive between calls; each call in flight has one.
final class HTTPLink: Link {
    /// Calls beyond this many wait for a connection.
    private static let maximumConnections = 256
    /// For the library's own limits: the caller's limit ends a call long before.
    private static let longest = TimeAmount.hours(24 * 365)

    let dialect = PeerDescription.Dialect.http

    private let place: PluginPlace
    private let url: String
    private let encoder: RequestEncoder
    private let decoder: ReplyDecoder
    private let client: HTTPClient
    private let replies = ReplyCounter()
    private let shutdown = Mutex<EventLoopFuture<Void>?>(nil)

    init(_ place: PluginPlace, limits: JSONLimits, on group: any EventLoopGroup) {
        self.place = place
        self.encoder = RequestEncoder(name: place.name)
        self.decoder = ReplyDecoder(limits: limits)
        self.url = Self.url(of: place.address)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = Self.longest
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.maximumConnections
        self.client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    var isOpen: Bool { shutdown.withLock { $0 == nil } }
    var replyCount: Int { replies.value }

    func exchange(_ call: WireCall) async throws(LinkError) -> ReplyEnvelope {
        let id = Int.random(in: 1...Int.max)
        let (status, body) = try await post(encoder.http(call, id: id))
        replies.increment()
        let reply: ReplyEnvelope
        do {
            reply = try decoder.decode(body)
        } catch {
            guard status == .ok else {
                throw .nonsense("HTTP status \(status.code) \(status.reasonPhrase): \(Excerpt.of(body))")
            }
            throw error
        }
        guard reply.id == id else { throw .nonsense("a reply to another call") }
        return reply
    }

    /// Asks a question that changes nothing, to see whether the peer answers in HTTP; what it answers does not matter.
    ///
    /// - Throws: ``LinkError`` `unreachable` or `cancelled`.
    func isAnswered() async throws(LinkError) -> Bool {
        do {
            _ = try await post(encoder.http(.hello, id: 1))
            return true
        } catch {
            switch error {
            case .unreachable, .cancelled: throw error
            // An answer that is too large was an HTTP answer all the same.
            case .nonsense: return true
            default: return false
            }
        }
    }

    private func post(_ bytes: [UInt8]) async throws(LinkError) -> (HTTPResponseStatus, [UInt8]) {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        if case .socket = place.address {
            // The client sends no Host over a Unix socket, and Go answers 400 to that.
            request.headers.add(name: "Host", value: "infrakit")
        }
        request.body = .bytes(ByteBuffer(bytes: bytes))
        var backoff = ConnectBackoff()
        while true {
            do {
                let response = try await client.execute(request, deadline: .now() + Self.longest)
                let body = try await response.body.collect(upTo: decoder.limits.maximumBytes)
                return (response.status, Array(body.readableBytesView))
            } catch {
                guard ConnectBackoff.calls(for: error), await backoff.wait() else { throw linkError(error) }
            }
        }
    }

    func close() {
        shutdown.withLock { shutdown in
            if shutdown == nil { shutdown = client.shutdown() }
        }
    }

    func closed() async {
        let done = shutdown.withLock { $0 }
        _ = try? await done?.get()
    }

    /// A Unix socket's path goes where a URL has its host.
    static func url(of address: PluginEndpoint.Address) -> String {
        switch address {
        case .http(let url):
            return url
        case .socket(let path):
            return "http+unix://\(path.percentEncoded)/"
        }
    }

    private func linkError(_ error: any Error) -> LinkError {
        if Task.isCancelled { return .cancelled }
        switch error {
        case is CancellationError:
            return .cancelled
        case let error as HTTPClientError:
            switch error {
            case .cancelled: return isOpen ? .cancelled : .lost("the client was closed")
            case .alreadyShutdown: return .notSent("the client was closed")
            case .connectTimeout, .tlsHandshakeTimeout: return place.connectFailure(error)
            case .getConnectionFromPoolTimeout: return .notSent("too many calls are in flight")
            case .remoteConnectionClosed: return .lost("the plugin closed the connection")
            case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath:
                return .unreachable("plugin '\(place.name)' cannot be used: \(place.shown) is not a valid address")
            default: return .lost("the exchange failed (\(error))")
            }
        case is NIOTooManyBytesError:
            return .nonsense("a reply of more than \(decoder.limits.maximumBytes) bytes")
        case is HTTPParserError:
            return .lost("it sent something that is not HTTP (\(error))")
        case let error as IOError where error.isEndOfConnection:
            return .lost("the connection broke (\(SystemError.text(error.errnoCode)))")
        default:
            return place.connectFailure(error)
        }
    }
}
