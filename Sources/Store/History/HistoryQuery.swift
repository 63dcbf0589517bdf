public import GroupSPI

/// Which part of the history.
public struct HistoryQuery: Hashable, Sendable {
    /// Only revisions that changed this group.
    public var group: Identifier?
    /// At most so many, the newest first; nil for all.
    public var limit: Int?
    /// Only numbers below this one.
    public var before: Int?
    /// Only numbers above this one.
    public var after: Int?
    /// Only those from the first one on that was stored at or after this time, in milliseconds since 1970, by the clock of who led
    /// then.
    public var since: Int?

    public init(group: Identifier? = nil, limit: Int? = nil, before: Int? = nil, after: Int? = nil, since: Int? = nil) {
        self.group = group
        self.limit = limit
        self.before = before
        self.after = after
        self.since = since
    }
}
