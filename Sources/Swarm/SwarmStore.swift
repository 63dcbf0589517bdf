package import Logging
package import Replication
package import Store

/// The manager's store in swarm mode: a ``ReplicatedStore`` over the swarm's labels, in which the node that leads the swarm leads.
package enum SwarmStore {
    /// The times and sizes by which it works.
    package struct Settings: Hashable, Sendable {
        package var detector: SwarmDetectorSettings
        /// For one look at the leadership.
        package var lookLimit: Duration
        package var label: EncodedAnnotation.Limit
        package var replication: ReplicationSettings

        package init(
            detector: SwarmDetectorSettings = SwarmDetectorSettings(),
            lookLimit: Duration = .seconds(1),
            label: EncodedAnnotation.Limit = EncodedAnnotation.Limit(),
            replication: ReplicationSettings = ReplicationSettings()
        ) {
            self.detector = detector
            self.lookLimit = lookLimit
            self.label = label
            self.replication = replication
        }
    }

    /// Opens this node's replica; makes it when it is missing, and puts a damaged one aside.
    ///
    /// - Parameter holderIsGone: whether a lease's holder is known to have ended.
    /// - Throws: ``StoreError``, also `conflict` when the database is not a replica but a history of its own.
    package static func open(
        _ place: any ReplicaPlace,
        engine: any SwarmEngine,
        clock: ReplicationClock = ReplicationClock(),
        rules: ReplicationRules = ReplicationRules(),
        settings: Settings,
        logger: Logger,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) async throws(StoreError) -> ReplicatedStore {
        try await ReplicatedStore.open(
            place,
            register: SwarmRegister(
                engine,
                settings: settings.replication.swap,
                label: settings.label,
                clock: clock
            ),
            elector: SwarmElector(engine, settings: settings.detector, within: settings.lookLimit, clock: clock),
            clock: clock,
            rules: rules,
            settings: settings.replication,
            logger: logger,
            holderIsGone: holderIsGone
        )
    }
}
