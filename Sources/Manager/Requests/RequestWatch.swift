internal import Store

/// What a leader has itself seen of the requests that wait. Whether one is still wanted it concludes from that alone: times that
/// others wrote are of other clocks.
///
/// - A request is carried out in the epoch in which it was asked, or in which whoever asked was heard of again. One that was left
///   while nobody led, by a process that is gone, waits in vain.
/// - It is not carried out once whoever asked has waited for as long as they wanted, counted from when this leader saw it first.
struct RequestWatch: Sendable {
    enum Verdict: Hashable, Sendable {
        case carryOut
        /// Whoever asked has not been heard of in this epoch.
        case wait
        /// They wait no longer; they wanted to for so long.
        case overdue(Duration)
    }

    private struct Entry {
        let since: BootInstant
        let patience: Duration
    }

    private var entries: [String: Entry] = [:]
    /// When the last look began that saw anything.
    private var lastLook: BootInstant

    /// Of a request that does not tell.
    private static let usualPatience = Duration.seconds(60)
    /// A leader looks far more often than this.
    private static let longestGap = Duration.seconds(60)

    /// - Parameter start: of the term.
    init(from start: BootInstant) { lastLook = start }

    /// Takes note of all that waits.
    ///
    /// - Parameter began: when it was read, at the earliest.
    mutating func saw(_ requests: [Request], lookBegan began: BootInstant, now: BootInstant) {
        // What was not there at the last look was asked after it. Where no look succeeded for long, that may be long ago.
        let (gap, before) = (began - lastLook, lastLook)
        lastLook = began
        entries = Dictionary(
            requests.map { request in
                let patience = request.patience > 0 ? .milliseconds(request.patience) : Self.usualPatience
                let isOld = gap > patience + Self.longestGap
                return (request.id, entries[request.id] ?? Entry(since: isOld ? before : now, patience: patience))
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func verdict(on request: Request, epoch: Int, now: BootInstant) -> Verdict {
        if let patience = overdue(request.id, now: now) { return .overdue(patience) }
        guard let asked = request.epoch else { return .carryOut }
        return asked == epoch ? .carryOut : .wait
    }

    /// - Returns: how long whoever asked has waited, if that is over; nil also for a request that was never seen.
    func overdue(_ id: String, now: BootInstant) -> Duration? {
        guard let entry = entries[id], now - entry.since > entry.patience else { return nil }
        return entry.patience
    }
}
