public import Store

/// The times and sizes by which a ``SwarmStore`` works.
public struct SwarmStoreSettings: Hashable, Sendable {
    public var detector: SwarmDetectorSettings
    /// For one look at the leadership.
    public var lookLimit: Duration
    /// How a write behaves when the Engine does not say yes or no.
    public var swap: SwarmAnnotationStore.Settings
    /// How much of the past the label keeps.
    public var past: HistoryImage.Limits
    public var label: EncodedAnnotation.Limit
    /// How often the copy notes that nothing has changed.
    public var noteInterval: Duration
    /// How much of the history this node's copy keeps, and how often the rest is removed.
    public var retention = RetentionPolicy()
    public var tidyInterval = Duration.seconds(60)
    /// How often the whole copy is looked at for damage, the first time at the start; nil: never.
    public var verifyInterval: Duration? = .seconds(600)
    /// After so many looks that show something older than what is known, the older is believed: the swarm was put back.
    public var patience: Int

    public init(
        detector: SwarmDetectorSettings = SwarmDetectorSettings(),
        lookLimit: Duration = .seconds(1),
        swap: SwarmAnnotationStore.Settings = SwarmAnnotationStore.Settings(),
        past: HistoryImage.Limits = HistoryImage.Limits(),
        label: EncodedAnnotation.Limit = EncodedAnnotation.Limit(),
        noteInterval: Duration = .seconds(5),
        patience: Int = 30
    ) {
        self.detector = detector
        self.lookLimit = lookLimit
        self.swap = swap
        self.past = past
        self.label = label
        self.noteInterval = noteInterval
        self.patience = patience
    }
}
