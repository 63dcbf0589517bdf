package import Replication

/// Reads and replaces a label of the swarm, so that of two writers who began with the same text one alone succeeds.
///
/// The Engine knows no such thing for one label: an update replaces the whole specification, and names the version that
/// it was made from.
package struct LabelStore: Sendable {
    private let engine: any SwarmEngine
    private let settings: SwapSettings
    private let clock: ReplicationClock

    package init(
        _ engine: any SwarmEngine,
        settings: SwapSettings = SwapSettings(),
        clock: ReplicationClock = ReplicationClock()
    ) {
        self.engine = engine
        self.settings = settings
        self.clock = clock
    }

    /// What the labels hold. A manager that was cut off may answer from before the cut.
    package func read() async throws(RegisterError) -> SwarmLabels { SwarmLabels(try await swarm()) }

    /// Replaces the label's text, if it is still the one that the caller began with.
    ///
    /// - Parameters:
    ///   - label: its name.
    ///   - old: the text that the caller began with; nil: no label.
    ///   - new: has to differ from every text that the label had before, as one with a revision and an epoch does.
    ///   - others: from what the swarm holds to the labels that are to change in the same update; asked before every
    ///     sending. What it throws ends the write.
    ///   - limit: instead of that of the settings.
    ///   - mayWrite: asked right before every sending; false ends it.
    /// - Returns: the version in which the new text was seen, or on which it was written.
    /// - Throws: ``RegisterError``: `lostRace` when somebody else wrote, `unknownOutcome` when it cannot be told whether
    ///   the write took place. After any other nothing was written.
    @discardableResult
    package func compareAndSwap(
        label: String,
        from old: String?,
        to new: String,
        others: @Sendable (SwarmLabels) throws(RegisterError) -> [String: String] = { _ in [:] },
        within limit: Duration? = nil,
        while mayWrite: @Sendable () -> Bool = { true }
    ) async throws(RegisterError) -> ResourceVersion {
        try await CompareAndSwap(of: .label(label), .swarm, settings: settings, clock: clock).run(
            from: old,
            to: new,
            within: limit,
            while: mayWrite,
            read: { () throws(RegisterError) in
                let object = try await swarm()
                return CompareAndSwap.Reading(object, version: object.version, text: object.spec.label(label))
            },
            prepare: { (object: SwarmObject) throws(RegisterError) -> SwarmSpec in
                try others(SwarmLabels(object)).reduce(object.spec.setting(label: label, to: new)) { spec, other in
                    spec.setting(label: other.key, to: other.value)
                }
            },
            write: { (spec: SwarmSpec, version: UInt64) throws(RegisterError) in
                do throws(EngineError) {
                    try await engine.update(spec, version: version, within: settings.requestLimit)
                } catch {
                    throw RegisterError(error)
                }
            }
        )
    }

    private func swarm() async throws(RegisterError) -> SwarmObject {
        do throws(EngineError) {
            return try await engine.swarm(within: settings.requestLimit)
        } catch {
            throw RegisterError(error)
        }
    }
}

extension String {
    /// In sentences.
    static func label(_ name: String) -> String { "the swarm's label '\(name)'" }
}
