import Benchmark
import Synchronization

/// What a benchmark measures, made before the first measurement and ended after the last. The library gives what its setup
/// makes to the measurement, but not to the teardown.
final class Stage<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func make(_ body: () async throws -> Value) async throws -> Value {
        let made = try await body()
        value.withLock { $0 = made }
        return made
    }

    func end(_ body: (Value) async -> Void) async {
        guard let made = value.withLock({ $0 }) else { return }
        value.withLock { $0 = nil }
        await body(made)
    }
}
