/// How far a change has come. Stored as the raw value: append only.
public enum Status: Int, Sendable, CaseIterable {
    /// Stored; the plugin has not confirmed it yet.
    case pending = 0
    case applied = 1
    /// The plugin refused it; the group keeps what it had before.
    case rejected = 2
    /// Of a revision only: its groups fared differently.
    case partial = 3

    /// The word in the history.
    public var name: String { "\(self)" }

    /// The status of a revision, from those of its changes.
    public static func combining(_ statuses: some Sequence<Status>) -> Status {
        var seen: Set<Status> = []
        for status in statuses { seen.insert(status) }
        if seen.contains(.pending) { return .pending }
        return seen.count > 1 ? .partial : seen.first ?? .applied
    }
}
