import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Swarm
import Synchronization
import Testing

/// What a test wants the Engine to do with one request.
enum StubReply: Sendable {
    case answer(Int, [UInt8])
    /// Nothing, ever.
    case hang
    /// The connection ends without an answer.
    case drop
    /// The answer begins and the connection ends within it.
    case half
    /// Bytes that are no HTTP.
    case noise

    static func answer(_ status: Int, _ body: String) -> StubReply { .answer(status, Array(body.utf8)) }
    static func recorded(_ name: String) throws -> StubReply {
        let recorded = try Recorded(name)
        return .answer(recorded.status, recorded.body)
    }
    static let noContent = StubReply.answer(200, [])
}

struct StubRequest: Sendable {
    let method: String
    /// With the version and the query.
    let uri: String
    let headers: HTTPHeaders
    let body: [UInt8]

    /// Without the version and the query.
    var path: String {
        let path = uri.prefix { $0 != "?" }
        guard path.hasPrefix("/v1."), let slash = path.dropFirst().firstIndex(of: "/") else { return String(path) }
        return String(path[slash...])
    }

    /// The number after `version=`.
    var version: UInt64? {
        uri.firstRange(of: "version=").flatMap { UInt64(uri[$0.upperBound...]) }
    }
}

/// An Engine of which each test says what it does.
final class StubEngine: Sendable {
    typealias Behaviour = @Sendable (StubRequest) -> StubReply

    let endpoint: EngineEndpoint
    private let log = Mutex<[StubRequest]>([])

    var requests: [StubRequest] { log.withLock { $0 } }
    func count(_ method: String, _ path: String) -> Int { requests.count { $0.method == method && $0.path == path } }

    init(_ endpoint: EngineEndpoint) {
        self.endpoint = endpoint
    }

    fileprivate func record(_ request: StubRequest) { log.withLock { $0.append(request) } }
}

/// The same answer to everything.
func answering(_ reply: StubReply) -> StubEngine.Behaviour { { _ in reply } }

/// One group of event loops for all tests.
let loops = MultiThreadedEventLoopGroup.singleton

/// Runs an Engine on a Unix socket and a client of it.
func withEngine<Result>(
    largestAnswer: Int = EngineClient.largestAnswer,
    _ behaviour: @escaping StubEngine.Behaviour,
    _ body: (StubEngine, EngineClient) async throws -> Result
) async throws -> Result {
    let path = "/tmp/ik-swarm-\(UInt64.random(in: 0 ... .max))"
    defer { unlink(path) }
    let stub = StubEngine(EngineEndpoint(try EngineAddress("unix://\(path)", isSecure: false)))
    let server = try await bootstrap(stub, nil, behaviour).bind(unixDomainSocketPath: path).get()
    return try await run(stub, server, largestAnswer, body)
}

private func bootstrap(
    _ stub: @autoclosure @escaping @Sendable () -> StubEngine?,
    _ secure: (@Sendable (any Channel) throws -> Void)?,
    _ behaviour: @escaping StubEngine.Behaviour
) -> ServerBootstrap {
    bootstrap({ stub() }, secure, behaviour)
}

/// - Parameter secure: puts TLS into a channel's pipeline.
func bootstrap(
    _ stub: @escaping @Sendable () -> StubEngine?,
    _ secure: (@Sendable (any Channel) throws -> Void)?,
    _ behaviour: @escaping StubEngine.Behaviour
) -> ServerBootstrap {
    ServerBootstrap(group: loops).childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try secure?(channel)
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
            try channel.pipeline.syncOperations.addHandler(StubHandler(stub, behaviour))
        }
    }
}

func run<Result>(
    _ stub: StubEngine,
    _ server: any Channel,
    _ largestAnswer: Int,
    _ body: (StubEngine, EngineClient) async throws -> Result
) async throws -> Result {
    do {
        let client = try EngineClient(stub.endpoint, on: loops, limit: .seconds(600), largestAnswer: largestAnswer)
        do {
            let result = try await body(stub, client)
            await client.shutdown()
            try await server.close()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    } catch {
        try? await server.close()
        throw error
    }
}

private final class StubHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let stub: @Sendable () -> StubEngine?
    private let behaviour: StubEngine.Behaviour
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ stub: @escaping @Sendable () -> StubEngine?, _ behaviour: @escaping StubEngine.Behaviour) {
        self.stub = stub
        self.behaviour = behaviour
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer):
            body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head, let stub = stub() else { return context.close(promise: nil) }
            let request = StubRequest(method: "\(head.method)", uri: head.uri, headers: head.headers, body: body)
            stub.record(request)
            reply(behaviour(request), context)
        }
    }

    private func reply(_ reply: StubReply, _ context: ChannelHandlerContext) {
        switch reply {
        case .hang: break
        case .drop: context.close(promise: nil)
        case .answer(let status, let bytes):
            send(status, bytes, length: bytes.count, context)
        case .half:
            send(200, [0x7B], length: 100, context)
            context.close(promise: nil)
        case .noise:
            let tail = context.pipeline.context(handlerType: HTTPResponseEncoder.self)
            tail.whenSuccess {
                $0.writeAndFlush(NIOAny(ByteBuffer(string: "SSH-2.0-OpenSSH_9.2\r\n\r\n")), promise: nil)
            }
        }
    }

    private func send(_ status: Int, _ bytes: [UInt8], length: Int, _ context: ChannelHandlerContext) {
        var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status))
        head.headers.add(name: "Content-Type", value: "application/json")
        head.headers.add(name: "Content-Length", value: "\(length)")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        if length == bytes.count { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
