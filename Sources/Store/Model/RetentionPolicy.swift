public import GroupSPI

/// How much of the history is kept. What is tagged, and what a group still stands at, is kept beyond it.
public struct RetentionPolicy: Hashable, Sendable {
    /// So many of the newest revisions; nil for all.
    public var limit: Int?
    /// Those that are not older than this, in milliseconds; nil for all. A revision goes when either says so. What counts is
    /// the time that leaders have seen pass since one with a maximum age first saw the revision.
    public var maximumAge: Int?

    public init(limit: Int? = nil, maximumAge: Int? = nil) {
        self.limit = limit
        self.maximumAge = maximumAge
    }

    public var keepsEverything: Bool { limit == nil && maximumAge == nil }

    /// How long to wait until what is not kept any more is looked for again: ages are only as exact as that.
    public func pause(atMost longest: Duration) -> Duration {
        guard let maximumAge else { return longest }
        return min(longest, max(.seconds(1), .milliseconds(maximumAge / 4)))
    }
}

/// How far retention has come.
public struct Retention: Hashable, Sendable {
    /// From this revision on the history is complete.
    public let whole: Int
    /// How many revisions were removed, in all.
    public let removed: Int
    /// When the last one was, in milliseconds since 1970; nil when none ever was.
    public let time: Int?
    /// The leader that removed it.
    public let manager: Identifier
}

/// One step of removing revisions.
public struct PruneStep: Hashable, Sendable {
    public let removed: Int
    /// The last revision that was looked at: where the next step goes on; nil when there is nothing left to look at.
    public let position: Int?

    package init(removed: Int, position: Int?) {
        self.removed = removed
        self.position = position
    }
}
