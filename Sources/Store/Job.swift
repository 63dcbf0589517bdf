internal import Synchronization

/// One piece of work for a ``DatabaseQueue``: settled exactly once, by the database thread or by the clock.
final class Job: Sendable {
    private enum Phase {
        case waiting, running, settled
    }

    let body: @Sendable (Connection) throws -> Void
    let verify: @Sendable (Connection) throws -> Bool?
    private let settleCaller: @Sendable (StoreError?) -> Void
    private let phase = Mutex(Phase.waiting)

    init(
        body: @escaping @Sendable (Connection) throws -> Void,
        verify: @escaping @Sendable (Connection) throws -> Bool?,
        settle: @escaping @Sendable (StoreError?) -> Void
    ) {
        self.body = body
        self.verify = verify
        self.settleCaller = settle
    }

    /// False when the caller has stopped waiting, or has been answered.
    var isWaiting: Bool { phase.withLock { $0 == .waiting } }

    var isSettled: Bool { phase.withLock { $0 == .settled } }

    /// To be called right before the body runs, when nothing stands between it and the database any more.
    ///
    /// Also before it runs again, when what it did was undone.
    ///
    /// - Returns: false when the caller has stopped waiting: then it must not run.
    func begin() -> Bool {
        phase.withLock { phase in
            guard phase != .settled else { return false }
            phase = .running
            return true
        }
    }

    /// Answers the caller, unless the clock has.
    func settle(_ failure: StoreError?) {
        let isFirst = phase.withLock { phase in
            defer { phase = .settled }
            return phase != .settled
        }
        if isFirst { settleCaller(failure) }
    }

    /// Answers the caller, whose time is up, unless it has been answered.
    ///
    /// Whether it had begun is asked, and its beginning prevented, in one step: between two, it could begin after all,
    /// and its caller would hear that nothing was stored.
    ///
    /// - Parameter late: what to say, by whether the body had begun.
    func expire(_ late: (_ hadBegun: Bool) -> StoreError) {
        let hadBegun: Bool? = phase.withLock { phase in
            guard phase != .settled else { return nil }
            defer { phase = .settled }
            return phase == .running
        }
        if let hadBegun { settleCaller(late(hadBegun)) }
    }
}

extension Duration {
    /// Whole nanoseconds; as many as fit.
    var nanoseconds: Int {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? Int.min : Int.max }
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? Int.max : Int(sum)
    }
}
