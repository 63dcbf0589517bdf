internal import Dispatch
internal import Synchronization

/// Answers the callers of a queue's work that takes too long.
final class WorkTimeouts: Sendable {
    private struct Entry {
        let time: DispatchTime
        weak var work: Work?

        /// Nobody waits for it any more.
        var isOver: Bool { work?.isSettled ?? true }
    }

    private let late: @Sendable (_ hadBegun: Bool) -> StoreError
    private let timer = LazyTimer(on: .global())
    /// The earliest first.
    private let entries = Mutex<[Entry]>([])

    /// - Parameter late: what to say, by whether the work had begun.
    init(late: @escaping @Sendable (_ hadBegun: Bool) -> StoreError) {
        self.late = late
    }

    /// How many are kept.
    var count: Int { entries.withLock(\.count) }

    func add(_ work: Work, within timeout: Duration) {
        let time = DispatchTime.now() + .nanoseconds(timeout.nanoseconds)
        entries.withLock { entries in
            // Most work ends long before its time, in the order in which it came.
            entries.removeSubrange(..<(entries.firstIndex { !$0.isOver } ?? entries.endIndex))
            let index = entries.lastIndex { $0.time <= time }.map { $0 + 1 } ?? 0
            entries.insert(Entry(time: time, work: work), at: index)
        }
        timer.set(time) { [weak self] in self?.expire() }
    }

    /// - Returns: when the next one is due.
    private func expire() -> DispatchTime? {
        let now = DispatchTime.now()
        let (due, next) = entries.withLock { entries in
            let end = entries.firstIndex { $0.time > now } ?? entries.endIndex
            let due = entries[..<end].compactMap(\.work)
            entries.removeSubrange(..<end)
            entries.removeAll(where: \.isOver)
            return (due, entries.first?.time)
        }
        for work in due { work.expire(late) }
        return next
    }
}
