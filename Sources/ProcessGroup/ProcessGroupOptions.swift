/// How patient the plugin is.
public struct ProcessGroupOptions: Hashable, Sendable {
    /// A process that has lived so long is relied on: a roll goes on to the next one.
    public var settleTime: Duration
    /// The time between SIGTERM and SIGKILL.
    public var stopGrace: Duration
    /// How often the processes are looked at while nothing is going on. While something is, four times as often.
    public var pollInterval: Duration
    /// The waits between restarts of what dies again and again.
    public var backoff: RestartBackoff
    /// After so many early deaths in a row of the new version, an `update` that waits for it fails.
    public var updateAttempts: Int
    /// A log that is larger than this many bytes when its process starts becomes the old log. A log that grows while
    /// its process runs is not bounded: the process writes it by itself, and should not write without end.
    public var maximumLogSize: Int
    /// How long a group that another plugin of this host still holds is waited for.
    public var takeoverPatience: Duration

    public init(
        settleTime: Duration = .seconds(1),
        stopGrace: Duration = .seconds(10),
        pollInterval: Duration = .milliseconds(200),
        backoff: RestartBackoff = RestartBackoff(),
        updateAttempts: Int = 3,
        maximumLogSize: Int = 10 * 1024 * 1024,
        takeoverPatience: Duration = .seconds(1)
    ) {
        self.settleTime = settleTime
        self.stopGrace = stopGrace
        self.pollInterval = pollInterval
        self.backoff = backoff
        self.updateAttempts = updateAttempts
        self.maximumLogSize = maximumLogSize
        self.takeoverPatience = takeoverPatience
    }
}
