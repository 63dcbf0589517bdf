internal import NIOCore
internal import Synchronization

/// The connections of one server: how many there may be, and which are to be told when it stops.
///
/// A connection keeps its place until its last call has ended, even when its client has left: else a client could pile
/// up calls by connecting, asking and leaving.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [UInt64: any Channel] = [:]
        var nextNumber: UInt64 = 0
        var isStopping = false
        var wasFull = false
        var waiter: CheckedContinuation<Void, Never>?
        var isTimeUp = false

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    enum Admission {
        case admitted(release: @Sendable () -> Void)
        /// - Parameter first: true for the first refusal since there was a place.
        case full(first: Bool)
        case stopping
    }

    private let maximum: Int
    private let state = Mutex(State())

    init(maximum: Int) {
        self.maximum = maximum
    }

    func admit(_ channel: any Channel) -> Admission {
        let (admission, number): (Admission?, UInt64) = state.withLock { state in
            if state.isStopping { return (.stopping, 0) }
            guard state.channels.count < maximum else {
                defer { state.wasFull = true }
                return (.full(first: !state.wasFull), 0)
            }
            state.nextNumber += 1
            state.channels[state.nextNumber] = channel
            return (nil, state.nextNumber)
        }
        return admission ?? .admitted(release: { self.release(number) })
    }

    private func release(_ number: UInt64) {
        let waiter = state.withLock { state in
            if state.channels.removeValue(forKey: number) != nil { state.wasFull = false }
            return state.channels.isEmpty ? state.takeWaiter() : nil
        }
        waiter?.resume()
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    var channels: [any Channel] { state.withLock { Array($0.channels.values) } }

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
                let isOver = state.channels.isEmpty || state.isTimeUp
                if !isOver { state.waiter = continuation }
                return isOver
            }
            if isOver { continuation.resume() }
        }
        alarm.cancel()
    }
}
