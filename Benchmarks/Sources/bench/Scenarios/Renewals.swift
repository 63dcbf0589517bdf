internal import BenchmarkSupport
internal import Store
internal import Synchronization

/// Looks at the lease every 50 ms, as any reader of the database may, and keeps when it was renewed.
final class Renewals: Sendable {
    private let store: Store
    private let times = Mutex<[ContinuousClock.Instant]>([])

    init(of store: Store) { self.store = store }

    /// Looks for as long as something takes.
    func watch(_ body: () async throws -> Void) async throws {
        let looking = Task { try await look() }
        do {
            try await body()
            looking.cancel()
        } catch {
            looking.cancel()
            throw error
        }
        do {
            try await looking.value
        } catch is CancellationError {
            guard times.withLock({ $0.count }) > 1 else { throw BenchmarkError("the lease was not renewed meanwhile") }
        }
    }

    private func look() async throws {
        var sequence = -1
        while true {
            let lease = try await store.lease(within: .seconds(20))
            let now = ContinuousClock.now
            if lease.sequence != sequence {
                sequence = lease.sequence
                times.withLock { $0.append(now) }
            }
            try await Task.sleep(for: .milliseconds(50), clock: .suspending)
        }
    }

    /// In milliseconds.
    var longestGap: Double {
        times.withLock { times in zip(times.dropFirst(), times).map { ($0 - $1).inMilliseconds }.max() ?? .nan }
    }
}
