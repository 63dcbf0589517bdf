internal import Dispatch
internal import Synchronization

/// One piece of work for a ``DatabaseQueue``: settled exactly once, by the database thread or by the clock.
final class Work: Sendable {
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

    /// - Returns: false when the caller has stopped waiting: then it must not run.
    func begin() -> Bool {
        phase.withLock { phase in
            guard phase == .waiting else { return false }
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

    func startTimer(_ timeout: Duration) {
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(timeout.nanoseconds)) { [weak self] in
            guard let self else { return }
            let hadBegun = phase.withLock { $0 == .running }
            settle(
                hadBegun
                    ? StoreError(.unknownOutcome, "the store does not answer; whether it stored the change is not known")
                    : StoreError(.busy, "the store does not answer; nothing was stored")
            )
        }
    }
}

extension Duration {
    /// Whole nanoseconds; as many as fit.
    var nanoseconds: Int {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? Int.max : Int(product) + Int(attoseconds / 1_000_000_000)
    }
}
