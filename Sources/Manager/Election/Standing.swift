public import Store

/// What a replica is at the moment, and why.
public struct Standing: Hashable, Sendable {
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

extension Election {
    public var standing: Standing {
        switch state {
        case .leading(let term): Standing(role: .leader, reason: "holds the lease in epoch \(term.epoch)", lease: nil)
        case .acquiring: Standing(role: .candidate, reason: "is asking for the lease", lease: nil)
        case .resigning(let departure):
            Standing(role: .follower, reason: "lets its groups go after leading: \(departure.reason)", lease: nil)
        case .stopped: Standing(role: .follower, reason: "is stopping", lease: nil)
        case .watching(let watch): watching(watch)
        }
    }

    private func watching(_ watch: Watch?) -> Standing {
        if let trouble {
            return Standing(role: .unknown, reason: "cannot read the lease: \(trouble)", lease: watch?.lease)
        }
        guard let lease = watch?.lease else {
            return Standing(role: .unknown, reason: "has not read the lease yet", lease: nil)
        }
        if lease.isHeld {
            return Standing(
                role: .follower,
                reason: hindrance ?? "\(lease.holder) leads in epoch \(lease.epoch)",
                lease: lease
            )
        }
        let rest = restUntil == nil ? nil : "has just handed leadership over and lets another go first"
        return Standing(role: .candidate, reason: hindrance ?? rest ?? "nobody leads", lease: lease)
    }
}
