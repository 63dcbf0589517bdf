internal import Synchronization

/// Tells, at the moment of acting, whether this replica may act.
///
/// The answer comes from the clock and not from a flag that somebody must remember to clear: a process that was stopped
/// for an hour finds the gate shut at its first step.
public final class LeadershipGate: Sendable {
    private struct Term {
        var epoch: Int
        var deadline: BootInstant
    }

    private let clock: any ManagerClock
    private let term = Mutex<Term?>(nil)

    public init(clock: any ManagerClock) {
        self.clock = clock
    }

    /// Opens the gate, or keeps it open for longer.
    func open(epoch: Int, until deadline: BootInstant) {
        term.withLock { $0 = Term(epoch: epoch, deadline: deadline) }
    }

    func shut() {
        term.withLock { $0 = nil }
    }

    /// The epoch in which this replica may act now; nil when it may not.
    public var epoch: Int? {
        let now = clock.now()
        return term.withLock { term in
            guard let term, now < term.deadline else { return nil }
            return term.epoch
        }
    }

    /// True while this very term lasts.
    public func isOpen(epoch: Int) -> Bool { self.epoch == epoch }
}
