internal import GroupSPI
internal import Store
internal import Terminal

extension LocalReplicaInfo {
    /// In milliseconds. A manager notes every few seconds that nothing has changed.
    private static let freshness = 15_000

    /// Why the copy is old; nil when it is not.
    func staleness(at now: Timestamp) -> String? {
        // A clock that was set back since says nothing either: a manager that runs writes its own time again within seconds.
        guard abs(now.milliseconds - readAt) > Self.freshness else { return nil }
        return trouble ?? "no manager on this node updates it"
    }

    /// When the Engine last told.
    func reading(at now: Timestamp) -> String {
        now.milliseconds < readAt
            ? "read before this host's clock was set back" : "read \(Timestamp(milliseconds: readAt).age(at: now))"
    }

    /// So long after the Engine last told, in milliseconds, nothing is known of who leads. One look that fails is nothing.
    private static let memory = 5_000

    /// Whether who leads is not known on this node, whatever the copy says of it.
    func hidesLeader(at now: Timestamp) -> Bool {
        staleness(at: now) != nil || trouble != nil && abs(now.milliseconds - readAt) > Self.memory
    }

    var json: JSON {
        [
            "cluster": .string(cluster), "node": .string(node), "leader": leader.isEmpty ? nil : .string(leader),
            "version": .int(version), "labelSize": .int(labelSize), "labelLimit": .int(labelLimit),
            "readAt": readAt == 0 ? nil : .string(Timestamp(milliseconds: readAt).rfc3339), "trouble": .string(trouble),
        ]
    }

    func lines(at now: Timestamp) -> [TerminalText] {
        let share = labelLimit > 0 ? labelSize * 100 / labelLimit : 0
        return [
            (readAt == 0
                ? "Swarm:     not read yet"
                : "Swarm:     \(cluster), version \(version), \(reading(at: now))")
                + (trouble.map { "; problem: \($0)" } ?? ""),
            "Node:      \(node.isEmpty ? "not known" : node); "
                + (leader.isEmpty || hidesLeader(at: now)
                    ? "the leading node is not known" : "\(leader) leads the swarm"),
            "Label:     \(labelSize) of \(labelLimit) bytes (\(share) %)",
        ]
    }
}
