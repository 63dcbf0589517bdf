public import GroupSPI

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

    /// Whether a replica that has seen this has something to say of a row: that it is older, or more than who said so knew. What the
    /// history holds is another question.
    public func isMissing(in lease: Lease) -> Bool {
        guard let suspension = lease.suspension else { return !isReached(by: lease) }
        return !suspension.holds(self) || !suspension.isExact && suspension.seen.joined(with: self) != suspension.seen
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

    /// The newest of both.
    func joined(with other: Watermark) -> Watermark {
        var newest = self
        if (other.epoch, other.sequence) > (epoch, sequence) {
            (newest.epoch, newest.sequence) = (other.epoch, other.sequence)
        }
        newest.note(other.revision, other.hash)
        return newest
    }
}

/// What one replica knows at the moment at which it finds the store to be older than what it has seen.
public struct Witness: Sendable {
    public var seen: Watermark
    /// The row by which it holds the lease at this moment; nil when it does not. Who holds it knows all that was given out.
    public var own: Lease?
    /// The greatest number that it may have given out.
    public var lastNumber: Int
    /// The longest ttl of the rows that it has seen, in milliseconds.
    public var ttl: Int
    /// How many epochs and numbers may have been given out since it looked last, at most.
    public var unseen: (epochs: Int, numbers: Int)
}

/// Nobody may act on the store, because it is older than what a replica has seen of it: until the newer file is back, or
/// somebody accepts the older state.
public struct Suspension: Hashable, Sendable {
    /// The newest that was seen.
    public var seen: Watermark
    /// No later epoch was given out, and no greater number: neither of them is used again.
    public var lastEpoch: Int
    public var lastNumber: Int
    /// Told by who held the lease. Else there is room for what a leader of whom nobody has heard since may have given out; that
    /// leader may still be at work.
    public var isExact: Bool

    public init(seen: Watermark, lastEpoch: Int, lastNumber: Int, isExact: Bool) {
        self.seen = seen
        self.lastEpoch = lastEpoch
        self.lastNumber = lastNumber
        self.isExact = isExact
    }

    init(_ witness: Witness, isExact: Bool) {
        self.init(
            seen: witness.seen,
            lastEpoch: witness.seen.epoch + (isExact ? 0 : witness.unseen.epochs),
            lastNumber: max(witness.seen.revision, witness.lastNumber) + (isExact ? 0 : witness.unseen.numbers),
            isExact: isExact
        )
    }

    /// The greatest number that may have been given out.
    ///
    /// - Parameter last: the greatest that the older state has given out, or that an earlier acceptance has left out. Rows of the lease
    ///   tell of revisions alone; whoever led since that acceptance began above what it left out.
    public func lastNumber(after last: Int) -> Int {
        isExact ? max(lastNumber, last) : max(lastNumber, last + lastNumber - seen.revision)
    }

    /// Whether it counts with all that somebody has seen.
    func holds(_ seen: Watermark) -> Bool { seen.epoch <= lastEpoch && seen.revision <= lastNumber }

    /// What is known after another has said something before. Who knows for sure has the word, unless somebody has seen more.
    func joined(with before: Suspension?) -> Suspension {
        guard let before else { return self }
        if isExact, holds(before.seen) { return self }
        if before.isExact, before.holds(seen) { return before }
        return Suspension(
            seen: before.seen.joined(with: seen),
            lastEpoch: max(before.lastEpoch, lastEpoch),
            lastNumber: max(before.lastNumber, lastNumber),
            isExact: false
        )
    }

    public static let sentence =
        "this database is older than a state that a manager has seen: nobody leads until the newer file is put back, "
        + "or the older state is accepted (infrakit-manager accept)"
}

extension Lease {
    /// Holds the lease after an older state was accepted of which it is not known who led last.
    public static let unknownHolder: Identifier = "unknown"

    /// The row of a store that is found to be older than what a replica has seen.
    ///
    /// A leader keeps the lease there unless another may have it in that epoch or a later one: then no replica, new ones
    /// included, takes over while it lives, and it has no reason to let its groups go.
    ///
    /// - Parameters:
    ///   - witness: what this replica has seen.
    ///   - time: by the replica's clock, milliseconds since 1970.
    public func suspended(by witness: Witness, time: Int) -> Lease {
        let own = witness.own?.epoch == witness.seen.epoch ? witness.own : nil
        let next = max(sequence, witness.seen.sequence) + 1
        var row = with(renewedAt: renewedAt, sequence: next, ttl: max(ttl, witness.ttl))
        if let own, epoch < own.epoch || epoch == own.epoch && instance == own.instance {
            row = own.with(renewedAt: time, sequence: next)
        }
        row.suspension = Suspension(witness, isExact: own != nil).joined(with: suspension)
        (row.revision, row.hash) = (revision, hash)
        return row
    }

    /// The row after somebody has accepted the older state: no epoch and no sequence comes again.
    ///
    /// Where it is not known who led last, somebody may still hold the groups who has not looked yet. Then the row is held by nobody
    /// who could be seen to have ended: whoever is to lead next waits for a ttl.
    public var accepted: Lease {
        guard let suspension else { return self }
        let epoch = max(epoch, suspension.lastEpoch)
        var row =
            suspension.isExact
            ? self
            : Lease(
                holder: Self.unknownHolder,
                instance: "\(Self.unknownHolder)",
                epoch: epoch,
                sequence: sequence,
                ttl: ttl,
                acquiredAt: renewedAt,
                renewedAt: renewedAt,
                expiresAt: renewedAt + ttl,
                process: Lease.none.process,
                socket: "",
                pluginSocket: "",
                guardLock: "",
                revision: revision,
                hash: hash
            )
        row = row.with(
            renewedAt: renewedAt,
            epoch: epoch,
            sequence: max(sequence, suspension.seen.sequence, epoch) + 1
        )
        row.suspension = nil
        return row
    }
}
