internal import Synchronization

/// When the leadership loop turned last: how others can tell that it lives.
final class Heartbeat: Sendable {
    private let last: Mutex<BootInstant>

    init(_ now: BootInstant) {
        last = Mutex(now)
    }

    func beat(_ now: BootInstant) { last.withLock { $0 = now } }

    /// How long ago that was.
    func age(_ now: BootInstant) -> Duration { now - last.withLock { $0 } }
}
