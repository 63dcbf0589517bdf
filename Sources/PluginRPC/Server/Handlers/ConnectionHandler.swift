internal import Logging
internal import NIOCore

/// What the handlers of both wire protocols do alike: when a connection is read from, how long it is waited for, and its end.
protocol ConnectionHandler: ChannelDuplexHandler where OutboundOut == ByteBuffer {
    var connection: Connection { get }
    var executor: RequestExecutor { get }
    var account: RequestAccount { get }
    var replies: ReplyAccount { get }
    /// Nil before the handler is added, and after the connection has closed.
    var context: ChannelHandlerContext? { get set }
    var readDeadline: ReadDeadline? { get set }
    /// NIO has asked to read, and had to be refused.
    var isReadHeld: Bool { get set }
    /// Something was written that has not been flushed.
    var needsFlush: Bool { get set }

    /// Too much of what was read waits, or the client does not read its replies.
    func isSaturated(_ context: ChannelHandlerContext) -> Bool
    /// Sets the deadline by what is waited for now.
    func beginWaiting(_ context: ChannelHandlerContext)
}

extension ConnectionHandler {
    func makeReadDeadline() -> ReadDeadline {
        ReadDeadline(connection: connection) { [weak self] reason in self?.lostPatience(reason) }
    }

    /// For when others wait for the memory of what this client does not read.
    func watchReader() {
        replies.countUnread = { [weak self] in
            try? self?.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
        }
        replies.isStalled = { [weak self] in
            guard let self, let context else { return }
            connection.logStalledReader()
            context.close(promise: nil)
        }
    }

    private func lostPatience(_ reason: ReadDeadline.Reason) {
        guard let context else { return }
        connection.logLostPatience(reason)
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        readDeadline?.stop()
        readDeadline = nil
        self.context = nil
        replies.leave()
    }

    // MARK: - Reading

    func read(context: ChannelHandlerContext) {
        if mayRead(context) { context.read() } else { isReadHeld = true }
    }

    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        guard !isSaturated(context) else { return false }
        if account.isSmall { return true }
        let resume = NIOLoopBound({ [weak self] in self?.memoryIsFree() }, eventLoop: context.eventLoop)
        let mayRead = account.mayRead { [eventLoop = context.eventLoop] in eventLoop.execute { resume.value() } }
        // What it was to send in time is not waited for meanwhile: it cannot.
        if !mayRead { readDeadline?.rest() }
        return mayRead
    }

    private func memoryIsFree() {
        guard let context, isReadHeld, mayRead(context) else { return }
        isReadHeld = false
        beginWaiting(context)
        context.read()
    }

    /// Reads if that had to be refused, and need not be any more.
    func resumeReading(_ context: ChannelHandlerContext) {
        guard isReadHeld, mayRead(context) else { return }
        isReadHeld = false
        context.read()
    }

    // MARK: - Writing

    func flushIfNeeded(_ context: ChannelHandlerContext) {
        guard needsFlush else { return }
        needsFlush = false
        context.flush()
    }

    // MARK: - End

    /// Closes the connection behind what has been written.
    func closeAfterWriting(_ context: ChannelHandlerContext) {
        needsFlush = false
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { [channel = context.channel] _ in
            channel.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        readDeadline?.stop()
        self.context = nil
        account.arriving = 0
        replies.leave()
        executor.connectionDidClose()
        context.fireChannelInactive()
    }
}
