internal import Store
internal import Synchronization

/// Where the election's shell writes what this replica is, and everybody else reads it.
public final class StandingBoard: Sendable {
    private struct State {
        var current = Standing(role: .unknown, reason: "has not read the lease yet", lease: nil)
        /// Since when the lease stands as it was last seen, by this replica's clock.
        var since: BootInstant?
        var hasLooked = false
        var nextKey = 0
        var readers: [Int: AsyncStream<Standing>.Continuation] = [:]
    }

    /// What somebody asks who is refused: it decides what they are to do.
    public enum Wish: Sendable {
        case change, question
    }

    private let state = Mutex(State())
    private let clock: any ManagerClock

    public init(clock: any ManagerClock = BootClock()) {
        self.clock = clock
    }

    public var current: Standing { state.withLock(\.current) }

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

    /// - Parameters:
    ///   - since: since when the lease stands as it was last seen; nil for now.
    ///   - hasLooked: whether the store has been looked at; once true, it stays so.
    func post(_ standing: Standing, since: BootInstant? = nil, hasLooked: Bool = true) {
        let now = clock.now()
        state.withLock { state in
            let isNews = state.current != standing || hasLooked && !state.hasLooked
            let isSameRow =
                standing.lease?.epoch == state.current.lease?.epoch
                && standing.lease?.sequence == state.current.lease?.sequence
            state.since = standing.lease == nil ? nil : since ?? (isSameRow ? state.since : nil) ?? now
            state.current = standing
            if hasLooked { state.hasLooked = true }
            guard isNews, state.hasLooked else { return }
            for reader in state.readers.values { reader.yield(standing) }
        }
    }

    // MARK: - What is known now

    /// Who leads, as far as is known now: a lease that was not seen renewed for as long as it lasts says of nobody that they
    /// lead, whether it was read again or could not be.
    var leader: Lease? {
        let (standing, silence) = known
        guard let lease = standing.lease, lease.isHeld, silence < .milliseconds(lease.ttl) else { return nil }
        return lease
    }

    /// Why this replica is what it is, in one sentence: with the age of what it knows of a leader, when that is old.
    public var reason: String {
        let (standing, silence) = known
        guard standing.role != .leader, let lease = standing.lease, lease.isHeld,
            silence >= .milliseconds(lease.ttl)
        else { return standing.reason }
        let age = Duration.seconds(silence.components.seconds).goText
        let old = "\(lease.holder) led in epoch \(lease.epoch), and its lease was last seen to be renewed \(age) ago"
        return standing.reason == Standing.naming(lease) ? old : "\(standing.reason); \(old)"
    }

    /// The sentence with which a write is refused. It names the leader.
    public var refusal: String { refusal(of: .change) }

    /// The sentence with which something is refused that only the leader can do. It names the leader, if one is known now.
    public func refusal(of wish: Wish) -> String {
        if current.role == .leader {
            return "this replica is just taking leadership up, or giving it up; try again"
        }
        if let leader {
            let advice = wish == .change ? "send the change to it" : "ask it"
            return "this replica is not the leader: \(leader.holder) leads (epoch \(leader.epoch)); \(advice)"
        }
        return "this replica is not the leader, and no leader is known: \(reason)"
    }

    private var known: (standing: Standing, silence: Duration) {
        let now = clock.now()
        return state.withLock { ($0.current, $0.since.map { now - $0 } ?? .zero) }
    }
}
