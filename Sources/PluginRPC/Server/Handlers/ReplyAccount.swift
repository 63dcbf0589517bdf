internal import Glibc
internal import GroupSPI
internal import NIOCore

/// What one connection holds of ``ReplyMemory``. Lives on its event loop.
final class ReplyAccount {
    private let memory: ReplyMemory
    private let number: UInt64
    private let eventLoop: NIOIsolatedEventLoop
    private let readDeadline: TimeAmount
    private var held = 0
    private var isGone = false
    private var waiting = 0
    private var lookTimer: Scheduled<Void>?
    /// What was unread at the last look, when that was, and since when nothing of it was taken.
    private var unread: (bytes: Int, at: NIODeadline, since: NIODeadline)?
    /// Bytes that the client has not read, as the channel has them; asked when others wait.
    var countUnread: (() -> Int?)?
    /// The client reads nothing, and others wait.
    var isStalled: (() -> Void)?

    init(_ connection: Connection) {
        memory = connection.replies
        number = memory.makeNumber()
        eventLoop = connection.eventLoop.assumeIsolated()
        readDeadline = TimeAmount(connection.configuration.stalledReplyTimeout)
        let look = NIOLoopBound({ [weak self] in self?.look() }, eventLoop: connection.eventLoop)
        memory.add(number, uid: connection.caller.uid.map { uid_t($0) }) { [eventLoop = connection.eventLoop] in
            eventLoop.execute { look.value() }
        }
    }

    /// Makes a call when its reply is likely to have room: now, or later.
    ///
    /// - Parameter body: is told what to give to ``end(_:expected:size:)``.
    func begin(_ kind: ReplyMemory.Kind, _ body: @escaping (Int) -> Void) {
        let goOn = whenWoken(body)
        if let expected = memory.begin(kind, of: number, goOn: goOn) { body(expected) } else { beginWaiting() }
    }

    func end(_ kind: ReplyMemory.Kind, expected: Int, size: Int?) { memory.end(kind, expected: expected, size: size) }

    /// Encodes and writes a reply when there is room for it: now, or later.
    ///
    /// - Parameters:
    ///   - isRead: the client takes what it gets.
    ///   - body: is told what counts of it, to be given to ``promise(for:)``.
    func take(_ size: Int, isRead: Bool, _ body: @escaping (Int) -> Void) {
        guard size > ReplyMemory.small || !isRead else { return body(0) }
        let goOn = whenWoken { [self] size in
            held += size
            body(size)
        }
        if memory.take(size, of: number, goOn: goOn) {
            held += size
            body(size)
        } else {
            beginWaiting()
        }
    }

    /// A reply has turned out longer than was counted.
    func add(_ size: Int) {
        held += size
        memory.add(size, to: number)
    }

    /// For the writing of a reply of which so many bytes are counted.
    func promise(for counted: Int) -> EventLoopPromise<Void>? {
        guard counted > 0 else { return nil }
        let promise = eventLoop.nonisolated().makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] _ in give(counted) }
        return promise
    }

    func give(_ counted: Int) {
        held -= counted
        unread = nil
        memory.give(counted, of: number, isGone: isGone)
    }

    /// The connection is gone. What waited for room is forgotten.
    func leave() {
        isGone = true
        waiting = 0
        lookTimer?.cancel()
        lookTimer = nil
        countUnread = nil
        isStalled = nil
        memory.leave(number)
    }

    // MARK: - Waiting

    private func whenWoken(_ body: @escaping (Int) -> Void) -> @Sendable (Int) -> Void {
        let eventLoop = eventLoop.nonisolated()
        let goOn = NIOLoopBound({ [self] (size: Int) in wake(size, body) }, eventLoop: eventLoop)
        return { size in eventLoop.execute { goOn.value(size) } }
    }

    private func wake(_ size: Int, _ body: (Int) -> Void) {
        // Also when the connection has gone meanwhile: what was set aside has to be given back.
        if !isGone { waiting -= 1 }
        body(size)
    }

    private func beginWaiting() {
        waiting += 1
        guard lookTimer == nil else { return }
        press()
    }

    /// Whether those read that have something is looked at for as long as somebody waits, and not else.
    private func press() {
        lookTimer = nil
        guard waiting > 0 else { return }
        memory.press()
        let pause = TimeAmount.nanoseconds(max(readDeadline.nanoseconds / 4, 10_000_000))
        lookTimer = eventLoop.scheduleTask(in: pause) { [weak self] in self?.press() }
    }

    private func look() {
        guard !isGone, held > 0, let bytes = countUnread?() else { return }
        let now = NIODeadline.now()
        // Between two times at which somebody waits nobody looks: then this is the first look again.
        guard let last = unread, bytes >= last.bytes, now - last.at < readDeadline else {
            unread = (bytes, now, now)
            return
        }
        unread = (last.bytes, now, last.since)
        if now - last.since >= readDeadline { isStalled?() }
    }
}
