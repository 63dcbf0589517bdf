extension Snapshot {
    /// How a snapshot that was found stands to the newest one that is known.
    public enum Relation: Hashable, Sendable {
        /// The same state, or one that goes on from it.
        case same, newer
        /// A state that was there before: of the same history, and overtaken since.
        case older
        /// Not of this history: neither came from the other.
        case other
    }

    /// Epochs, revisions and writes are counted by whoever leads and never go back; and two states with different hashes at
    /// one revision are two histories.
    ///
    /// What one of them does not keep any more cannot be compared, and is taken to be the same.
    public func relation(to known: Snapshot) -> Relation {
        let common = min(newest, known.newest)
        if let one = hash(at: common), let two = known.hash(at: common), one != two { return .other }
        if lease.epoch == known.lease.epoch {
            guard !lease.isHeld || !known.lease.isHeld || lease.instance == known.lease.instance else { return .other }
            // A copy does not keep the count of writes: then the revisions tell, and what is known of each.
            let isCounted = known.sequence > 0
            if newest == known.newest {
                guard isCounted else { return hasOpen(whatHasEndedIn: known) ? .older : .same }
                return sequence == known.sequence ? .same : sequence < known.sequence ? .older : .newer
            }
            let isShorter = newest < known.newest
            guard !isCounted || isShorter == (sequence < known.sequence) else { return .other }
            return isShorter ? .older : .newer
        }
        if lease.epoch > known.lease.epoch { return newest >= known.newest ? .newer : .other }
        return newest <= known.newest ? .older : .other
    }

    /// Whether something is still open here that the other, of the same epoch and revisions, knows to have ended: the lease, a
    /// change, or the time to confirm one. None of them is open again once it has ended.
    private func hasOpen(whatHasEndedIn known: Snapshot) -> Bool {
        if lease.isHeld, !known.lease.isHeld { return true }
        return records.contains { record in
            let number = record.revision.number
            // What is open is in the records.
            guard number > known.base.revision else { return !record.isSettled }
            let other = known.records[number - known.base.revision - 1].revision
            let isOpen = Set(record.revision.changes.filter { $0.status == .pending }.map(\.group))
            return other.changes.contains { $0.status != .pending && isOpen.contains($0.group) }
                || record.revision.confirmation?.state == .waiting && other.confirmation?.state != .waiting
        }
    }

    /// Whether a later leader has begun with less than is known, and has not gone on from there yet: nothing contradicts what is
    /// known beyond it.
    public func isBehind(_ known: Snapshot) -> Bool {
        guard newest < known.newest, let own = hash(at: newest), let there = known.hash(at: newest) else {
            return false
        }
        return own == there
    }
}
