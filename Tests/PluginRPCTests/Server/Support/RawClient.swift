import NIOCore
import NIOPosix
import Synchronization

/// A socket and nothing else: sends bytes, and waits for bytes or for the end.
final class RawClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    /// - Parameter reads: false for a client that never reads what it gets.
    static func connect(to path: String, reads: Bool = true) async throws -> RawClient {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(inbox: inbox))
                }
            }
            .connect(unixDomainSocketPath: path)
            .get()
        return RawClient(channel: channel, inbox: inbox)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Sends, and returns when the kernel has taken everything, or the server has hung up.
    func sendAll(_ bytes: [UInt8]) async {
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Says that nothing more will be sent.
    func closeOutput() { channel.close(mode: .output, promise: nil) }

    func close() { channel.close(promise: nil) }

    /// Everything received so far.
    var received: String { inbox.text }

    /// The server has closed.
    var isOver: Bool { inbox.isOver }

    /// Waits until enough has been received. The timeout is only there to make a broken test fail.
    func text(
        orFailAfter timeout: Duration = .seconds(20),
        until isEnough: @escaping @Sendable (String) -> Bool
    ) async throws -> String {
        try await inbox.wait(timeout, "bytes") { text, _ in isEnough(text) }
    }

    /// Waits until the server has closed, and returns everything received.
    @discardableResult
    func textUntilEnd(orFailAfter timeout: Duration = .seconds(20)) async throws -> String {
        try await inbox.wait(timeout, "the end") { _, isOver in isOver }
    }

    /// Waits until enough has been received or the server has closed.
    func textOrEnd(until isEnough: @escaping @Sendable (String) -> Bool) async throws -> String {
        try await inbox.wait(.seconds(20), "bytes or end") { text, isOver in isOver || isEnough(text) }
    }

    /// Waits for so many lines, and returns them in the order in which they came.
    func lines(_ count: Int) async throws -> [String] {
        let text = try await text { $0.utf8.count(where: { $0 == UInt8(ascii: "\n") }) >= count }
        return text.split(separator: "\n").map(String.init)
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let inbox: Inbox

        init(inbox: Inbox) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            inbox.append(Array(unwrapInboundIn(data).readableBytesView))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed as ChannelEvent = event { inbox.end() }
        }

        func channelInactive(context: ChannelHandlerContext) { inbox.end() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// What a client has received, and who waits for more of it.
private final class Inbox: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isOver = false
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0

        var text: String { String(decoding: bytes, as: UTF8.self) }

        mutating func takeReady() -> [(Waiter, String)] {
            let text = text
            var ready: [(Waiter, String)] = []
            for (key, waiter) in waiters where waiter.condition(text, isOver) {
                ready.append((waiter, text))
                waiters[key] = nil
            }
            return ready
        }
    }

    private struct Waiter {
        let condition: @Sendable (String, Bool) -> Bool
        let continuation: CheckedContinuation<String, any Error>
    }

    private let state = Mutex(State())

    var text: String { state.withLock { $0.text } }
    var isOver: Bool { state.withLock { $0.isOver } }

    func append(_ bytes: [UInt8]) { change { $0.bytes += bytes } }
    func end() { change { $0.isOver = true } }

    private func change(_ body: (inout State) -> Void) {
        let ready = state.withLock { state in
            body(&state)
            return state.takeReady()
        }
        for (waiter, text) in ready { waiter.continuation.resume(returning: text) }
    }

    func wait(
        _ timeout: Duration,
        _ what: String,
        _ condition: @escaping @Sendable (String, Bool) -> Bool
    ) async throws -> String {
        let key = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let alarm = Task {
            try await Task.sleep(for: timeout, clock: .suspending)
            let waiter = state.withLock { $0.waiters.removeValue(forKey: key) }
            waiter?.continuation.resume(throwing: TestTrouble("no \(what) within \(timeout), only: \(text)"))
        }
        defer { alarm.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            state.withLock { $0.waiters[key] = Waiter(condition: condition, continuation: continuation) }
            change { _ in }
        }
    }
}
