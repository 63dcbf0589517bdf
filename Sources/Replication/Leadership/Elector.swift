/// Who of the nodes may lead. It decides about nodes; the lease in the register says which manager on the node does.
package protocol Elector: Sendable {
    /// Whether the lease is renewed within a ttl, which somebody has chosen.
    var hasLeaseTTL: Bool { get }
    /// The claim of whoever led before has run out so long after it was last confirmed.
    var settling: Duration { get }
    /// What may be claimed at this moment.
    var claim: LeadershipClaim { get }
    /// This node, and the one that leads, as they were last seen; nil before that.
    var nodes: ClusterNodes? { get }

    /// One look, which ``claim`` and ``nodes`` then take into account. Never fails: what went wrong is an answer too.
    func poll() async -> ElectionPoll
    /// Whoever led before has let its groups go: nothing has to be waited for.
    func skipSettling()
}

/// What one look at the leadership was.
package struct ElectionPoll: Hashable, Sendable {
    /// Before the first question was sent.
    package let askedAt: ContinuousClock.Instant
    /// Why nothing is known of the leadership; nil when something is.
    package let trouble: String?

    package init(askedAt: ContinuousClock.Instant, trouble: String?) {
        self.askedAt = askedAt
        self.trouble = trouble
    }
}

/// This node, and the one that leads.
package struct ClusterNodes: Hashable, Sendable {
    /// This node's id.
    package let own: String
    /// The id and the host name of the one that leads; nil when nobody does, as far as is known.
    package let leader: Node?

    package struct Node: Hashable, Sendable {
        package let id: String
        package let hostName: String

        package init(id: String, hostName: String) {
            self.id = id
            self.hostName = hostName
        }
    }

    package init(own: String, leader: Node?) {
        self.own = own
        self.leader = leader
    }
}
