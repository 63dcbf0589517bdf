/// How far a change has come. Stored as the raw value: append only.
public enum Status: Int, Sendable, CaseIterable {
    /// Stored; the plugin has not confirmed it yet.
    case pending = 0
    case applied = 1
    /// The plugin refused it; the group keeps what it had before.
    case rejected = 2
    /// Overtaken by a later change of its group before its outcome was known: the plugin may have applied it, and its user
    /// may have been told so. It counts as what it set.
    case superseded = 3
    /// Of a revision only, and never stored: the plugin refused it for some of its groups.
    case partial = 4

    /// The word in the history.
    public var name: String { "\(self)" }

    /// The status of a revision, from those of its changes.
    public static func combining(_ statuses: some Sequence<Status>) -> Status {
        var seen: Set<Status> = []
        for status in statuses { seen.insert(status) }
        if seen.contains(.pending) { return .pending }
        guard seen.count > 1 else { return seen.first ?? .applied }
        return seen.contains(.rejected) ? .partial : .superseded
    }
}
