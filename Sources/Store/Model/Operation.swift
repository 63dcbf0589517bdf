/// What a user asked for. Stored as the raw value: append only.
public enum Operation: Int, Sendable, CaseIterable {
    case watch = 1
    case update = 2
    case commit = 3
    case free = 4
    case destroy = 5
    case rollback = 6
    case `import` = 7
    /// Nobody asked: a copy of the history goes on from what it found after a gap.
    case adopt = 8

    /// The word in the history.
    public var name: String { "\(self)" }
}
