internal import Synchronization

/// Whether this replica may act under one acquisition of the lease. Nothing else answers that; whoever acts asks at that moment.
///
/// The answer comes from the clock and not from a flag that somebody must remember to clear: a process that was stopped
/// for an hour finds it over at its first step. What is over stays over: the next acquisition has an object of its own.
final class LeaseValidity: Sendable {
    /// How the end of the lease treats what is under way. Later ones only hurry.
    enum Ending: Int, Comparable, Sendable {
        /// The lease is renewed until the groups are free: what the plugin is carrying out is waited for.
        case orderly
        /// Nothing is waited for: all of it is cancelled.
        case immediate

        static func < (left: Ending, right: Ending) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var deadline: BootInstant
        var ending: Ending?
        var observers: [@Sendable (Ending) -> Void] = []
    }

    let epoch: Int
    private let clock: any ManagerClock
    private let state: Mutex<State>

    init(epoch: Int, until deadline: BootInstant, clock: any ManagerClock) {
        self.epoch = epoch
        self.clock = clock
        state = Mutex(State(deadline: deadline))
    }

    /// May this replica act now?
    var isValid: Bool {
        let now = clock.now()
        return state.withLock { $0.ending == nil && now < $0.deadline }
    }

    /// How it was ended; nil as long as nobody has ended it, which says nothing of the deadline.
    var ending: Ending? { state.withLock(\.ending) }

    /// It was renewed. One that was ended stays so.
    func extend(until deadline: BootInstant) { state.withLock { $0.deadline = deadline } }

    func end(_ ending: Ending) {
        let observers = state.withLock { state -> [@Sendable (Ending) -> Void] in
            if let earlier = state.ending, earlier >= ending { return [] }
            state.ending = ending
            // Nothing comes after that.
            defer { if ending == .immediate { state.observers = [] } }
            return state.observers
        }
        for observer in observers { observer(ending) }
    }

    /// Calls `observer` at each ending; at once when there was one. It is called by whoever ends the lease.
    func whenEnded(_ observer: @escaping @Sendable (Ending) -> Void) {
        let ending = state.withLock { state in
            if state.ending != .immediate { state.observers.append(observer) }
            return state.ending
        }
        if let ending { observer(ending) }
    }

    /// Returns when nothing is waited for any more, or when the task is cancelled.
    func revoked() async {
        let (endings, continuation) = AsyncStream.makeStream(of: Never.self)
        whenEnded { if $0 == .immediate { continuation.finish() } }
        for await _ in endings {}
    }
}
