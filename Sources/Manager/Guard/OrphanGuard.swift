public import GroupSPI

/// Lets the groups go when this process cannot: it was killed, or stands still past its deadline, while its plugin lives on
/// and would act beside the next leader.
public protocol OrphanGuard: Sendable {
    /// From now on, unless told otherwise before `deadline`, the groups are to be let go then, and also when this process
    /// ends.
    func arm(until deadline: BootInstant)
    /// Returns when the guard has taken the last order: from then on no free of an earlier one can come any more.
    func isReady() async
    /// This process is letting groups go itself: until then there is nothing to do, if it is later than what was said before.
    /// Nothing is said to a guard that is not armed.
    func postpone(until instant: BootInstant)
    /// Nothing is watched any more: nothing to let go.
    func disarm()
    /// The plugin is about to be told this group. When this returns, the guard can let it go by its name, also when this process
    /// ends in the next moment. It never waits for the guard.
    func note(_ group: Identifier)
    /// The plugin has let this group go.
    func forget(_ group: Identifier)
    /// The plugin has let all groups go.
    func forgetAll()
    func stop()
}

/// For a manager without a process of its own, as in tests.
public struct NoGuard: OrphanGuard {
    public init() {}
    public func arm(until deadline: BootInstant) {}
    public func isReady() async {}
    public func postpone(until instant: BootInstant) {}
    public func disarm() {}
    public func note(_ group: Identifier) {}
    public func forget(_ group: Identifier) {}
    public func forgetAll() {}
    public func stop() {}
}
