internal import GroupSPI

extension Connection {
    func retention() throws -> Retention {
        let row = try first("SELECT whole, removed, time, manager FROM retention WHERE id = 1") { row in
            Retention(
                whole: row.int(0),
                removed: row.int(1),
                time: row.int(2) == 0 ? nil : row.int(2),
                manager: row.identifier(3)
            )
        }
        return row ?? Retention(whole: 1, removed: 0, time: nil, manager: "")
    }

    /// Removes the next revisions that a policy does not keep, if the writer still leads.
    ///
    /// What a kept revision shows stays as it was: a revision that some group stands at, in the whole part of the history
    /// or at a tagged revision, is kept too, with all that its hash covers.
    ///
    /// - Parameters:
    ///   - position: the last revision that was looked at; 0 at the start.
    ///   - count: how many revisions to look at, at most: every step is a short transaction.
    ///   - fence: nil where no lease is needed, because the file is one node's own copy.
    ///   - time: now, in milliseconds since 1970.
    ///   - elapsed: how much time this history has seen pass, in milliseconds: ages are counted on that. By a clock that is
    ///     set, everything would be old at once.
    func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        count: Int,
        fence: Fence?,
        time: Int,
        elapsed: Int = 0
    ) throws -> PruneStep {
        if let fence { try requireLease(fence) }
        if let age = policy.maximumAge { try noteAge(at: elapsed, for: age) }
        let before = try retention()
        let whole = max(before.whole, try firstWholeRevision(policy, at: elapsed))
        let candidates = try all(
            "SELECT number, hash FROM revision WHERE number > ? AND number < ? ORDER BY number LIMIT ?",
            .int(position),
            .int(whole),
            .int(count)
        ) { row in (number: row.int(0), hash: row.blob(1)) }
        var removed = 0
        var run: (first: Int, last: Int, hash: [UInt8])?
        for (number, hash) in candidates where try !isNeeded(number, whole: whole) {
            try remove(number)
            removed += 1
            if let current = run, current.last == number - 1 {
                run = (current.first, number, hash)
            } else {
                if let run { try recordGap(run) }
                run = (number, number, hash)
            }
        }
        if let run { try recordGap(run) }
        if removed > 0 {
            try execute(
                "UPDATE retention SET whole = ?, removed = removed + ?, time = ?, epoch = ?, manager = ? WHERE id = 1",
                .int(whole),
                .int(removed),
                .int(time),
                .int(fence?.epoch ?? 0),
                .text(fence?.manager ?? "")
            )
        }
        return PruneStep(removed: removed, position: candidates.count < count ? nil : candidates.last?.number)
    }

    /// Where the part begins that is kept whole. It never ends before something whose outcome is open.
    private func firstWholeRevision(_ policy: RetentionPolicy, at elapsed: Int) throws -> Int {
        let newest = try newestRevisionNumber
        var whole = 1
        if let limit = policy.limit { whole = max(whole, newest - limit + 1) }
        if let age = policy.maximumAge {
            whole = max(whole, try newestRevision(olderThan: age, at: elapsed) + 1)
        }
        let open = try first(
            """
            SELECT min(revision) FROM (
                SELECT min(revision) AS revision FROM change WHERE status = 0
                UNION ALL SELECT min(revision) FROM confirmation WHERE state = 0
            )
            """
        ) { $0.optionalInt(0) }
        return min(whole, max(newest, 1), (open ?? nil) ?? Int.max)
    }

    /// Whether some group stands at what this revision did, just before `whole` or at a tagged revision.
    private func isNeeded(_ number: Int, whole: Int) throws -> Bool {
        if try first("SELECT 1 FROM tag WHERE revision = ?", .int(number), row: { _ in true }) == true { return true }
        let changes = try all(
            "SELECT group_id, action FROM change WHERE revision = ? AND status <> 2",
            .int(number)
        ) { row in (group: row.int(0), action: row.int(1)) }
        return try changes.contains { change in
            let next = try first(
                "SELECT revision FROM change WHERE group_id = ? AND revision > ? AND status <> 2 ORDER BY revision "
                    + "LIMIT 1",
                .int(change.group),
                .int(number),
                row: { $0.int(0) }
            )
            let end = next ?? Int.max
            let isSeen =
                try end >= whole
                || first(
                    "SELECT 1 FROM tag WHERE revision > ? AND revision < ? LIMIT 1",
                    .int(number),
                    .int(min(end, whole)),
                    row: { _ in true }
                ) == true
            guard isSeen, change.action != ActionCode.set else { return isSeen }
            // A group that ended, and of which nothing older is left, is as good as one that never was.
            return try first(
                "SELECT 1 FROM change WHERE group_id = ? AND revision < ? LIMIT 1",
                .int(change.group),
                .int(number),
                row: { _ in true }
            ) == true
        }
    }

    private func remove(_ number: Int) throws {
        let specs = try all("SELECT spec FROM change WHERE revision = ? AND spec IS NOT NULL", .int(number)) {
            $0.int(0)
        }
        try execute("DELETE FROM confirmation WHERE revision = ?", .int(number))
        try execute("DELETE FROM acknowledgement WHERE revision = ?", .int(number))
        try execute("DELETE FROM change WHERE revision = ?", .int(number))
        try execute("DELETE FROM revision WHERE number = ?", .int(number))
        for spec in specs {
            try execute(
                "DELETE FROM spec WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM change WHERE spec = ?1)",
                .int(spec)
            )
        }
    }

    /// Notes which numbers are gone, in one row with the gaps on both sides.
    func recordGap(_ gap: (first: Int, last: Int, hash: [UInt8]), reason: GapReason = .removed) throws {
        // What was lost counts for no other reason, and stays apart.
        let isLost = reason == .lost ? 1 : 0
        let lost = GapReason.lost.rawValue
        let left = try first(
            "SELECT first, reason FROM gap WHERE last = ? AND (reason = ?) = ?",
            .int(gap.first - 1),
            .int(lost),
            .int(isLost)
        ) { row in (first: row.int(0), reason: row.int(1)) }
        let right = try first(
            "SELECT last, hash, reason FROM gap WHERE first = ? AND (reason = ?) = ?",
            .int(gap.last + 1),
            .int(lost),
            .int(isLost)
        ) { row in (last: row.int(0), hash: row.blob(1), reason: row.int(2)) }
        if let left { try execute("DELETE FROM gap WHERE first = ?", .int(left.first)) }
        if right != nil { try execute("DELETE FROM gap WHERE first = ?", .int(gap.last + 1)) }
        // Of numbers that were removed and others that were never seen, all count as removed.
        try execute(
            "INSERT INTO gap (first, last, hash, reason) VALUES (?, ?, ?, ?)",
            .int(left?.first ?? gap.first),
            .int(right?.last ?? gap.last),
            .blob(right?.hash ?? gap.hash),
            .int(min(reason.rawValue, left?.reason ?? reason.rawValue, right?.reason ?? reason.rawValue))
        )
    }

    /// The hash of the revision before `number`, when that was removed; nil when nobody removed it.
    func removedHash(from first: Int, before number: Int) throws -> [UInt8]? {
        var next = first
        var hash: [UInt8]?
        while next < number {
            let gap = try self.first("SELECT last, hash FROM gap WHERE first = ?", .int(next)) { row in
                (last: row.int(0), hash: row.blob(1))
            }
            guard let gap, gap.last < number else { return nil }
            (next, hash) = (gap.last + 1, gap.hash)
        }
        return hash
    }

    /// How many of the numbers from `first` to `last` were removed.
    func countRemoved(from first: Int, through last: Int) throws -> Int {
        try self.first(
            "SELECT coalesce(sum(min(last, ?2) - max(first, ?1) + 1), 0) FROM gap WHERE first <= ?2 AND last >= ?1",
            .int(first),
            .int(last),
            row: { $0.int(0) }
        ) ?? 0
    }

    /// - Throws: ``StoreError`` `notFound`, with what there is instead, unless the revision tells the state of every group.
    func requireWhole(_ number: Int) throws {
        let newest = try newestRevisionNumber
        guard newest > 0 else {
            throw StoreError(.notFound, "there is no revision \(number): the history is empty")
        }
        let whole = try retention().whole
        let exists = try first("SELECT 1 FROM revision WHERE number = ?", .int(number), row: { _ in true }) == true
        if exists, try number >= whole || isTagged(number) { return }
        let tagged = try tags().filter { $0.revision < whole }
        var kept = whole == newest ? "revision \(newest)" : "revisions \(whole) to \(newest)"
        if !tagged.isEmpty {
            kept += ", and tagged: " + tagged.map { "\($0.revision) (\($0.name))" }.joined(separator: ", ")
        }
        guard number >= 1, number <= newest else {
            throw StoreError(.notFound, "there is no revision \(number): the history has \(kept)")
        }
        let unseen = try gaps(.unseen)
        let lost = try gaps(.lost)
        if !unseen.isEmpty { kept += ", without \(unseen.map(\.text).joined(separator: ", "))" }
        let reason =
            if exists {
                "of revision \(number) only its own changes are kept, not the rest of the configuration"
            } else if unseen.contains(where: { $0.numbers.contains(number) }) {
                "revision \(number) was made while this node was disconnected, and its copy of the history lacks it"
            } else if lost.contains(where: { $0.numbers.contains(number) }) {
                "revision \(number), if there was one, is lost: an older state of the database was accepted without it"
            } else {
                "revision \(number) was removed by retention"
            }
        throw StoreError(.notFound, "\(reason); there are \(kept)")
    }

    /// The numbers that are missing for a reason, the oldest first.
    func gaps(_ reason: GapReason) throws -> [Gap] {
        try all(
            "SELECT first, last FROM gap WHERE reason = ? ORDER BY first",
            .int(reason.rawValue)
        ) { row in Gap(numbers: row.int(0)...row.int(1)) }
    }
}

/// Why numbers are missing in the history. Stored as the raw value: append only.
enum GapReason: Int {
    /// By retention.
    case removed = 0
    /// This copy was not told of them.
    case unseen = 1
    /// They were in a newer copy of this file, and somebody has accepted that they are gone.
    case lost = 2
}

/// Numbers that are missing.
struct Gap {
    let numbers: ClosedRange<Int>

    var text: String {
        numbers.count == 1 ? "\(numbers.lowerBound)" : "\(numbers.lowerBound) to \(numbers.upperBound)"
    }
}
