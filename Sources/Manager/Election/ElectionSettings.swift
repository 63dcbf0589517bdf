internal import Store

/// The three times of the lease. Their ratios are what keeps two leaders apart, so they are checked.
public struct ElectionSettings: Hashable, Sendable {
    /// After so long without a renewal another replica may take over.
    public let ttl: Duration
    /// After so long without a renewal the holder stops acting. What is left until the ttl is for letting groups go.
    public let renewDeadline: Duration
    /// How often a follower looks and a leader renews.
    public let pollInterval: Duration
    /// For so long at most the lease is renewed for groups that are being let go. The supervisor gives up much earlier where
    /// nothing goes on any more: this is for many groups and a slow plugin.
    let longestDeparture: Duration

    /// - Throws: ``SettingsError`` that names the flags.
    public init(
        ttl: Duration = standardTTL,
        renewDeadline: Duration = .seconds(6),
        pollInterval: Duration = .milliseconds(1500),
        longestDeparture: Duration? = nil
    ) throws(SettingsError) {
        func check(_ holds: Bool, _ message: String) throws(SettingsError) {
            if !holds { throw SettingsError(message: message) }
        }
        try check(ttl >= .seconds(1), "--lease-ttl (\(ttl.goText)) must be at least 1s")
        try check(pollInterval > .zero, "--poll-interval (\(pollInterval.goText)) must be more than 0")
        try check(
            ttl > renewDeadline,
            "--lease-ttl (\(ttl.goText)) must be longer than --renew-deadline (\(renewDeadline.goText)): the "
                + "difference is the time to release groups; two thirds of the ttl is a good deadline"
        )
        try check(
            renewDeadline > pollInterval * 2,
            "--renew-deadline (\(renewDeadline.goText)) must be longer than twice --poll-interval "
                + "(\(pollInterval.goText)): one failed renewal must not end a term"
        )
        self.ttl = ttl
        self.renewDeadline = renewDeadline
        self.pollInterval = pollInterval
        self.longestDeparture = longestDeparture ?? ttl * 60
    }

    /// What `--lease-ttl` is when nobody says so.
    public static let standardTTL = Duration.seconds(9)

    /// The shortest ttl, in whole seconds, that leaves room for renewals which take so long: the poll interval, a sixth of it, is as
    /// long as one, and of four that follow one another the last is in time.
    public static func ttl(whenRenewalsTake duration: Duration) -> Duration {
        .seconds(max(1, (duration.milliseconds * 6 + 999) / 1000))
    }

    /// What may lie between the beginnings of two looks at a row that count as one wait. Shorter than what a healthy holder
    /// can lack in the file when its renewals have gone into a copy between the two looks: it renewed a poll interval before, and does
    /// so again a poll interval after. One regular look always joins the one before, however the times were chosen.
    func longestGap(for lease: Lease) -> Duration {
        max(min(ttl, .milliseconds(lease.ttl)) - pollInterval * 2, pollInterval * 5 / 4)
    }

    /// What is left for letting go when the lease could not be renewed. Half of it is for the manager, if it lives; then the guard
    /// begins as well.
    var guardGrace: Duration { (ttl - renewDeadline) / 2 }

    /// No living loop pauses for longer. It waits for a ttl at most, for the end of a row that names it, and less for
    /// the store, whose calls are bounded by the renew deadline; as much again is for a busy machine.
    var longestPause: Duration { ttl * 2 }

    /// Over how long those spread their looks whom the end of a leader wakes at the same moment. A look takes a millisecond of
    /// a processor, most of it for waking up; the first of a hundred has the lease before most of them have begun.
    var spread: Duration { min(.milliseconds(100), pollInterval) }

    /// How long a statement may wait for another process's lock: below the poll interval, or a renewal is worth nothing.
    public var busyTimeout: Duration { min(.seconds(1), pollInterval * 2 / 3) }
}

/// Settings that contradict each other.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}
