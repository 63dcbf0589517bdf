internal import Synchronization

/// Numbers, each given once, to whoever asks.
package final class Counter: Sendable {
    private let value: Atomic<Int>

    package init(_ first: Int = 0) { value = Atomic(first) }

    package func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// The number that is next.
    package var current: Int { value.load(ordering: .relaxed) }
}
