internal import Dispatch
internal import Synchronization

/// Answers the callers of a queue's work that takes too long.
final class JobTimeouts: Sendable {
    private struct Entry {
        let time: DispatchTime
        weak var job: Job?

        /// Nobody waits for it any more.
        var isOver: Bool { job?.isSettled ?? true }
    }

    private let late: @Sendable (_ hadBegun: Bool) -> StoreError
    private let timer = CoalescingTimer(on: .global())
    /// The earliest first.
    private let entries = Mutex<[Entry]>([])

    /// - Parameter late: what to say, by whether the work had begun.
    init(late: @escaping @Sendable (_ hadBegun: Bool) -> StoreError) {
        self.late = late
    }

    /// How many are kept.
    var count: Int { entries.withLock(\.count) }

    func add(_ job: Job, within timeout: Duration) {
        let time = DispatchTime.now() + .nanoseconds(timeout.nanoseconds)
        entries.withLock { entries in
            // Most work ends long before its time, in the order in which it came.
            entries.removeSubrange(..<(entries.firstIndex { !$0.isOver } ?? entries.endIndex))
            let index = entries.lastIndex { $0.time <= time }.map { $0 + 1 } ?? 0
            entries.insert(Entry(time: time, job: job), at: index)
        }
        timer.set(time) { [weak self] in self?.expire() }
    }

    /// - Returns: when the next one is due.
    private func expire() -> DispatchTime? {
        let now = DispatchTime.now()
        let (due, next) = entries.withLock { entries in
            let end = entries.firstIndex { $0.time > now } ?? entries.endIndex
            let due = entries[..<end].compactMap(\.job)
            entries.removeSubrange(..<end)
            entries.removeAll(where: \.isOver)
            return (due, entries.first?.time)
        }
        for job in due { job.expire(late) }
        return next
    }
}
