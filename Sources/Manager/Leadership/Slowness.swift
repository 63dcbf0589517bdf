/// A call to the store took longer than the times of the lease leave room for.
struct Slowness: Hashable, Sendable {
    let duration: Duration
    /// Whether it was given up then.
    let isUnanswered: Bool
    let ttl: Duration

    /// - Returns: nil when it was quick enough.
    init?(_ duration: Duration, isUnanswered: Bool, _ settings: ElectionSettings) {
        // Of two renewals that take longer than that, the second is too late.
        guard duration > settings.renewDeadline / 2 else { return nil }
        self.duration = duration
        self.isUnanswered = isUnanswered
        ttl = settings.ttl
    }

    var text: String {
        let needed = ElectionSettings.ttl(whenRenewalsTake: duration)
        return isUnanswered
            ? "the database did not answer within \(duration.goText): this replica cannot lead with --lease-ttl "
                + "\(ttl.goText); it takes more than \(needed.goText). Run `infrakit-manager doctor` to measure it"
            : "the database took \(duration.goText) to answer: too slow for --lease-ttl \(ttl.goText); start all "
                + "managers with --lease-ttl \(needed.goText) or more"
    }
}
