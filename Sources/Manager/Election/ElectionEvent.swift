public import Store

/// What ``Election`` is told.
public enum ElectionEvent: Sendable {
    /// Time has passed.
    case tick
    /// The row was read. `startedAt` is from before the reading; `holderIsGone` when the holder's process ran on this
    /// host and has ended, and so has its orphan guard.
    case observed(Lease, startedAt: BootInstant, holderIsGone: Bool)
    case observationFailed(String)
    case acquired(Lease)
    /// The row had changed: its holder lives, or another was faster.
    case acquisitionLost
    case acquisitionFailed(String)
    case renewed
    /// Not renewed, and known not to be: the lock was busy.
    case renewalFailed(String)
    /// The row is another's; the message names it.
    case renewalFenced(String)
    /// An I/O error or an ambiguous commit, of a renewal or of any other write.
    case storeUncertain(String)
    /// This replica may not lead, and why; nil when it may.
    case hindered(String?)
    case stepDown(String)
    /// Every group has been let go.
    case freed
    case stop
}
