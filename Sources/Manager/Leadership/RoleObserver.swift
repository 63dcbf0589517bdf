internal import Store
internal import Synchronization

/// Where the election's shell writes what this replica is, and everybody else reads it.
public final class RoleObserver: Sendable {
    private struct State {
        /// As the election has it.
        var elected = ReplicaStatus(role: .unknown, reason: "has not read the lease yet", lease: nil)
        /// Whether this replica takes writes.
        var takesWrites = false
        /// Since when the lease stands as it was last seen, by this replica's clock.
        var since: BootInstant?
        var hasLooked = false
        var clockJump: ClockJump?
        var slowness: Slowness?
        var longRelease: LongRelease?
        var nextKey = 0
        var readers: [Int: AsyncStream<ReplicaStatus>.Continuation] = [:]

        /// Nobody is told that this replica leads while it would refuse a write.
        var current: ReplicaStatus {
            guard elected.role == .leader, !takesWrites, let lease = elected.lease else { return elected }
            return ReplicaStatus(role: .candidate, reason: RoleObserver.takingUp(lease.epoch), lease: lease)
        }
    }

    private static func takingUp(_ epoch: Int) -> String {
        "holds the lease in epoch \(epoch), and is starting or ending its leadership"
    }

    /// What somebody asks who is refused: it decides what they are to do.
    enum Wish: Sendable {
        case change, question
    }

    private let state = Mutex(State())
    private let clock: any ManagerClock
    /// This process, as the lease names it.
    private let instance: String

    public init(clock: any ManagerClock = BootClock(), instance: String = "") {
        self.clock = clock
        self.instance = instance
    }

    public var current: ReplicaStatus { state.withLock(\.current) }

    /// When this host's wall clock was last set while this replica ran; nil when it never was.
    var clockJump: ClockJump? { state.withLock(\.clockJump) }

    func noteClockJump(_ jump: ClockJump) { state.withLock { $0.clockJump = jump } }

    /// Why this replica cannot lead, or may not for long, although its store answers; nil when it is quick enough.
    var slowness: Slowness? { state.withLock(\.slowness) }

    /// Why another may act before this replica's plugin has let go; nil when there is time enough, as far as is known.
    var longRelease: LongRelease? { state.withLock(\.longRelease) }

    func noteLongRelease(_ release: LongRelease?) { state.withLock { $0.longRelease = release } }

    func noteSlowness(_ slowness: Slowness?) { state.withLock { $0.slowness = slowness } }

