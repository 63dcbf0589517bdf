/// When the leader looks for requests: once in an interval, and at once when it is told that there is one.
///
/// One look at a time; and however often it is told, no two in less than ``shortestPause``: whoever calls again and again
/// does not keep the store from anybody.
struct RequestLooks: Sendable {
    static let shortestPause = Duration.milliseconds(10)

    private let interval: Duration
    private var last: BootInstant?
    private var next: BootInstant
    private var isLooking = false

    /// - Parameter now: when the first look is due.
    init(every interval: Duration, from now: BootInstant) {
        self.interval = interval
        next = now
    }

    /// When to look next; nil while a look is under way.
    var due: BootInstant? { isLooking ? nil : next }

    /// - Returns: whether to look now; then ``end()`` has to follow.
    mutating func begin(_ now: BootInstant) -> Bool {
        guard let due, now >= due else { return false }
        (isLooking, last, next) = (true, now, now + interval)
        return true
    }

    mutating func end() { isLooking = false }

    /// There is a request. It may be younger than the look that is under way: another follows.
    ///
    /// - Returns: whether a look is due earlier for it.
    mutating func ask(_ now: BootInstant) -> Bool {
        let soonest = max(now, last.map { $0 + Self.shortestPause } ?? now)
        guard soonest < next else { return false }
        next = soonest
        return !isLooking
    }
}
