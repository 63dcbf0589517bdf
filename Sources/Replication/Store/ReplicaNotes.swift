internal import GroupSPI
internal import Store

/// When the replica has to be told something, and what. No clock and no file.
struct ReplicaNotes {
    private var notedAt: ContinuousClock.Instant?
    private var tag: ContentTag?
    private var nodes: ClusterNodes?
    /// What the replica says of what is wrong.
    var trouble: String?
    /// When a lease was last seen to stand, and which: its holder's node led.
    private var seen = (epoch: 0, at: 0)

    /// Whether there is news, or the last note is old.
    func isDue(
        _ state: KnownState,
        _ nodes: ClusterNodes?,
        trouble: String?,
        at now: ContinuousClock.Instant,
        every interval: Duration
    ) -> Bool {
        let isOld = notedAt.map { now - $0 >= interval } ?? true
        return isOld || tag != state.tag || self.nodes != nodes || self.trouble != trouble
    }

    mutating func note(
        _ state: KnownState,
        _ nodes: ClusterNodes?,
        trouble: String?,
        at now: ContinuousClock.Instant
    ) {
        (notedAt, tag, self.nodes, self.trouble) = (now, state.tag, nodes, trouble)
    }

    /// - Parameter time: milliseconds since 1970.
    mutating func see(_ snapshot: Snapshot?, _ nodes: ClusterNodes?, time: Int) {
        guard let snapshot, snapshot.lease.isHeld, nodes?.leader?.id == snapshot.place else { return }
        seen = (snapshot.lease.epoch, time)
    }

    /// The lease as it is shown: renewed when its holder's node was last seen to lead.
    func shown(_ lease: Lease, floor: Int, polls: Int) -> Lease {
        guard lease.epoch > 0 || lease.isHeld else { return .nobody(since: floor) }
        // By this node's clock, once it has seen it; its holder's is another.
        return lease.seen(at: seen.epoch == lease.epoch ? seen.at : lease.acquiredAt, sequence: polls)
    }
}
