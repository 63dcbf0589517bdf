internal import Synchronization

/// How often a store was read, and for how long nobody could write meanwhile.
package final class ReadingTimes: Sendable {
    package struct Figures: Sendable {
        /// Transactions.
        package var count = 0
        /// The longest of them, from its beginning to its end.
        package var longest = Duration.zero
    }

    /// A reading transaction that can be continued in another ends after so long: a writer waits for its end, and a leader
    /// has to write every poll interval.
    static let longest = Duration.milliseconds(50)

    private let state = Mutex(Figures())

    init() {}

    package var figures: Figures { state.withLock(\.self) }

    func note(_ duration: Duration) {
        state.withLock { figures in
            figures.count += 1
            figures.longest = max(figures.longest, duration)
        }
    }
}
