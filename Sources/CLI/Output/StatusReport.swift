internal import GroupSPI
internal import Manager
internal import Store
internal import Terminal

/// Everything that `status` tells.
struct StatusReport {
    let lease: Lease
    let summary: HistorySummary
    /// What the manager on this host says of itself (`Manager.Status`); nil when none answers.
    let replica: JSONView?
    /// One is there, and has not answered in time.
    let isReplicaSilent: Bool
    let storage: StorageReport
    /// Of what the database is a copy; nil in os mode.
    let swarm: LocalReplicaInfo?
    /// How much time there is to confirm each revision that waits, in milliseconds.
    let times: [Int: Int]
    let sighting: LeaseSighting
    let now: Timestamp

    private var isLeaseOver: Bool {
        switch sighting {
        case .still: true
        case .renewed: false
        // The times are the leader's, the comparison is this host's: good enough to tell people, never to decide.
        case .plausible, .changed: now.milliseconds > lease.expiresAt
        }
    }

    /// On a swarm's node that is told nothing.
    private var isLeaderUnknown: Bool { swarm?.hidesLeader(at: now) == true }

    private var role: String? { replica?.member("role")?.string }

    var status: ExitStatus {
        if role == "leader" { return .done }
        if !lease.isHeld || isLeaseOver || isLeaderUnknown || lease.suspension != nil { return .noLeader }
        return role == nil ? .done : .notLeader
    }

    var json: JSON {
        [
            "leader": leader,
            "replica": replica.map { replica in
                .object(["id", "role", "reason"].map { .init(Identifier($0), .string(replica.member($0)?.string)) })
            } ?? nil,
            "revision": [
                "current": .int(summary.current), "newest": .int(summary.newest),
                "pending": .array(summary.pending.map { .int($0) }),
                "rejected": .array(summary.rejected.map { .int($0) }),
                "unconfirmed": .array(summary.unconfirmed.map { .int($0.revision) }),
            ],
            "plugin": replica?.member("plugin").map { .raw($0.raw) } ?? nil,
            "storage": storage.json,
            "swarm": swarm.map(\.json) ?? nil,
        ]
    }

    private var leader: JSON {
        guard lease.isHeld, lease.suspension == nil, role == "leader" || !isLeaderUnknown else { return nil }
        return [
            "manager": .string(lease.holder), "epoch": .int(lease.epoch),
            "renewedAt": .string(Timestamp(milliseconds: lease.renewedAt).rfc3339),
            "expiresAt": .string(Timestamp(milliseconds: lease.expiresAt).rfc3339),
            "host": .string(lease.process.host), "socket": .string(lease.socket),
        ]
    }

    var text: TerminalText {
        var lines: [TerminalText] = [
            "Leader:    \(leaderText)", "Replica:   \(replicaText)", "Revision:  \(revisionText)",
        ]
        if !summary.pending.isEmpty { lines.append("Pending:   \(Self.list(summary.pending))") }
        if !summary.rejected.isEmpty { lines.append("Rejected:  \(Self.list(summary.rejected))") }
        for confirmation in summary.unconfirmed {
            let rest = times[confirmation.revision] ?? confirmation.allowed
            // To the second: more would not be true any more when it is read.
            let text = rest < 1000 ? "at the leader's next poll" : "in \(Duration.seconds(rest / 1000).goText)"
            lines.append("Confirm:   revision \(confirmation.revision), or it is reverted \(text)")
        }
        if let plugin = replica?.member("plugin") {
            let trouble = plugin.member("error")?.string.map { ": \($0)" } ?? ""
            let health = plugin.member("reachable")?.bool == true ? "reachable" : "not reachable"
            lines.append("Plugin:    \(plugin.member("name")?.string ?? "") \(health)\(trouble)")
        }
        if let slow = replica?.member("plugin")?.member("slow")?.string { lines.append("Slow:      \(slow)") }
        if let slow = replica?.member("store")?.member("slow")?.string { lines.append("Slow:      \(slow)") }
        if let swarm { lines += swarm.lines(at: now) }
        lines.append("Database:  \(storage.text)")
        return lines.map { $0 + "\n" }.joined()
    }

    private var leaderText: String {
        if lease.suspension != nil { return "nobody: \(Suspension.sentence)" }
        guard lease.isHeld else {
            return lease.epoch == 0 ? "nobody has led yet" : "nobody (the lease of epoch \(lease.epoch) was released)"
        }
        if let clock = sighting.clockText {
            return "\(lease.holder) in epoch \(lease.epoch), renewing its lease; \(clock)"
        }
        if case .still = sighting, now.milliseconds < lease.expiresAt {
            let ttl = Duration.milliseconds(lease.ttl).goText
            return "\(lease.holder) in epoch \(lease.epoch), lease not renewed during \(ttl) of watching it"
        }
        let renewed = Timestamp(milliseconds: lease.renewedAt).age(at: now)
        let expiry = Timestamp(milliseconds: lease.expiresAt)
        if role != "leader", isLeaderUnknown {
            return "not known (\(lease.holder) led in epoch \(lease.epoch), last seen \(renewed))"
        }
        let rest =
            isLeaseOver
            ? "expired \(expiry.age(at: now))" : "\((lease.expiresAt - now.milliseconds) / 1000) s left"
        return "\(lease.holder) in epoch \(lease.epoch), lease renewed \(renewed), \(rest)"
    }

    private var replicaText: String {
        guard let replica else {
            return isReplicaSilent
                ? "a manager on this host accepts connections but does not answer in time"
                : "no manager answers on this host"
        }
        return "\(replica.member("id")?.string ?? ""): \(role ?? "unknown") (\(replica.member("reason")?.string ?? ""))"
    }

    private var revisionText: String {
        guard summary.newest > 0 else { return "none yet" }
        let current = summary.current.map(String.init) ?? "none"
        return summary.newest == summary.current ? current : "\(current) (newest: \(summary.newest))"
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
}

/// Where the database lies.
struct StorageReport {
    let path: String
    let storage: StorageClass?

    init(path: String) {
        self.path = path
        self.storage = try? StorageClass(of: path)
    }

    var json: JSON {
        [
            "path": .string(path), "type": .string(storage?.type), "mount": .string(storage?.mountPoint),
            "hazard": .string(storage?.hazard),
        ]
    }

    var text: String {
        let place = storage.map { " (\($0.type) at \($0.mountPoint))" } ?? ""
        return path + place + (storage?.hazard.map { "; unsafe: \($0)" } ?? "")
    }
}
