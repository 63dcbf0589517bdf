/// Whether this replica may call itself the leader, as far as its ``Elector`` knows.
package enum LeadershipClaim: Hashable, Sendable {
    /// It may, until that moment, unless another observation says otherwise before.
    case leader(until: ContinuousClock.Instant)
    /// Another node leads, as far as is known here.
    case follower
    /// It may not, and whether another may is not known. For people: why.
    case unknown(reason: String)

    package var isLeader: Bool {
        guard case .leader = self else { return false }
        return true
    }
}
