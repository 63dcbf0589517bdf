internal import Synchronization

/// What this replica's plugin needs to let a group go, as far as that was seen. It outlives the terms.
final class ReleasePace: Sendable {
    private struct State {
        var freeing: Duration?
        var telling: Duration?
    }

    private let state = Mutex(State())

    func noteFreeing(_ each: Duration) { state.withLock { $0.freeing = each } }

    /// Before anything was let go, this has to do: one takes about as long as the other.
    func noteTelling(_ each: Duration) { state.withLock { $0.telling = each } }

    /// - Returns: how long so many groups take, and whether that was seen of letting go itself; nil when nothing is known.
    func time(for groups: Int) -> (duration: Duration, isSeen: Bool)? {
        state.withLock { state in
            if let freeing = state.freeing { return (freeing * groups, true) }
            return state.telling.map { ($0 * groups, false) }
        }
    }
}

/// To let all groups go takes longer than the lease leaves for it. A manager that leaves in order renews its lease until they are free;
/// one that is killed, or stands still, leaves that to its guard, which cannot.
struct LongRelease: Hashable, Sendable {
    let groups: Int
    let duration: Duration
    /// Whether it was seen, or is concluded from how long it took to tell the plugin.
    let isSeen: Bool
    let room: Duration

    /// - Returns: nil when there is time enough.
    init?(of groups: Int, _ pace: ReleasePace, room: Duration) {
        guard let (duration, isSeen) = pace.time(for: groups), duration > room else { return nil }
        (self.groups, self.duration, self.isSeen, self.room) = (groups, duration, isSeen, room)
    }

    /// The shortest ttl, in whole seconds, a third of which is enough, with a quarter to spare.
    var neededTTL: Duration { .seconds((duration.milliseconds * 15 / 4 + 999) / 1000) }

    var text: String {
        let time =
            isSeen ? "takes about \(duration.goText)" : "may take \(duration.goText), as sending them to the plugin did"
        return
            "releasing its \(groups) groups \(time), but the lease leaves \(room.goText): if this manager is "
            + "killed or stopped, two plugins may hold groups meanwhile; start all managers with "
            + "--lease-ttl \(neededTTL.goText) or more"
    }
}