    /// The standing of now, and each that differs; nothing before the first look at the store, which may also fail.
    /// A slow reader gets the newest.
    public var standings: AsyncStream<ReplicaStatus> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ReplicaStatus.self,
            bufferingPolicy: .bufferingNewest(1)
        )
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
    func post(_ standing: ReplicaStatus, since: BootInstant? = nil, hasLooked: Bool = true) {
        let now = clock.now()
        state.withLock { state in
            let (before, hadLooked) = (state.current, state.hasLooked)
            let isSameRow =
                standing.lease?.epoch == state.elected.lease?.epoch
                && standing.lease?.sequence == state.elected.lease?.sequence
            state.since = standing.lease == nil ? nil : since ?? (isSameRow ? state.since : nil) ?? now
            state.elected = standing
            if hasLooked { state.hasLooked = true }
            tell(&state, since: before, isNews: state.hasLooked && !hadLooked)
        }
    }

    /// This replica takes writes from now on, until ``ended()``.
    func began() { note(takesWrites: true) }

    func ended() { note(takesWrites: false) }

    private func note(takesWrites: Bool) {
        state.withLock { state in
            let before = state.current
            state.takesWrites = takesWrites
            tell(&state, since: before, isNews: false)
        }
    }

    private func tell(_ state: inout State, since before: ReplicaStatus, isNews: Bool) {
        let current = state.current
        guard isNews || current != before, state.hasLooked else { return }
        for reader in state.readers.values { reader.yield(current) }
    }

    /// Whether a lease is this process's own.
    func isOwn(_ lease: Lease) -> Bool { lease.instance == instance }

    // MARK: - What is known now

    /// Who leads, as far as is known now: a lease that was not seen renewed for as long as it lasts says of nobody that they
    /// lead, whether it was read again or could not be.
    var leader: Lease? {
        let (standing, silence) = known
        guard let lease = standing.lease, lease.namesLeader, silence < .milliseconds(lease.ttl) else { return nil }
        return lease
    }

    /// How long ago a row of the lease that was read just now was renewed, as this replica has seen it: nothing for one that it
    /// has not seen before.
    func age(of lease: Lease) -> Duration {
        let (standing, silence) = known
        guard let seen = standing.lease, (lease.epoch, lease.sequence) <= (seen.epoch, seen.sequence) else {
            return .zero
        }
        return silence
    }

    /// Why this replica is what it is, in one sentence: with the age of what it knows of a leader, when that is old.
    public var reason: String {
        let (standing, silence) = known
        guard let old = old(standing, silence) else { return standing.reason }
        return standing.reason == standing.lease.map(ReplicaStatus.naming) ? old : "\(standing.reason); \(old)"
    }

    /// What is known of a leader that may be gone by now.
    private func old(_ standing: ReplicaStatus, _ silence: Duration) -> String? {
        guard !isElected, let lease = standing.lease, lease.namesLeader,
            silence >= .milliseconds(lease.ttl)
        else { return nil }
        let age = Duration.seconds(silence.components.seconds).goText
        return "\(lease.holder) led in epoch \(lease.epoch), and its lease was last seen renewed \(age) ago"
    }

    /// The sentence with which something is refused that only the leader can do. It names the leader.
    ///
    /// What this replica has seen of the lease may be over, or nothing yet: it may have stood still, or have led itself until
    /// now. So that nobody leads is said only of a row that was read for this answer.
    ///
    /// - Parameter look: reads the lease.
    func refusal(of wish: Wish, looking look: () async throws(StoreError) -> Lease) async -> String {
        if current.role != .leader, let leader, !isOwn(leader) { return Self.naming(leader, wish) }
        do throws(StoreError) {
            return refusal(of: wish, holder: try await look())
        } catch {
            let (standing, silence) = known
            let old = old(standing, silence).map { "; \($0)" } ?? ""
            return
                "this replica is not the leader, and the leader is not known: it cannot read the lease: "
                + "\(error.message)\(old)"
        }
    }

    /// - Parameter lease: as it is now.
    private func refusal(of wish: Wish, holder lease: Lease) -> String {
        let (standing, silence) = known
        guard lease.namesLeader else {
            let why = isElected ? "its own term has just ended" : reason
            return "this replica is not the leader, and nobody leads: \(why)"
        }
        guard !isOwn(lease) else {
            guard isElected else {
                return "this replica is not the leader, and nobody else leads: \(reason)"
            }
            return "this replica is starting or ending its leadership; try again"
        }
        let isSameRow = standing.lease?.epoch == lease.epoch && standing.lease?.sequence == lease.sequence
        if isSameRow, silence >= .milliseconds(lease.ttl) {
            return "this replica is not the leader, and no leader is known: \(reason)"
        }
        return Self.naming(lease, wish)
    }

    /// Whether the election has this replica lead, be it that it takes no writes yet, or no more.
    private var isElected: Bool { state.withLock(\.elected.role) == .leader }

    private static func naming(_ leader: Lease, _ wish: Wish) -> String {
        let advice = wish == .change ? "send the change to it" : "ask it"
        return "this replica is not the leader: \(leader.holder) leads (epoch \(leader.epoch)); \(advice)"
    }

    private var known: (standing: ReplicaStatus, silence: Duration) {
        let now = clock.now()
        return state.withLock { ($0.current, $0.since.map { now - $0 } ?? .zero) }
    }
}
