/// A moment on this host's boot-time clock: it counts while the host is suspended and nobody can set it.
///
/// Moments of two hosts, or of two boots, have nothing to do with each other.
public struct BootInstant: Hashable, Comparable, Sendable {
    /// Since the host's start.
    public let nanoseconds: Int

    public init(nanoseconds: Int) {
        self.nanoseconds = nanoseconds
    }

    public static func < (left: BootInstant, right: BootInstant) -> Bool { left.nanoseconds < right.nanoseconds }

    public static func + (instant: BootInstant, duration: Duration) -> BootInstant {
        let (seconds, attoseconds) = duration.components
        return BootInstant(
            nanoseconds: instant.nanoseconds + Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        )
    }

    public static func - (left: BootInstant, right: BootInstant) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}
