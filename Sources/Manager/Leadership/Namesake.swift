internal import Store

/// Finds out whether another replica leads under this one's id, which people could not tell apart, and lives.
///
/// A lease of an earlier start of this replica names the same id, and stands still. So what counts is that the row moves, by this
/// replica's own clock, or that its holder runs where it can be seen. No other host's clock is compared.
struct Namesake {
    private struct Row {
        var lease: Lease
        var since: BootInstant
        /// It was seen to move while that instance had it.
        var hasMoved: Bool
    }

    private let candidate: Candidate
    private var row: Row?

    init(_ candidate: Candidate) {
        self.candidate = candidate
    }

    /// - Parameters:
    ///   - isRunning: whether the holder's process runs; nil where that cannot be seen.
    ///   - startedAt: before the row was read.
    /// - Returns: why this replica must not lead; nil when no namesake is known to live.
    mutating func observed(_ lease: Lease, isRunning: Bool?, startedAt: BootInstant, now: BootInstant) -> String? {
        guard lease.isHeld, lease.holder == candidate.id.name, lease.instance != candidate.instance, isRunning != false
        else {
            row = nil
            return nil
        }
        let isSame = row?.lease.instance == lease.instance
        if !isSame || row?.lease.epoch != lease.epoch || row?.lease.sequence != lease.sequence {
            row = Row(lease: lease, since: now, hasMoved: isSame)
        }
        guard isRunning == true || isMoving(lease, startedAt) else { return nil }
        return Self.refusal(lease)
    }

    /// It has moved, and has not stood still since for as long as it may be taken over after.
    private func isMoving(_ lease: Lease, _ startedAt: BootInstant) -> Bool {
        guard let row, row.hasMoved else { return false }
        return startedAt - row.since < .milliseconds(lease.ttl)
    }

    static func refusal(_ lease: Lease) -> String {
        "another replica with the id '\(lease.holder)' leads: process \(lease.process.pid) on \(lease.process.host). "
            + "Give each replica its own id (--id)"
    }
}
