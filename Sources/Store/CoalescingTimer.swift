internal import Dispatch
internal import Synchronization

/// A timer that is asked for often and set seldom.
///
/// Setting one wakes a thread of the dispatch library, which is much for something that nearly never comes to pass. So one that
/// is set for an earlier moment stays: when it fires it finds nothing due yet, and is set again.
final class CoalescingTimer: Sendable {
    private let queue: DispatchQueue
    /// The earliest moment for which one is set.
    private let earliest = Mutex<DispatchTime?>(nil)

    /// - Parameter queue: where it fires.
    init(on queue: DispatchQueue) {
        self.queue = queue
    }

    /// Has it fire at that moment, and perhaps before.
    ///
    /// - Parameter wake: does what is due, and tells when there is more to do; nil when there is not. The same at every call.
    func set(_ time: DispatchTime, wake: @escaping @Sendable () -> DispatchTime?) {
        let isEarliest = earliest.withLock { earliest in
            if let earliest, earliest <= time { return false }
            earliest = time
            return true
        }
        guard isEarliest else { return }
        queue.asyncAfter(deadline: time) { [weak self] in self?.fire(time, wake) }
    }

    private func fire(_ time: DispatchTime, _ wake: @escaping @Sendable () -> DispatchTime?) {
        earliest.withLock { earliest in
            if earliest == time { earliest = nil }
        }
        if let next = wake() { set(next, wake: wake) }
    }
}
