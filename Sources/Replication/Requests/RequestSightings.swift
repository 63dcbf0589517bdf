internal import Store

/// What this process has itself seen of the requests that it has passed on, and what it may conclude of one that is neither asked nor
/// settled any more. No clock and no socket.
struct RequestSightings {
    /// A moment at which a request was certainly not settled.
    struct Sight: Sendable {
        let at: ContinuousClock.Instant
        /// Of the leader of then: none before has settled it.
        let epoch: Int
    }

    /// How long after the patience of who asked the outcome is kept for them, in milliseconds.
    static let grace = 180_000

    /// Requests of this node that a write under way settles.
    private(set) var resolving: Set<String> = []
    /// By request that was passed on: when it was last seen open.
    private var open: [String: Sight] = [:]
    /// By request: the register's version in which it was first found missing.
    private var missingSince: [String: UInt64] = [:]

    /// A write that settles it begins.
    mutating func resolve(_ id: String, _ sight: Sight) {
        resolving.insert(id)
        open[id] = sight
    }

    mutating func endResolving(_ id: String) { resolving.remove(id) }

    mutating func see(_ id: String, _ sight: Sight) { open[id] = sight }

    mutating func forgetAll(but ids: Set<String>) { open = open.filter { ids.contains($0.key) } }

    /// Nothing of it was written, and nothing hangs: what is missing at the next look is gone.
    mutating func notWritten(_ ids: Set<String>) {
        for id in ids { missingSince[id] = 0 }
    }

    /// It was taken back over that version.
    mutating func takenBack(_ ids: Set<String>, over version: UInt64) {
        for id in ids { missingSince[id] = version }
    }

    /// Whether a request that is missing can no longer come: a write that hung may still come through for as long as the register
    /// has the version that it names.
    mutating func isGone(_ id: String, at version: UInt64, _ rules: ReplicationRules) -> Bool {
        let since = missingSince[id] ?? version
        missingSince[id] = since
        guard rules.isGone(since, version) else { return false }
        missingSince[id] = nil
        return true
    }

    /// What becomes of a request that is gone and not settled.
    ///
    /// A leader forgets in time what it has settled, and whoever writes the register again from a replica knows none of it. So it is
    /// asked again only where this process has itself seen it open, at a moment from which on all that was settled is still known.
    func fate(
        of request: Request,
        isCancelled: Bool,
        settledFrom: Int,
        at now: ContinuousClock.Instant
    ) -> Request.State {
        guard let sight = open[request.id] else { return .lost }
        let age = (now - sight.at).milliseconds
        guard age <= request.patience + Self.grace / 3, settledFrom <= sight.epoch else {
            // Nobody remembers any more how it came out.
            return .lost
        }
        return isCancelled ? .cancelled : .waiting
    }
}
