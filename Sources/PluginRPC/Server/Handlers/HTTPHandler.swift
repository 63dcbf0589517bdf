internal import GroupSPI
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// One HTTP connection: requests one after another, as Go's server takes them, so replies need no sorting.
///
/// It stands behind NIO's decoder and writes the responses' bytes itself, each in one buffer.
final class HTTPHandler: ConnectionHandler, ReplyReceiver {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let connection: Connection
    private let parser: RequestParser
    let executor: RequestExecutor
    let account: RequestAccount
    let replies: ReplyAccount
    var context: ChannelHandlerContext?
    var readDeadline: ReadDeadline?
    private var date = HTTPDate()
    /// The request whose body is arriving.
    private var incoming: HTTPRequest?
    /// Complete requests that wait for their turn.
    private var waiting = CircularBuffer<HTTPRequest>(initialCapacity: 2)
    private var waitingBytes = 0
    /// The request whose call is running.
    private var current: HTTPRequest?
    /// The last bytes to arrive did not complete a request: a head is on its way, perhaps only in the decoder.
    private var hasLooseBytes = false
    private var hasCompletedRequest = false
    private var isTaking = false
    var needsFlush = false
    var isReadHeld = false
    /// The client will send no more, or the server wants no more: close when the last response is written.
    private var isFinishing = false
    /// The last response has been written.
    private var isClosing = false

    init(connection: Connection) {
        self.connection = connection
        self.parser = connection.parser(.http)
        account = connection.makeAccount()
        replies = ReplyAccount(connection)
        self.executor = RequestExecutor(connection: connection, wireProtocol: .http, account: account, replies: replies)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watchReader()
        let readDeadline = makeReadDeadline()
        readDeadline.wait(for: .message)
        self.readDeadline = readDeadline
    }

