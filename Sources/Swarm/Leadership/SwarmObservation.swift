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

        /// Why nothing is known of the leadership; nil when something is.
        var trouble: String? {
            switch self {
            case .leader(canSeeMajority: true), .follower: nil
            case .leader(canSeeMajority: false):
                "this node leads the swarm, but does not see a majority of its managers"
            case .excluded(let reason), .unknown(let reason): reason
            }
        }
    }

    public let answer: Answer
    /// This node, and the one that leads; nil where that is not known.
    public let nodes: Nodes?
    /// Before the first request was sent.
    public let askedAt: ContinuousClock.Instant
    /// After the last answer came.
    public let answeredAt: ContinuousClock.Instant

    public struct Nodes: Hashable, Sendable {
        /// This node's id.
        public let own: String
        /// The node that leads; nil when the Engine names none.
        public let leader: SwarmNode?

        public init(own: String, leader: SwarmNode?) {
            self.own = own
            self.leader = leader
        }
    }

    public init(
        _ answer: Answer,
        nodes: Nodes? = nil,
        askedAt: ContinuousClock.Instant,
        answeredAt: ContinuousClock.Instant
    ) {
        self.answer = answer
        self.nodes = nodes
        self.askedAt = askedAt
        self.answeredAt = answeredAt
    }
}
