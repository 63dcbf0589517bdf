internal import GroupSPI
internal import NIOCore

/// Who gets the replies of a ``CallRunner``, on the connection's event loop.
protocol ReplyReceiver: AnyObject {
    /// - Parameters:
    ///   - reply: the bytes to write.
    ///   - size: how large the request was, as it was given to ``CallRunner/run(_:size:for:)``.
    func callDidFinish(with reply: ByteBuffer, size: Int)
}

/// Runs one connection's calls side by side, and brings every reply back to the connection's event loop.
///
/// A call runs on the event loop itself, between the connections' events: one that need not wait is answered at once, and one that
/// waits for a plugin goes on where its answer arrives. What takes long, or waits for a disk, has a thread of its own.
final class CallRunner {
    private let connection: Connection
    private let executor: EventLoopExecutor
    private let writer: ReplyWriter
    private let account: RequestAccount
    private var tasks: [UInt64: Task<Void, Never>] = [:]
    private var lastNumber: UInt64 = 0
    private(set) var inFlight = 0
    /// Bytes of the requests in flight; they live as long as their calls.
    private(set) var bytesInFlight = 0
    private var isGone = false

    init(connection: Connection, dialect: Dialect, account: RequestAccount) {
        self.account = account
        self.connection = connection
        self.executor = EventLoopExecutor(connection.eventLoop)
        self.writer = ReplyWriter(dialect: dialect)
    }

    /// Answers a request; the receiver is called once, perhaps before this returns.
    ///
    /// Unstructured tasks, because a channel handler cannot await. The runner counts them, and the connection keeps its
    /// place in ``ConnectionRegistry`` until the last has ended.
    ///
    /// - Parameter login: who the caller says has logged in.
    func run(_ request: RPCRequest, size: Int, login: Identifier? = nil, for receiver: some ReplyReceiver) {
        let call: Call
        switch request.call {
        case .failure(let failure):
            receiver.callDidFinish(with: writer.reply(to: request.id, .failure(failure)), size: size)
            return
        case .success(let parsed):
            call = parsed
        }
        inFlight += 1
        bytesInFlight += size
        account.inFlight = bytesInFlight
        lastNumber += 1
        let number = lastNumber
        let finish = NIOLoopBound(
            { [self] (reply: ByteBuffer) in
                tasks[number] = nil
                inFlight -= 1
                bytesInFlight -= size
                account.inFlight = bytesInFlight
                if isGone { releaseIfDone() } else { receiver.callDidFinish(with: reply, size: size) }
            },
            eventLoop: connection.eventLoop
        )
        let (dispatcher, caller, eventLoop, writer) = (
            connection.dispatcher, login.map(connection.caller.claiming) ?? connection.caller, connection.eventLoop,
            writer
        )
        let before = inFlight
        let task = Task.immediate(executorPreference: executor) {
            let outcome: Result<Answer, RPCFailure>
            do throws(RPCFailure) {
                outcome = .success(try await dispatcher.answer(call, from: caller))
            } catch {
                outcome = .failure(error)
            }
            let reply = writer.reply(to: request.id, outcome)
            if eventLoop.inEventLoop {
                finish.value(reply)
            } else {
                eventLoop.execute { finish.value(reply) }
            }
        }
        if inFlight == before { tasks[number] = task }
    }

    /// The connection has closed. What was asked goes on: a commit is not undone by its sender's leaving. Its reply is
    /// dropped.
    func connectionDidClose() {
        isGone = true
        releaseIfDone()
    }

    func cancelAll() {
        for task in tasks.values { task.cancel() }
    }

    private func releaseIfDone() {
        if inFlight == 0 { connection.release() }
    }
}
