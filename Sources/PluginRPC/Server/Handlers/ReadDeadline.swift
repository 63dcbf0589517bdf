internal import NIOCore

/// One deadline of one connection, moved often and met seldom.
///
/// Moving it costs a clock reading, not a timer: the timer that is already set looks at the deadline when it fires and
/// sleeps again if it has moved away.
final class ReadDeadline {
    /// What is being waited for.
    enum Reason: Hashable, Sendable {
        /// The next request.
        case idle
        /// The rest of a message.
        case message
        /// The client to read its replies.
        case reader
    }

    private let eventLoop: NIOIsolatedEventLoop
    private let configuration: PluginServerConfiguration
    private let expire: (Reason) -> Void
    private let activity: ConnectionActivity
    private var reason: Reason?
    private var deadline = NIODeadline.distantFuture
    private var timer: (firesAt: NIODeadline, task: Scheduled<Void>)?

    /// - Parameter expire: called on the event loop when a deadline has passed.
    init(connection: Connection, expire: @escaping (Reason) -> Void) {
        self.eventLoop = connection.eventLoop.assumeIsolated()
        self.configuration = connection.configuration
        self.activity = connection.activity
        self.expire = expire
    }

    /// Starts to wait. Waiting on for the same message or reader does not move the deadline: a slow sender cannot buy
    /// time with single bytes.
    func wait(for reason: Reason) {
        if self.reason == reason, reason != .idle { return }
        self.reason = reason
        let now = NIODeadline.now()
        if reason == .idle { activity.isIdle(since: now) } else { activity.isBusy() }
        let timeout: Duration =
            switch reason {
            case .idle: configuration.idleTimeout
            case .message: configuration.requestTimeout
            case .reader: configuration.replyTimeout
            }
        deadline = now + TimeAmount(timeout)
        if let timer, timer.firesAt <= deadline { return }
        timer?.task.cancel()
        arm(at: deadline)
    }

    /// Nothing is waited for.
    func rest() {
        reason = nil
        activity.isBusy()
        deadline = .distantFuture
    }

    /// The connection is over.
    func stop() {
        rest()
        timer?.task.cancel()
        timer = nil
    }

    private func arm(at time: NIODeadline) {
        let task = eventLoop.scheduleTask(deadline: time) { self.fire() }
        timer = (time, task)
    }

    private func fire() {
        timer = nil
        guard let reason else { return }
        if deadline <= .now() {
            rest()
            expire(reason)
        } else {
            arm(at: deadline)
        }
    }
}
