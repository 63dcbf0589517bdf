import Synchronization

/// How often others have changed the swarm, and how often they lost a race for it.
final class Updates: Sendable {
    private let counts = Mutex((done: 0, lost: 0))

    var done: Int { counts.withLock(\.done) }
    var lost: Int { counts.withLock(\.lost) }

    func note(isDone: Bool) {
        counts.withLock { counts in
            if isDone { counts.done += 1 } else { counts.lost += 1 }
        }
    }
}
