internal import GroupSPI
internal import Logging
internal import NIOCore

/// One connection of the stream dialect: requests side by side, replies in the order in which they are ready.
final class StreamHandler: ConnectionHandler, ReplyReceiver {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let connection: Connection
    private let parser: RequestParser
    let executor: RequestExecutor
    let account: RequestAccount
    let replies: ReplyAccount
    private var framer: StreamFramer
    var context: ChannelHandlerContext?
    var readDeadline: ReadDeadline?
    /// The client will send no more, or the server wants no more: close when the last reply is written.
    private var isFinishing = false
    private var isTaking = false
    var needsFlush = false
    var isReadHeld = false
    private var isClosing = false

    init(connection: Connection) {
        self.connection = connection
        self.parser = connection.parser(.stream)
        account = connection.makeAccount()
        replies = ReplyAccount(connection)
        self.executor = RequestExecutor(
            connection: connection,
            wireProtocol: .stream,
            account: account,
            replies: replies
        )
        self.framer = StreamFramer(limits: connection.configuration.limits)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watchReader()
        readDeadline = makeReadDeadline()
    }

    // MARK: - In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isFinishing else { return }
        framer.append(unwrapInboundIn(data))
        takeMessages(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flushIfNeeded(context)
        context.fireChannelReadComplete()
    }

    /// Too much is being answered, or the client does not read what was answered.
    func isSaturated(_ context: ChannelHandlerContext) -> Bool {
        executor.inFlight >= connection.configuration.maximumRequestsInFlight
            || executor.bytesInFlight > connection.configuration.limits.maximumBytes
            || !context.channel.isWritable
    }

    private func takeMessages(_ context: ChannelHandlerContext) {
        // A call that is answered at once ends up here again.
        guard !isTaking else { return }
        isTaking = true
        defer { isTaking = false }
        do {
            while context.channel.isActive, !isSaturated(context), let message = try framer.next() {
                executor.run(try parser.parse(message), size: message.count, for: self)
            }
        } catch let violation as StreamFramer.Violation {
            giveUp(because: violation.message)
        } catch let malformed as RequestParser.Malformed {
            giveUp(because: malformed.message)
        } catch {
            giveUp(because: "\(error)")
        }
        account.arriving = framer.bufferedBytes
        finishIfDone(context)
        beginWaiting(context)
    }

    /// After bytes that are no message, nothing behind them can be trusted to be one. What was asked before is answered.
    private func giveUp(because reason: String) {
        connection.logger.info("closing a connection: malformed request", metadata: ["request.error": "\(reason)"])
        framer = StreamFramer(limits: connection.configuration.limits)
        isFinishing = true
    }

    // MARK: - Out

    var isRead: Bool { context?.channel.isWritable ?? false }

    func callDidFinish(with reply: ByteBuffer, counted: Int) {
        guard let context else { return replies.give(counted) }
        context.write(wrapOutboundOut(reply), promise: replies.promise(for: counted))
        needsFlush = true
        // Replies that are ready while a chunk is being taken apart go out together.
        guard !isTaking else { return }
        flushIfNeeded(context)
        resume(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { resume(context) } else { beginWaiting(context) }
        context.fireChannelWritabilityChanged()
    }

    /// Goes on with messages that have been waiting, and then with reading.
    private func resume(_ context: ChannelHandlerContext) {
        takeMessages(context)
        flushIfNeeded(context)
        resumeReading(context)
    }

    func beginWaiting(_ context: ChannelHandlerContext) {
        if !context.channel.isWritable {
            readDeadline?.wait(for: .reader)
        } else if executor.inFlight > 0 {
            readDeadline?.rest()
        } else {
            readDeadline?.wait(for: framer.isInsideMessage ? .message : .idle)
        }
    }

    // MARK: - End

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed as ChannelEvent:
            finish(context)
        case ServerIsStopping.gracefully as ServerIsStopping:
            finish(context)
        case ServerIsStopping.now as ServerIsStopping:
            executor.cancelAll()
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        isFinishing = true
        takeMessages(context)
    }

    /// Closes when nothing more will come and everything is answered. Messages that wait for others to be answered are
    /// still in the framer then.
    private func finishIfDone(_ context: ChannelHandlerContext) {
        guard isFinishing, !isClosing, executor.inFlight == 0, context.channel.isWritable else { return }
        isClosing = true
        if framer.isInsideMessage {
            connection.logger.info("closing a connection: it ended inside a message")
        }
        closeAfterWriting(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.logger.info("closing a connection: it failed", metadata: ["connection.error": "\(error)"])
        context.close(promise: nil)
    }
}
