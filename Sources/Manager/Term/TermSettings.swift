public import GroupSPI
public import Store

/// The times by which a `LeaderTerm` and `TermSupervisor` work.
public struct TermSettings: Hashable, Sendable {
    /// How long a call to the plugin may take.
    public var rpcTimeout: Duration
    /// How often the plugin is asked what it watches.
    public var reconcileInterval: Duration
    /// How often requests are looked for, if nobody says that there is one.
    public var pollInterval: Duration
    /// How long the store may take. A term does not last longer without it.
    public var storeTimeout: Duration
    /// How long one attempt to let a group go may take when the lease is lost.
    public var freeTimeout: Duration
    /// The same while the lease is renewed.
    public var orderlyFreeTimeout: Duration
    /// So long after the end of the renewals nobody takes over yet: for letting groups go.
    public var releaseRoom: Duration
    /// For so long groups are let go without one that is let go.
    public var letGoPatience: Duration
    /// So much later than it was told the guard begins when its manager, which lives, lets the groups go.
    public var guardGrace: Duration
    /// The name under which the plugin is stored with each spec.
    public var pluginName: Identifier
    /// How much of the history is kept.
    public var retention = RetentionPolicy()
    /// How long the outcome of an acknowledged change may wait to be stored together with another write.
    public var outcomeLinger = Duration.milliseconds(20)
    /// How often what is not kept is removed.
    public var tidyInterval = Duration.seconds(60)
    /// The same, often enough for what is kept for a short time only.
    var tidyPause: Duration { retention.pause(atMost: tidyInterval) }
    /// What the specifications of all groups may be together, as `GroupSpec/largestText` counts them.
    public var largestConfiguration = GroupSpec.largestSum
    /// Whether a follower passes users' writes on to the leader instead of refusing them.
    public var forwardsWrites = false
    /// Calls to the plugin that reconciling has under way at once.
    public var concurrency: Int
    /// Users' calls that change no configuration and are at the plugin at once; the others' share is what it takes beyond.
    public var userCalls = 192

    public init(
        rpcTimeout: Duration = .seconds(30),
        reconcileInterval: Duration = .seconds(10),
        election: ElectionSettings,
        pluginName: Identifier,
        concurrency: Int = 64
    ) {
        self.rpcTimeout = rpcTimeout
        self.reconcileInterval = reconcileInterval
        self.pollInterval = election.pollInterval
        self.storeTimeout = election.renewDeadline
        self.freeTimeout = min(rpcTimeout, election.ttl - election.renewDeadline)
        self.orderlyFreeTimeout = min(rpcTimeout, election.ttl)
        self.letGoPatience = election.ttl
        self.releaseRoom = election.ttl - election.renewDeadline
        self.guardGrace = election.guardGrace
        self.pluginName = pluginName
        self.concurrency = concurrency
    }
}
