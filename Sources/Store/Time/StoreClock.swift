internal import Glibc
internal import Synchronization

/// The clock by which a store counts how much time its history sees pass.
final class StoreClock: Sendable {
    private let count = Mutex(TimeCount())
    private let now: @Sendable () -> Int

    /// - Parameter now: a moment in milliseconds, on a clock that nobody can set.
    init(_ now: @escaping @Sendable () -> Int) {
        self.now = now
    }

    /// `CLOCK_BOOTTIME`, in milliseconds.
    @Sendable static func bootTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    // In the transaction that reads the row, and after that: what was written before it, was before this moment.

    /// Notes the row as it stands.
    func look(_ connection: Connection) throws {
        let row = try connection.elapsed()
        let now = now()
        count.withLock { $0.saw(row.elapsed, epoch: row.epoch, sequence: row.sequence, at: now) }
    }

    /// What the row has to hold when this process takes it over.
    func begin(_ connection: Connection) throws -> Int {
        let row = try connection.elapsed()
        let now = now()
        return count.withLock {
            $0.begin(with: row.elapsed, epoch: row.epoch, sequence: row.sequence, ttl: row.ttl, at: now)
        }
    }

    /// The time that has passed, as far as it is certain.
    func elapsed(_ connection: Connection) throws -> Int {
        let row = try connection.elapsed()
        let now = now()
        return count.withLock { $0.advance(from: row.elapsed, ttl: row.ttl, at: now) }
    }
}
