/// What one look at the Engine showed of the swarm's leadership, and when.
public struct SwarmObservation: Hashable, Sendable {
    public enum Answer: Hashable, Sendable {
        /// The Engine's node leads the managers. `canSeeMajority`: by its own list more than half of them, itself
        /// included, are reachable; a leader that was cut off goes on calling itself one for up to 13 s.
        case leader(canSeeMajority: Bool)
        /// A manager that does not lead.
        case follower
        /// The Engine runs, and its node is no manager of an unlocked swarm: it certainly does not lead.
        case excluded(reason: String)
        /// No answer, or none that tells.
        case unknown(reason: String)
    }

    public let answer: Answer
    /// Before the first request was sent.
    public let askedAt: ContinuousClock.Instant
    /// After the last answer came.
    public let answeredAt: ContinuousClock.Instant

    public init(_ answer: Answer, askedAt: ContinuousClock.Instant, answeredAt: ContinuousClock.Instant) {
        self.answer = answer
        self.askedAt = askedAt
        self.answeredAt = answeredAt
    }
}
