/// Whether this replica may call itself the leader, by the leadership of its swarm node.
public enum SwarmClaim: Hashable, Sendable {
    /// It may, until that moment, unless another observation says otherwise before.
    case leader(until: ContinuousClock.Instant)
    /// Another manager leads, as far as this Engine knows.
    case follower
    /// It may not, and whether another may is not known. For people: why.
    case unknown(reason: String)

    public var isLeader: Bool {
        guard case .leader = self else { return false }
        return true
    }
}
