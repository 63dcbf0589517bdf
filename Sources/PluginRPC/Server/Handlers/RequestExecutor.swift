internal import GroupSPI
internal import NIOCore

/// Who gets the replies of a ``RequestExecutor``, on the connection's event loop.
protocol ReplyReceiver: AnyObject {
    /// - Parameters:
    ///   - reply: the bytes to write.
    ///   - counted: how much of it is counted in ``ReplyMemory``, and given back when the client has taken it.
    func callDidFinish(with reply: ByteBuffer, counted: Int)
    /// The client takes what it gets.
    var isRead: Bool { get }
}

/// Runs one connection's calls side by side, and brings every reply back to the connection's event loop.
///
/// A call runs on the event loop itself, between the connections' events: one that need not wait is answered at once, and one that
/// waits for a plugin goes on where its answer arrives. What takes long, or waits for a disk, has a thread of its own.
final class RequestExecutor {
    private let connection: Connection
    private let executor: EventLoopExecutor
    private let writer: ReplyWriter
    private let account: RequestAccount
    private let replies: ReplyAccount
    /// Calls that are not made, and replies that are not encoded, for want of room: how large their requests were.
    private var waiting: [UInt64: Int] = [:]
    private var tasks: [UInt64: Task<Void, Never>] = [:]
    private var lastNumber: UInt64 = 0
    private(set) var inFlight = 0
    /// Bytes of the requests in flight; they live as long as their calls.
    private(set) var bytesInFlight = 0
    private var isGone = false

    init(connection: Connection, wireProtocol: WireProtocol, account: RequestAccount, replies: ReplyAccount) {
        self.account = account
        self.replies = replies
        self.connection = connection
        self.executor = EventLoopExecutor(connection.eventLoop)
        self.writer = ReplyWriter(wireProtocol: wireProtocol)
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
            receiver.callDidFinish(with: writer.reply(to: request.id, .failure(failure)), counted: 0)
            return
        case .success(let parsed):
            call = parsed
        }
        inFlight += 1
        bytesInFlight += size
        account.inFlight = bytesInFlight
        lastNumber += 1
        let number = lastNumber
        guard let kind = call.replyKind else {
            start(call, number, login) { [self] outcome in reply(outcome, to: request.id, size: size, for: receiver) }
            return
        }
        waiting[number] = size
        replies.begin(kind) { [self] expected in
            guard waiting.removeValue(forKey: number) != nil else {
                return replies.end(kind, expected: expected, size: nil)
            }
            start(call, number, login) { [self] outcome in
                replies.end(kind, expected: expected, size: (try? outcome.get()).map { _ in writer.size(outcome) })
                reply(outcome, to: request.id, size: size, for: receiver)
            }
        }
    }

    /// - Parameter finish: called on the event loop, perhaps before this returns.
    private func start(
        _ call: Call,
        _ number: UInt64,
        _ login: Identifier?,
        _ finish: @escaping (Result<Response, RPCFailure>) -> Void
    ) {
        var isDone = false
        let finish = NIOLoopBound(
            { [self] (outcome: Result<Response, RPCFailure>) in
                isDone = true
                tasks[number] = nil
                finish(outcome)
            },
            eventLoop: connection.eventLoop
        )
        let (dispatcher, caller, eventLoop) = (
            connection.dispatcher, login.map(connection.caller.claiming) ?? connection.caller, connection.eventLoop
        )
        let task = Task.immediate(executorPreference: executor) {
            var outcome: Result<Response, RPCFailure>
            do throws(RPCFailure) {
                outcome = .success(try await dispatcher.answer(call, from: caller))
            } catch {
                outcome = .failure(error)
            }
            // How long it is, is known only when it is text.
            if case .success(.json(let json)) = outcome { outcome = .success(.json(.raw(json.raw))) }
            let answer = outcome
            if eventLoop.inEventLoop {
                finish.value(answer)
            } else {
                eventLoop.execute { finish.value(answer) }
            }
        }
        if !isDone { tasks[number] = task }
    }

    /// Encodes the reply as soon as there is room for it, and hands it over.
    private func reply(
        _ outcome: Result<Response, RPCFailure>,
        to id: RawJSON?,
        size: Int,
        for receiver: some ReplyReceiver
    ) {
        guard !isGone else { return end(size) }
        lastNumber += 1
        let number = lastNumber
        waiting[number] = size
        replies.take(writer.size(outcome), isRead: receiver.isRead) { [self] counted in
            guard waiting.removeValue(forKey: number) != nil else { return replies.give(counted) }
            let reply = writer.reply(to: id, outcome)
            let more = counted == 0 ? 0 : max(0, reply.readableBytes - counted)
            if more > 0 { replies.add(more) }
            inFlight -= 1
            bytesInFlight -= size
            account.inFlight = bytesInFlight
            receiver.callDidFinish(with: reply, counted: counted + more)
        }
    }

    private func end(_ size: Int) {
        inFlight -= 1
        bytesInFlight -= size
        account.inFlight = bytesInFlight
        releaseIfDone()
    }

    /// The connection has closed. What was asked goes on: a commit is not undone by its sender's leaving. Its reply is
    /// dropped.
    func connectionDidClose() {
        isGone = true
        // What waits for room has nobody left to go to.
        let left = waiting.values
        waiting = [:]
        for size in left { end(size) }
        releaseIfDone()
    }

    func cancelAll() {
        for task in tasks.values { task.cancel() }
    }

    private func releaseIfDone() {
        if inFlight == 0 { connection.release() }
    }
}
