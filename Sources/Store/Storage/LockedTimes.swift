internal import Synchronization

/// How often this process has found a database locked for longer than a statement waits.
package enum LockedTimes {
    private static let counts = Mutex<[String: Int]>([:])

    package static func count(_ path: String) -> Int { counts.withLock { $0[path, default: 0] } }

    static func note(_ path: String) { counts.withLock { $0[path, default: 0] += 1 } }
}
