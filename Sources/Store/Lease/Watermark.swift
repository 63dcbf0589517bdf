/// The newest state of the store that a replica has seen: what it has stored, or read.
///
/// A store that does not reach it is another one, an older copy for instance. Nothing may be concluded from what it says:
/// its numbers and epochs would be given out again.
public struct Watermark: Hashable, Sendable {
    public var epoch = 0
    public var sequence = 0
    /// The newest revision, and its hash; 0 before the first.
    public var revision = 0
    public var hash: [UInt8] = []

    public init() {}

    /// Whether a row of the lease is no older.
    public func isReached(by lease: Lease) -> Bool {
        lease.epoch > epoch || lease.epoch == epoch && lease.sequence >= sequence
    }

    /// Rises with what was read or stored. A row of a store on which nobody may act tells nothing new.
    public mutating func note(_ lease: Lease) {
        guard lease.suspension == nil, isReached(by: lease) else { return }
        (epoch, sequence) = (lease.epoch, lease.sequence)
        note(lease.revision, lease.hash)
    }

    public mutating func note(_ revision: Int, _ hash: [UInt8]) {
        if revision > self.revision { (self.revision, self.hash) = (revision, hash) }
    }
}

/// Nobody may act on the store, because it is older than what a replica has seen of it: until the newer file is back, or
/// somebody accepts the older state.
public struct Suspension: Hashable, Sendable {
    /// The newest that was seen.
    public var seen: Watermark
    /// Told by the leader, who knows every revision that was acknowledged; a follower has not heard of the last ones.
    public var isExact: Bool

    public init(seen: Watermark, isExact: Bool) {
        self.seen = seen
        self.isExact = isExact
    }

    /// No smaller number than the one after this was given out: beyond what a leader knows it may have stored what it has not
    /// heard of, and beyond what a follower knows, what was stored since its last look.
    public var lastNumber: Int {
        if isExact { return seen.revision == 0 ? 0 : seen.revision + 1000 }
        return seen.revision + 1_000_000
    }

    public static let sentence =
        "this database is older than what a manager has seen of it: nobody leads until the newer file is put back, or the "
        + "older state is accepted (infrakit-manager accept)"
}

extension Lease {
    /// The row of a store that is found to be older than what a replica has seen.
    ///
    /// A leader keeps the lease there unless another may have it in that epoch or a later one: then no replica, new ones
    /// included, takes over while it lives, and it has no reason to let its groups go.
    ///
    /// - Parameters:
    ///   - own: the row by which this replica leads; nil when it does not.
    ///   - seen: what it knows.
    ///   - time: by its clock, milliseconds since 1970.
    public func suspended(seen: Watermark, own: Lease?, time: Int) -> Lease {
        let own = own?.epoch == seen.epoch ? own : nil
        let next = max(sequence, seen.sequence) + 1
        var row = with(renewedAt: renewedAt, sequence: next)
        if let own, epoch < own.epoch || epoch == own.epoch && instance == own.instance {
            row = own.with(renewedAt: time, sequence: next)
        }
        row.suspension = Suspension(seen: seen, isExact: own != nil)
        // Who knows more, or knows for sure, has the word.
        if let before = suspension, before.isExact || own == nil, before.seen.revision >= seen.revision {
            row.suspension = before
        }
        (row.revision, row.hash) = (revision, hash)
        return row
    }

    /// The row after somebody has accepted the older state: no epoch and no sequence comes again.
    public var accepted: Lease {
        guard let suspension else { return self }
        var row = with(
            renewedAt: renewedAt,
            epoch: max(epoch, suspension.seen.epoch),
            sequence: max(sequence, suspension.seen.sequence) + 1
        )
        row.suspension = nil
        return row
    }
}
