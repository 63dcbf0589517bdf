internal import Synchronization

/// What a replica knows of the newest state of its store, for as long as it runs. Moments are of a clock that nobody can set, in
/// milliseconds.
package struct StoreKnowledge: Sendable {
    package var seen = Watermark()
    /// The row by which it last acquired the lease.
    private var own: Lease?
    /// Until when it relies on that: before this moment nobody else can have taken the lease over.
    private var heldUntil = Int.min
    /// The file system on which it did. On another one that is at the same path others need not see what is written.
    private var device: UInt?
    /// The greatest number that it may have given out, stored or not.
    private var given = 0
    /// When it has last begun to look at what counts.
    private var lookedAt: Int?
    private var ttl = 0

    package init() {}

    package mutating func note(_ lease: Lease, readSince moment: Int) {
        guard lease.suspension == nil, seen.isReached(by: lease) else { return }
        seen.note(lease)
        lookedAt = max(lookedAt ?? moment, moment)
        ttl = max(ttl, lease.ttl)
    }

    /// Before the transaction ends that stores it.
    package mutating func give(_ number: Int) { given = max(given, number) }

    /// The lease was acquired: what the store holds at this moment is what this replica goes on from, also where somebody has
    /// accepted that it lacks what was seen before.
    package mutating func begin(_ lease: Lease, since moment: Int, for time: Duration, on device: UInt?) {
        own = lease
        self.device = device
        seen = Watermark()
        renewed(lease, since: moment, for: time)
    }

    /// - Parameter time: for how long the replica relies on it.
    package mutating func renewed(_ lease: Lease, since moment: Int, for time: Duration) {
        note(lease, readSince: moment)
        // Too late to be sure that nobody else leads.
        guard lease.suspension?.isExact ?? true else { return }
        heldUntil = moment + Int(time / .milliseconds(1))
    }

    /// What this replica can say of a database on that file system.
    ///
    /// - Parameters:
    ///   - fence: under which it leads; nil when it does not.
    ///   - now: a moment at which it was certain to lead, if it led, tells all; later another may have.
    package func witness(_ fence: Fence?, on device: UInt?, at now: Int) -> Witness {
        let leads = fence.map { own?.isHeld(by: $0) == true } ?? false
        let passed = max(0, now - (lookedAt ?? now))
        return Witness(
            seen: seen,
            own: leads && self.device == device && now < heldUntil ? own : nil,
            lastNumber: given,
            ttl: ttl,
            // Nobody takes the lease over more than once a millisecond, or stores more than a thousand revisions in one; and
            // a transaction may have been under way.
            unseen: (1000 + passed, 1_000_000 + 1000 * passed)
        )
    }
}

/// The knowledge of this process, which several threads share.
final class StoreMemory: Sendable {
    private let knowledge = Mutex(StoreKnowledge())
    let now: @Sendable () -> Int

    /// - Parameter now: a moment in milliseconds, on a clock that nobody can set.
    init(_ now: @escaping @Sendable () -> Int) { self.now = now }

    var seen: Watermark { knowledge.withLock(\.seen) }

    func note(_ lease: Lease, readSince moment: Int) { knowledge.withLock { $0.note(lease, readSince: moment) } }
    func note(_ revision: Revision) { knowledge.withLock { $0.seen.note(revision.number, revision.hash) } }
    func give(_ number: Int) { knowledge.withLock { $0.give(number) } }

    func begin(_ lease: Lease, since moment: Int, for time: Duration, on device: UInt?) {
        knowledge.withLock { $0.begin(lease, since: moment, for: time, on: device) }
    }

    func renewed(_ lease: Lease, since moment: Int, for time: Duration) {
        knowledge.withLock { $0.renewed(lease, since: moment, for: time) }
    }

    func witness(_ fence: Fence?, on device: UInt?) -> Witness {
        let now = now()
        return knowledge.withLock { $0.witness(fence, on: device, at: now) }
    }
}
