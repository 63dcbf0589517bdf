package import Store

/// The times and sizes by which a ``ReplicatedStore`` works.
package struct ReplicationSettings: Hashable, Sendable {
    /// How a write of the register behaves.
    package var swap: SwapSettings
    /// How much of the past the register keeps.
    package var past: Snapshot.Limits
    /// How often the replica notes that nothing has changed.
    package var noteInterval: Duration
    /// How much of the history this node's replica keeps, and how often the rest is removed.
    package var retention = RetentionPolicy()
    package var pruneInterval = Duration.seconds(60)
    /// How often the whole replica is looked at for damage, the first time at the start; nil: never.
    package var verifyInterval: Duration? = .seconds(600)
    /// After so many polls that show something older than what is known, the older is believed: the register was put back.
    package var patience: Int

    package init(
        swap: SwapSettings = SwapSettings(),
        past: Snapshot.Limits = Snapshot.Limits(),
        noteInterval: Duration = .seconds(5),
        patience: Int = 30
    ) {
        self.swap = swap
        self.past = past
        self.noteInterval = noteInterval
        self.patience = patience
    }

    /// For what nobody waits for with a time limit of their own.
    var limit: Duration { swap.limit }
}
