internal import GroupSPI
internal import HTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// HTTP connections to one plugin, kept alive between calls; each call in flight has one.
final class HTTPTransport: Transport {
    /// The caller's limit ends a call long before.
    private static let longest = TimeAmount.hours(24 * 365)
    /// Go answers 400 to a request without a host, and on a Unix socket there is none.
    private static let socketHost = "infrakit"

    let wireProtocol = PeerDescription.WireProtocol.http

    private let place: PluginPlace
    private let target: String
    private let headers: HTTPHeaders
    /// Learned once: see ``learn(_:)``.
    private let encoder: Mutex<RequestEncoder>
    private let decoder: ReplyDecoder
    private let pool: ConnectionPool
    private let replies = ReplyCounter()
    /// Begins anywhere, so that a reply that was meant for another client is not taken for one of this one.
    private let lastID = Atomic(Int.random(in: 0...Int.max / 2))

    /// - Parameter maximumConnections: calls beyond this many wait for a connection.
    /// - Throws: ``TransportError`` `unreachable` for a URL that cannot be connected to.
    init(
        _ place: PluginPlace,
        limits: JSONLimits,
        maximumConnections: Int,
        login: Identifier? = nil,
        on group: any EventLoopGroup
    ) throws(TransportError) {
        self.place = place
        var headers: HTTPHeaders = ["Content-Type": "application/json"]
        // What would break a header is no name.
        if let login = Caller(user: nil, uid: nil, host: "", login: login).login, login.utf8.allSatisfy({ $0 < 0x80 }) {
            headers.add(name: HTTPRequest.loginHeader, value: login.text)
        }
        self.headers = headers
        self.encoder = Mutex(RequestEncoder(name: place.name))
        self.decoder = ReplyDecoder(limits: limits)
        let settings = PoolSettings(
            maximumConnections: maximumConnections,
            connectTimeout: Self.longest,
            largestAnswer: limits.maximumBytes
        )
        switch place.address {
        case .socket(let path):
            target = "/"
            pool = ConnectionPool(.socket(path: path), authority: Self.socketHost, settings: settings, on: group)
        case .http(let text):
            guard let url = ServerURL(text) else {
                throw .unreachable("plugin '\(place.name)' cannot be used: \(place.shown) is not a valid address")
            }
            target = url.target
            pool = ConnectionPool(url.address, authority: url.authority, settings: settings, on: group)
        }
    }

    var isOpen: Bool { pool.isOpen }
    var replyCount: Int { replies.value }

    func exchange(_ call: WireCall) async throws(TransportError) -> ReplyEnvelope {
        // Of this link alone: a connection answers in order, and carries one call at a time.
        let id = lastID.add(1, ordering: .relaxed).newValue
        let (status, body) = try await post(encoder.withLock { $0 }.http(call, id: id))
        replies.increment()
        let reply: ReplyEnvelope
        do {
            reply = try decoder.decode(body)
        } catch {
            guard status == .ok else {
                throw .malformedReply("HTTP status \(status.code) \(status.reasonPhrase): \(Excerpt.of(body))")
            }
            throw error
        }
        guard reply.id == id else { throw .malformedReply("a reply to another call") }
        return reply
    }

    /// Asks a question that changes nothing, to see whether the peer answers in HTTP; what it answers does not matter.
    ///
    /// - Throws: ``TransportError`` `unreachable` or `cancelled`.
    func isAnswered() async throws(TransportError) -> Bool {
        do {
            learn(try await post(encoder.withLock { $0 }.http(.hello, id: 1)).1)
            return true
        } catch {
            switch error {
            case .unreachable, .cancelled: throw error
            // An answer that is too large was an HTTP answer all the same.
            case .malformedReply: return true
            default: return false
            }
        }
    }

    /// A manager of the last generation has all its groups in the object `groups`, and under the socket's own name none.
    ///
    /// - Parameter body: the answer to the handshake, which lists the objects of each interface.
    private func learn(_ body: [UInt8]) {
        guard !place.name.utf8.contains(UInt8(ascii: "/")), let reply = try? JSONView(body),
            let interfaces = reply.member("result")?.member("Objects")?.members
        else { return }
        let objects = interfaces.filter { $0.name.text.hasPrefix("Group/") }.flatMap(\.value.elements)
            .compactMap { $0.member("Name")?.string }
        guard objects.contains("groups"), !objects.contains(".") else { return }
        encoder.withLock { $0 = RequestEncoder(name: "\(place.name)/groups") }
    }

    private func post(_ bytes: [UInt8]) async throws(TransportError) -> (HTTPResponseStatus, [UInt8]) {
        let request = Request(.POST, target, headers: headers, body: bytes)
        var backoff = ConnectBackoff()
        while true {
            do throws(ExchangeError) {
                let answer = try await pool.exchange(request)
                return (answer.status, answer.body)
            } catch {
                guard case .noConnection(let cause) = error, ConnectBackoff.calls(for: cause), await backoff.wait()
                else { throw transportError(error) }
            }
        }
    }

    func close() {
        pool.close()
    }

    func closed() async {
        await pool.closed()
    }

    private func transportError(_ error: ExchangeError) -> TransportError {
        if Task.isCancelled { return .cancelled }
        switch error {
        case .cancelled:
            return .cancelled
        case .poolClosed(let wasSent):
            return wasSent ? .lost("the client was closed") : .notSent("the client was closed")
        case .noConnection(let cause):
            return place.connectFailure(cause)
        case .notSent(let cause):
            return .notSent("the connection broke while the request was written (\(cause))")
        case .closedByServer:
            return .lost("the plugin closed the connection")
        case .broken(HTTPParserError.invalidEOFState):
            return .lost("the connection ended before its answer did")
        case .broken(let cause as HTTPParserError):
            return .foreign("something that is not HTTP (\(cause))")
        case .broken(let cause as IOError):
            return .lost("the connection broke (\(SystemError.text(cause.errnoCode)))")
        case .broken(let cause):
            return .lost("the exchange failed (\(cause))")
        case .tooLarge:
            return .malformedReply("a reply of more than \(decoder.limits.maximumBytes) bytes")
        }
    }
}
