import Synchronization

/// Counts calls.
final class Counter: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    /// - Returns: 1 at the first call.
    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