    // MARK: - In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing, !isFinishing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            let request = HTTPRequest(head, maximumBytes: connection.configuration.limits.maximumBytes)
            if request.isClosing {
                enqueueLast(request, context)
            } else {
                incoming = request
                sendContinueIfOwed(context)
            }
        case .body(let bytes):
            guard var request = incoming else { return }
            incoming = nil
            request.append(bytes)
            if request.bodyBytes > connection.configuration.limits.maximumBytes {
                let plan = HTTPRequest.tooLarge(connection.configuration.limits.maximumBytes)
                enqueueLast(HTTPRequest(request.head, plan: plan), context)
            } else {
                incoming = request
            }
        case .end:
            guard let request = incoming else { return }
            incoming = nil
            hasCompletedRequest = true
            enqueue(request)
            takeRequests(context)
        }
    }

    private func enqueue(_ request: HTTPRequest) {
        waiting.append(request)
        waitingBytes += request.bodyBytes
    }

    /// Nothing after this request is read.
    private func enqueueLast(_ request: HTTPRequest, _ context: ChannelHandlerContext) {
        enqueue(request)
        isFinishing = true
        takeRequests(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        noteArriving()
        flushIfNeeded(context)
        hasLooseBytes = !hasCompletedRequest
        hasCompletedRequest = false
        beginWaiting(context)
        context.fireChannelReadComplete()
    }

    private func noteArriving() { account.arriving = (incoming?.bodyBytes ?? 0) + waitingBytes }

    /// Enough requests wait for their turn, or the client does not read its responses.
    func isSaturated(_ context: ChannelHandlerContext) -> Bool {
        !context.channel.isWritable || waiting.count >= connection.configuration.maximumRequestsInFlight
            || waitingBytes > 1024 * 1024
    }

    // MARK: - Turns

    private func takeRequests(_ context: ChannelHandlerContext) {
        // A call that is answered at once ends up here again.
        guard !isTaking else { return }
        isTaking = true
        defer { isTaking = false }
        while current == nil, !isClosing, context.channel.isWritable, let request = waiting.popFirst() {
            waitingBytes -= request.bodyBytes
            take(request, context)
        }
        finishIfDone(context)
    }

    private func take(_ request: HTTPRequest, _ context: ChannelHandlerContext) {
        switch request.plan {
        case .call:
            var body = request.body ?? ByteBuffer()
            do {
                let parsed = try parser.parse(body.readBytes(length: body.readableBytes) ?? [])
                current = request
                current?.body = nil
                executor.run(parsed, size: request.bodyBytes, login: request.login, for: self)
            } catch {
                connection.logger.info("malformed request", metadata: ["request.error": "\(error.message)"])
                respond(to: request, status: "200 OK", body: ReplyWriter.emptyBody(), context)
            }
        case .description:
            var body = ReplyWriter.emptyBody(capacity: 4096)
            body.writeBytes(APIDescription(isManager: connection.dispatcher.plugin.manager != nil).bytes)
            respond(to: request, status: "200 OK", body: body, context)
        case .refuse(let status, let text), .refuseAndClose(let status, let text):
            var body = ReplyWriter.emptyBody(capacity: text.utf8.count)
            body.writeString(text)
            respond(to: request, status: status, body: body, context)
        }
    }

    var isRead: Bool { context?.channel.isWritable ?? false }

    func callDidFinish(with reply: ByteBuffer, counted: Int) {
        guard let context, let request = current else { return replies.give(counted) }
        current = nil
        respond(to: request, status: "200 OK", body: reply, counted: counted, context)
        // Responses that are ready while a chunk is being taken apart go out together.
        guard !isTaking else { return }
        takeRequests(context)
        noteArriving()
        sendContinueIfOwed(context)
        flushIfNeeded(context)
        beginWaiting(context)
        resumeReading(context)
    }

    private func respond(
        to request: HTTPRequest,
        status: String,
        body: ByteBuffer,
        counted: Int = 0,
        _ context: ChannelHandlerContext
    ) {
        var bytes = body
        let head = HTTPResponseHead(
            status: status,
            isOldVersion: request.head.version == .http1_0,
            connection: request.connection,
            sendsBody: request.head.method != .HEAD
        )
        head.prepend(to: &bytes, date: date.now())
        context.write(wrapOutboundOut(bytes), promise: replies.promise(for: counted))
        needsFlush = true
        if head.connection == .close {
            waiting.removeAll()
            waitingBytes = 0
            incoming = nil
            isFinishing = true
        }
    }

    /// Gives leave to send a body, once every earlier request has been answered.
    private func sendContinueIfOwed(_ context: ChannelHandlerContext) {
        guard incoming?.owesContinue == true, current == nil, waiting.isEmpty else { return }
        incoming?.owesContinue = false
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }

    // MARK: - Out

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            takeRequests(context)
            flushIfNeeded(context)
            resumeReading(context)
        }
        beginWaiting(context)
        context.fireChannelWritabilityChanged()
    }

    func beginWaiting(_ context: ChannelHandlerContext) {
        if !context.channel.isWritable {
            readDeadline?.wait(for: .reader)
        } else if current != nil {
            readDeadline?.rest()
        } else {
            readDeadline?.wait(for: incoming == nil && !hasLooseBytes ? .idle : .message)
        }
    }

    // MARK: - End

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed as ChannelEvent, ServerIsStopping.gracefully as ServerIsStopping:
            isFinishing = true
            takeRequests(context)
        case ServerIsStopping.now as ServerIsStopping:
            executor.cancelAll()
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func finishIfDone(_ context: ChannelHandlerContext) {
        guard isFinishing, !isClosing, current == nil, waiting.isEmpty else { return }
        isClosing = true
        closeAfterWriting(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.logger.info("closing a connection: it failed", metadata: ["connection.error": "\(error)"])
        guard error is HTTPParserError, !isClosing, !isFinishing else {
            if !isClosing, current == nil { context.close(promise: nil) }
            return
        }
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")
        incoming = nil
        let plan =
            switch error as? HTTPParserError {
            case .headerOverflow?:
                HTTPRequest.Plan.refuseAndClose(
                    status: "431 Request Header Fields Too Large",
                    text: "a request header of more than 64 KiB, or of too many fields\n"
                )
            case let error?:
                HTTPRequest.Plan.refuseAndClose(status: "400 Bad Request", text: "not HTTP: \(error)\n")
            case nil: HTTPRequest.Plan.refuseAndClose(status: "400 Bad Request", text: "400 Bad Request")
            }
        enqueueLast(HTTPRequest(head, plan: plan), context)
    }
}

extension HTTPRequest {
    /// A request whose end is decided.
    init(_ head: HTTPRequestHead, plan: Plan) {
        self.head = head
        self.plan = plan
        self.owesContinue = false
    }
}
