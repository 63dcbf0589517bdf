public import Store

/// What a replica is at the moment, and why.
public struct ReplicaStatus: Hashable, Sendable {
    public enum Role: String, Sendable {
        case leader, follower, candidate, unknown
    }

    public let role: Role
    /// One sentence for a person.
    public let reason: String
    /// The row as it was last seen; nil when it never was.
    public let lease: Lease?

    public init(role: Role, reason: String, lease: Lease?) {
        self.role = role
        self.reason = reason
        self.lease = lease
    }
}

extension ReplicaStatus {
    static func naming(_ lease: Lease) -> String { "\(lease.holder) leads in epoch \(lease.epoch)" }
}

extension Lease {
    /// Whether the row says that somebody acts: not one of an older state, nor one that only keeps others waiting.
    var namesLeader: Bool { isHeld && suspension == nil && holder != Lease.unknownHolder }
}

extension Election {
    public var standing: ReplicaStatus {
        switch state {
        case .leading(let term) where term.suspension != nil:
            ReplicaStatus(role: .unknown, reason: term.suspension ?? "", lease: nil)
        case .leading(let term):
            ReplicaStatus(role: .leader, reason: "holds the lease in epoch \(term.epoch)", lease: nil)
        case .acquiring:
            ReplicaStatus(role: .candidate, reason: notAcquired ?? "is acquiring the lease", lease: nil)
        case .resigning(let departure):
            ReplicaStatus(role: .follower, reason: "releases its groups after leading: \(departure.reason)", lease: nil)
        case .stopped: ReplicaStatus(role: .follower, reason: "is stopping", lease: nil)
        case .watching(let watch): watching(watch)
        }
    }

    /// Since when the row stands as it was last seen; nil when it was not seen in this state.
    var watchedSince: BootInstant? {
        guard case .watching(let watch?) = state else { return nil }
        return watch.since
    }

    private var notAcquired: String? {
        refusal.map { "the lease has run out and cannot be acquired: \($0)" }
    }

    private func watching(_ watch: Watch?) -> ReplicaStatus {
        if let trouble {
            let term = lastTerm.map { ", after its term in epoch \($0.epoch) ended (\($0.reason))" } ?? ""
            let isOwn = watch == nil || watch?.lease.instance == instance
            return ReplicaStatus(
                role: .unknown,
                reason: "cannot read the lease\(isOwn ? term : ""): \(trouble)",
                lease: watch?.lease
            )
        }
        if let notAcquired { return ReplicaStatus(role: .candidate, reason: inhibitor ?? notAcquired, lease: nil) }
        guard let lease = watch?.lease else {
            let reason = lastTerm.map {
                "led in epoch \($0.epoch) (ended: \($0.reason)) and is reading the lease again"
            }
            return ReplicaStatus(role: .unknown, reason: reason ?? "has not read the lease yet", lease: nil)
        }
        if lease.isHeld, !instance.isEmpty, lease.instance == instance {
            // The row says of this replica what is over.
            let reason = lastTerm.map { ": \($0.reason)" } ?? ""
            return ReplicaStatus(
                role: .candidate,
                reason: inhibitor
                    ?? "its term in epoch \(lease.epoch) has ended\(reason); its lease has not run out yet",
                lease: lease
            )
        }
        if lease.suspension != nil { return ReplicaStatus(role: .unknown, reason: Suspension.sentence, lease: lease) }
        if lease.isHeld, lease.holder == Lease.unknownHolder {
            let reason = "waits until the earlier leader has released its groups, after an older state was accepted"
            return ReplicaStatus(role: .candidate, reason: inhibitor ?? reason, lease: nil)
        }
        if lease.isHeld {
            return ReplicaStatus(
                role: .follower,
                reason: inhibitor ?? ReplicaStatus.naming(lease),
                lease: lease
            )
        }
        let cooldown = cooldownUntil == nil ? nil : "has just stepped down and lets another replica lead"
        let backoff =
            backoffUntil == nil ? nil : "waits before it leads again: a failure of the store ended its last term"
        return ReplicaStatus(role: .candidate, reason: inhibitor ?? cooldown ?? backoff ?? "nobody leads", lease: lease)
    }
}
