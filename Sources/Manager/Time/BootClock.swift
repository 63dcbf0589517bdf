// For `timespec`: where the whole module is compiled at once, as in a release, it counts as that one's.
internal import CLinux
internal import Glibc
internal import Store

/// Tells the time to everything here that acts by it. Tests bring their own.
public protocol ManagerClock: Sendable {
    func now() -> BootInstant
    /// - Throws: `CancellationError`.
    func sleep(until instant: BootInstant) async throws
    /// Milliseconds since 1970, UTC, by this host's clock, which anybody can set: for people, and for what lasts longer
    /// than a boot. The lease knows no such time.
    func wallTime() -> Int
}

extension ManagerClock {
    public func wallTime() -> Int { Store.wallClock() }
}

/// `CLOCK_BOOTTIME`.
public struct BootClock: ManagerClock {
    public init() {}

    public func now() -> BootInstant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return BootInstant(nanoseconds: time.tv_sec * 1_000_000_000 + time.tv_nsec)
    }

    public func sleep(until instant: BootInstant) async throws {
        let remaining = instant - now()
        // On the clock that libdispatch uses itself: when two of its clocks run out together, it forgets the other one's
        // timers for good (CONTRIBUTING.md, Sleeping). That this clock stands still while the host is suspended does no
        // harm: what may be done is asked of `now()`, and the deadline has a timer of its own.
        if remaining > .zero { try await Task.sleep(for: remaining, clock: .suspending) }
    }
}
