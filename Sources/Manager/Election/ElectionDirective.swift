public import Store

/// What ``Election`` wants done.
public enum ElectionDirective: Hashable, Sendable {
    /// Read the row.
    case observe
    /// Take the lease over, if the row is still the one that was watched.
    case acquire(watched: Lease, reason: String)
    case renew(epoch: Int)
    /// Start acting, until the deadline.
    case assume(epoch: Int, deadline: BootInstant)
    /// Go on acting, until the new deadline.
    case extend(epoch: Int, deadline: BootInstant)
    /// Stop acting at once, and let no group go: the term lasts.
    case suspend(epoch: Int, reason: String)
    /// Go on holding the lease without acting, until the new deadline.
    case hold(epoch: Int, deadline: BootInstant)
    /// Stop acting at once and let all groups go; answer with `freed`, or with `stalled`. In order: the lease is renewed
    /// meanwhile, so what the plugin is carrying out is waited for.
    case resign(epoch: Int, reason: String, isOrderly: Bool)
    /// The lease is held until then, for letting the groups go; nothing else may be done under it.
    case keep(epoch: Int, deadline: BootInstant)
    /// The lease is renewed no more: nothing is to be waited for any longer.
    case letRunOut(epoch: Int)
    /// Empty the row's holder.
    case release(epoch: Int, reason: String)
    /// Come back with a `tick` at that moment.
    case wake(at: BootInstant)
}
