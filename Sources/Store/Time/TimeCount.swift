/// Counts how much time one process sees pass for a history, on a clock that nobody can set.
///
/// It never counts more than has passed, whatever is asked when and whether it is stored or not: the count of a leader goes on
/// from what the row held when it took over, and the row's from the leader's.
package struct TimeCount: Sendable {
    /// No step is longer, in milliseconds: a clock that leaps is not believed.
    package static let longestStep = 60_000

    /// The lease row as it was first read.
    private var watched: (epoch: Int, sequence: Int, count: Int, since: Int)?
    private var counted: (value: Int, at: Int)?

    package init() {}

    /// The row was read, at a moment of this host's boot-time clock in milliseconds.
    ///
    /// - Parameter count: what the row held.
    package mutating func saw(_ count: Int, epoch: Int, sequence: Int, at now: Int) {
        if let watched, watched.epoch == epoch, watched.sequence == sequence { return }
        watched = (epoch, sequence, count, now)
    }

    /// This process takes the lease over. The time in which it saw the row stand still has passed too: up to a ttl, and
    /// since it first saw it. The one who held the lease may have counted on meanwhile without a renewal.
    ///
    /// - Parameters:
    ///   - stored: what the row holds.
    ///   - epoch: of the row that is taken over, as is `sequence`; `ttl` is what it promises, in milliseconds.
    /// - Returns: the count now, in milliseconds.
    package mutating func begin(with stored: Int, epoch: Int, sequence: Int, ttl: Int, at now: Int) -> Int {
        var value = stored
        if let watched, watched.epoch == epoch, watched.sequence == sequence {
            value = max(value, watched.count + Self.step(from: watched.since, to: now, limit: ttl))
        }
        counted = (value, now)
        return value
    }

    /// - Parameters:
    ///   - stored: what the row holds.
    ///   - ttl: in milliseconds; a leader does not count more at once.
    /// - Returns: the count now, in milliseconds.
    package mutating func advance(from stored: Int, ttl: Int, at now: Int) -> Int {
        let value = counted.map { $0.value + Self.step(from: $0.at, to: now, limit: max(ttl, Self.longestStep)) }
        let count = max(value ?? stored, stored)
        counted = (count, now)
        return count
    }

    private static func step(from earlier: Int, to now: Int, limit: Int) -> Int { min(max(0, now - earlier), limit) }
}
