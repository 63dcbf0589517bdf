internal import Glibc
internal import Store

/// A time that looks like a wall clock's and that nobody can set: what this host's said when the process began, and what has passed
/// since. For how long the leader keeps something in the label is counted by it, and compared with no other process's.
enum SteadyTime {
    /// Milliseconds since 1970.
    static var now: Int { start.wall + boot() - start.boot }

    private static let start = (wall: Store.wallClock(), boot: boot())

    private static func boot() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
