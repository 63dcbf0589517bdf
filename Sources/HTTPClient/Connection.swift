internal import NIOCore
internal import NIOHTTP1

/// One connection of a pool, which carries one exchange at a time. Lives on the pool's event loop.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let channel: any Channel
    private let encoder: RequestEncoder
    private let authority: String
    private let largestAnswer: Int
    private let core: PoolCore

    private var pending: PendingRequest?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []
    /// The whole request has gone to the kernel.
    private(set) var isWritten = false
    private var writeError: (any Error)?
    private var isClosing = false
    /// Since when it has nothing to do.
    var idleSince = NIODeadline.now()

    init(
        _ channel: any Channel,
        _ encoder: RequestEncoder,
        authority: String,
        largestAnswer: Int,
        _ core: PoolCore
    ) {
        self.channel = channel
        self.encoder = encoder
        self.authority = authority
        self.largestAnswer = largestAnswer
        self.core = core
    }

    /// False for one that is closed, or about to be, and has not said so yet.
    var isUsable: Bool { channel.isActive && !isClosing }

    func start(_ pending: PendingRequest) {
        self.pending = pending
        isWritten = false
        let request = pending.request
        var head = HTTPRequestHead(version: .http1_1, method: request.method, uri: request.target)
        head.headers.reserveCapacity(request.headers.count + 2)
        head.headers.add(name: "Host", value: authority)
        head.headers.add(contentsOf: request.headers)
        if let body = request.body { head.headers.add(name: "Content-Length", value: "\(body.count)") }
        encoder.body = request.body
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.isWritten = true
            // The end of the connection follows, and may still bring an answer along.
            case .failure(let error): self.writeError = error
            }
        }
        channel.writeAndFlush(HTTPClientRequestPart.head(head), promise: written)
    }

    func close() {
        isClosing = true
        channel.close(promise: nil)
    }

    /// Ends the exchange, and the connection with it.
    func abort(_ error: ExchangeError) {
        end(.failure(error))
        close()
    }

    // MARK: - The answer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard pending != nil else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            let length = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
            guard length <= largestAnswer else { return abort(.tooLarge) }
            body = []
            body.reserveCapacity(length)
        case .body(let bytes):
            guard body.count + bytes.readableBytes <= largestAnswer else { return abort(.tooLarge) }
            body.append(contentsOf: bytes.readableBytesView)
        case .end:
            complete()
        }
    }

    private func complete() {
        guard let head else { return }
        let answer = Response(status: head.status, body: body)
        let canCarryMore = head.isKeepAlive && isWritten
        let pending = detach()
        if canCarryMore { core.isFree(self) } else { close() }
        pending?.end(.success(answer))
    }

    // MARK: - The end

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        if pending != nil { end(.failure(reason(.closedByServer))) }
        core.isGone(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if pending != nil { end(.failure(reason(.broken(error)))) }
        close()
    }

    private func reason(_ error: ExchangeError) -> ExchangeError {
        guard !isWritten, head == nil else { return error }
        return switch error {
        case .broken(let error): .notSent(error)
        default: .notSent(writeError ?? ChannelError.eof)
        }
    }

    private func end(_ outcome: PendingRequest.Outcome) {
        detach()?.end(outcome)
    }

    @discardableResult
    private func detach() -> PendingRequest? {
        defer {
            pending = nil
            head = nil
            body = []
        }
        if let pending { core.ended(pending) }
        return pending
    }
}
