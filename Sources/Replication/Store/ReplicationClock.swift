internal import Store

/// The clocks of this host, as the replicated store reads them.
package struct ReplicationClock: Sendable {
    /// A moment on a clock that nobody can set, and that counts while the host is suspended.
    package var now: @Sendable () -> ContinuousClock.Instant = { .now }
    /// Milliseconds since 1970, by a clock that somebody may set. For people: no decision depends on it.
    package var wall: @Sendable () -> Int = { Store.wallClock() }
    package var sleep: @Sendable (Duration) async throws -> Void = { duration in
        try await Task.sleep(for: duration, clock: .suspending)
    }
    /// At random, from 0 to that.
    package var jitter: @Sendable (Duration) -> Duration = { $0 * Int.random(in: 0...1000) / 1000 }

    package init() {}
}

/// A time that looks like a wall clock's and that nobody can set: what this host's said when the process began, and what has passed
/// since. For how long the leader keeps something in the register is counted by it, and compared with no other process's.
struct SteadyTime: Sendable {
    private let clock: ReplicationClock
    private let start: (wall: Int, moment: ContinuousClock.Instant)

    init(_ clock: ReplicationClock) {
        self.clock = clock
        start = (clock.wall(), clock.now())
    }

    /// Milliseconds since 1970.
    var now: Int { start.wall + (clock.now() - start.moment).milliseconds }
}

extension Duration {
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
