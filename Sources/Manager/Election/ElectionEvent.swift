public import Store

/// What ``Election`` is told.
public enum ElectionEvent: Sendable {
    /// Time has passed.
    case tick
    /// The row was read. `startedAt` is from before the reading; `takeoverReason` says why the lease may be taken over at once:
    /// it was released, or its holder is known to have let go; nil when it may not.
    case observed(Lease, startedAt: BootInstant, takeoverReason: String?)
    case observationFailed(String)
    /// Whoever holds the lease in that epoch is known to have ended, and to have let its groups go: a look is worth it now.
    /// It is the look that tells whether the lease may be taken over.
    case holderEnded(epoch: Int)
    case acquired(Lease)
    /// The row had changed: its holder lives, or another was faster.
    case acquisitionLost
    case acquisitionFailed(String)
    /// Not acquired, and known not to be: nothing was stored.
    case acquisitionRefused(String)
    // What is told of a term names it: an answer may come when that term is over and another one lasts.
    case renewed(epoch: Int)
    /// Not renewed, and known not to be: the lock was busy.
    case renewalFailed(epoch: Int, String)
    /// The row is another's; the message names it.
    case renewalFenced(epoch: Int, String)
    /// An I/O error or an ambiguous commit, of a renewal or of any other write.
    case storeUncertain(epoch: Int, String)
    /// The store is older than what this leader has seen of it. When `isRenewed`, it holds the lease there all the same.
    case suspended(epoch: Int, String, isRenewed: Bool)
    /// This replica may not lead, and why; nil when it may.
    case inhibited(String?)
    case stepDown(epoch: Int, String)
    /// Every group that this replica had in that term has been let go.
    case freed(epoch: Int)
    /// Whether they are free cannot be told: the plugin is away, or does not answer. The lease is left to run out.
    case stalled(epoch: Int)
    case stop
}

extension ElectionEvent {
    /// What an error of a write means for the term in which it was made.
    static func storeTrouble(epoch: Int, _ error: StoreError) -> ElectionEvent {
        error.code == .stale
            ? .suspended(epoch: epoch, error.message, isRenewed: false)
            : .storeUncertain(epoch: epoch, error.message)
    }
}
