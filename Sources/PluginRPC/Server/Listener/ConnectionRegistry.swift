internal import Glibc
internal import NIOCore
internal import Synchronization

/// The connections of one server: how many there may be, and which are to be told when it stops.
///
/// A connection keeps its place until its last call has ended, even when its client has left: else a client could pile
/// up calls by connecting, asking and leaving.
///
/// A user may have as many as are still free, so one that takes all it can leaves half to others, and each of them half of the rest.
/// Who has that many gets another place for the one of theirs that has done nothing for longest.
final class ConnectionRegistry: Sendable {
    private struct Entry {
        let channel: any Channel
        let uid: uid_t?
        let activity: ConnectionActivity
        /// It is being closed, and counts no more.
        var isLeaving = false
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        /// Of each user, those that count.
        var counts: [uid_t?: Int] = [:]
        var total = 0
        var nextNumber: UInt64 = 0
        var isStopping = false
        var wasFull = false
        var waiter: CheckedContinuation<Void, Never>?
        var isTimeUp = false

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }

        mutating func count(_ uid: uid_t?, _ difference: Int) {
            total += difference
            let count = (counts[uid] ?? 0) + difference
            counts[uid] = count > 0 ? count : nil
        }

        /// The user's connection that has waited longest for a request.
        func longestIdle(of uid: uid_t?) -> UInt64? {
            var found: (number: UInt64, since: NIODeadline)?
            for (number, entry) in entries where entry.uid == uid && !entry.isLeaving {
                guard let since = entry.activity.idleSince, found.map({ since < $0.since }) ?? true else { continue }
                found = (number, since)
            }
            return found?.number
        }
    }

    enum Admission {
        /// - Parameter closing: gives its place to this one.
        case admitted(ConnectionActivity, closing: (any Channel)?, release: @Sendable () -> Void)
        /// - Parameter first: true for the first refusal since there was a place.
        case full(first: Bool)
        case stopping
    }

    private let maximum: Int
    private let state = Mutex(State())

    init(maximum: Int) {
        self.maximum = maximum
    }

    /// - Parameter touchesReserve: it took a descriptor that is kept for other things.
    func admit(_ channel: any Channel, of uid: uid_t?, touchesReserve: Bool = false) -> Admission {
        state.withLock { state in
            if state.isStopping { return .stopping }
            let free = touchesReserve ? 0 : maximum - state.total
            var closing: (any Channel)?
            if state.counts[uid] ?? 0 >= free {
                guard let number = state.longestIdle(of: uid) else {
                    defer { state.wasFull = true }
                    return .full(first: !state.wasFull)
                }
                state.entries[number]?.isLeaving = true
                state.count(uid, -1)
                closing = state.entries[number]?.channel
            }
            state.nextNumber += 1
            let activity = ConnectionActivity()
            state.entries[state.nextNumber] = Entry(channel: channel, uid: uid, activity: activity)
            state.count(uid, 1)
            let number = state.nextNumber
            return .admitted(activity, closing: closing, release: { self.release(number) })
        }
    }

    private func release(_ number: UInt64) {
        let waiter = state.withLock { state in
            if let entry = state.entries.removeValue(forKey: number) {
                state.wasFull = false
                if !entry.isLeaving { state.count(entry.uid, -1) }
            }
            return state.entries.isEmpty ? state.takeWaiter() : nil
        }
        waiter?.resume()
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    var channels: [any Channel] { state.withLock { $0.entries.values.map(\.channel) } }

    /// From now on nobody is admitted.
    func beginStop() {
        state.withLock { $0.isStopping = true }
    }

    /// Returns when no connection is left, or when the time is up.
    func waitUntilEmpty(atMost time: Duration) async {
        // Unstructured, because it must not be waited for: it only ends a wait that has become too long.
        let alarm = Task {
            try? await Task.sleep(for: time, clock: .suspending)
            let waiter = state.withLock { state in
                state.isTimeUp = true
                return state.takeWaiter()
            }
            waiter?.resume()
        }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                let isOver = state.entries.isEmpty || state.isTimeUp
                if !isOver { state.waiter = continuation }
                return isOver
            }
            if isOver { continuation.resume() }
        }
        alarm.cancel()
    }
}

/// Since when a connection waits for the next request.
final class ConnectionActivity: Sendable {
    /// Nanoseconds of NIO's clock; 0 while something is under way, or arriving.
    private let since = Atomic<UInt64>(0)

    func isIdle(since now: NIODeadline) { since.store(now.uptimeNanoseconds, ordering: .relaxed) }
    func isBusy() { since.store(0, ordering: .relaxed) }

    var idleSince: NIODeadline? {
        let nanoseconds = since.load(ordering: .relaxed)
        return nanoseconds == 0 ? nil : .uptimeNanoseconds(nanoseconds)
    }
}
