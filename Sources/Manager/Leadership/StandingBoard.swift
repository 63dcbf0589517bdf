internal import Store
internal import Synchronization

/// Where the election's shell writes what this replica is, and everybody else reads it.
public final class StandingBoard: Sendable {
    private let value = Mutex(Standing(role: .unknown, reason: "has not read the lease yet", lease: nil))

    public init() {}

    public var current: Standing { value.withLock { $0 } }

    func post(_ standing: Standing) {
        value.withLock { $0 = standing }
    }

    /// The sentence with which a write is refused. It names the leader.
    public var refusal: String {
        let standing = current
        if standing.role == .leader {
            return "this replica is just taking leadership up, or giving it up; try again"
        }
        if let lease = standing.lease, lease.isHeld {
            return "this replica is not the leader: \(lease.holder) leads (epoch \(lease.epoch)); send the change to it"
        }
        return "this replica is not the leader, and no leader is known: \(standing.reason)"
    }
}
