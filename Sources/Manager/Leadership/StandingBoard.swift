internal import Store
internal import Synchronization

/// Where the election's shell writes what this replica is, and everybody else reads it.
public final class StandingBoard: Sendable {
    private struct State {
        var current = Standing(role: .unknown, reason: "has not read the lease yet", lease: nil)
        var hasLooked = false
        var clockJump: ClockJump?
        var slowness: Slowness?
        var nextKey = 0
        var readers: [Int: AsyncStream<Standing>.Continuation] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    public var current: Standing { state.withLock(\.current) }

    /// When this host's wall clock was last set while this replica ran; nil when it never was.
    var clockJump: ClockJump? { state.withLock(\.clockJump) }

    func noteClockJump(_ jump: ClockJump) { state.withLock { $0.clockJump = jump } }

    /// Why this replica cannot lead, or may not for long, although its store answers; nil when it is quick enough.
    var slowness: Slowness? { state.withLock(\.slowness) }

    func noteSlowness(_ slowness: Slowness?) { state.withLock { $0.slowness = slowness } }

    /// The standing of now, and each that differs; nothing before the first look at the store, which may also fail.
    /// A slow reader gets the newest.
    public var standings: AsyncStream<Standing> {
        let (stream, continuation) = AsyncStream.makeStream(of: Standing.self, bufferingPolicy: .bufferingNewest(1))
        let key = state.withLock { state in
            state.nextKey += 1
            state.readers[state.nextKey] = continuation
            if state.hasLooked { continuation.yield(state.current) }
            return state.nextKey
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.readers[key] = nil } }
        return stream
    }

    /// - Parameter hasLooked: whether the store has been looked at; once true, it stays so.
    func post(_ standing: Standing, hasLooked: Bool = true) {
        state.withLock { state in
            let isNews = state.current != standing || hasLooked && !state.hasLooked
            state.current = standing
            if hasLooked { state.hasLooked = true }
            guard isNews, state.hasLooked else { return }
            for reader in state.readers.values { reader.yield(standing) }
        }
    }

    /// The sentence with which a write is refused. It names the leader.
    public var refusal: String {
        let standing = current
        if standing.role == .leader {
            return "this replica is just taking leadership up, or giving it up; try again"
        }
        if let lease = standing.lease, lease.isHeld {
            return "this replica is not the leader: \(lease.holder) leads (epoch \(lease.epoch)); send the change to it"
        }
        return "this replica is not the leader, and no leader is known: \(standing.reason)"
    }
}
