/// Reads and replaces a label of the swarm, so that of two writers who began with the same text one alone succeeds.
///
/// The Engine knows no such thing for one label: an update replaces the whole specification, and names the version that
/// it was made from. That version rises for reasons that are nobody's write, so losing it means to look again.
public struct SwarmAnnotationStore: Sendable {
    /// How a write behaves when the Engine does not say yes or no.
    public struct Settings: Hashable, Sendable {
        /// For one request.
        public var requestLimit: Duration
        /// How often a write is sent of which no answer tells what became of it, at most. One that was certainly refused, as
        /// somebody else changed the swarm at that moment, counts for nothing.
        public var attempts: Int
        /// How long all of it may take: sending, and finding out what became of it.
        public var limit: Duration
        /// Before looking again at what is open; doubles up to a second.
        public var pause: Duration
        /// Before trying again after somebody else's change of the swarm: a random part of it, which doubles up to
        /// ``longestBackoff``. Those who change it in a loop need some milliseconds for a round; whoever waits for much longer
        /// than that never meets a gap, and whoever does not wait at all leaves none to others.
        public var backoff = Duration.milliseconds(2)
        public var longestBackoff = Duration.milliseconds(60)

        public init(
            requestLimit: Duration = EngineClient.standardLimit,
            attempts: Int = 5,
            limit: Duration = .seconds(15),
            pause: Duration = .milliseconds(100)
        ) {
            self.requestLimit = requestLimit
            self.attempts = attempts
            self.limit = limit
            self.pause = pause
        }
    }

    private let engine: any SwarmEngine
    private let settings: Settings
    private let clock: SwarmClock

    public init(_ client: EngineClient, settings: Settings = Settings()) {
        self.init(client, settings: settings, clock: SwarmClock())
    }

    init(_ engine: any SwarmEngine, settings: Settings, clock: SwarmClock) {
        self.engine = engine
        self.settings = settings
        self.clock = clock
    }

    /// What the labels hold. A manager that was cut off may answer from before the cut.
    public func read() async throws(EngineError) -> SwarmSnapshot {
        SwarmSnapshot(try await engine.swarm(within: settings.requestLimit))
    }

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
    /// - Throws: ``EngineError``: `lostRace` when somebody else wrote, `unknownOutcome` when it cannot be told whether
    ///   the write took place. After any other nothing was written.
    @discardableResult
    public func compareAndSwap(
        label: String,
        from old: String?,
        to new: String,
        others: @Sendable (SwarmSnapshot) throws(EngineError) -> [String: String] = { _ in [:] },
        within limit: Duration? = nil,
        while mayWrite: @Sendable () -> Bool = { true }
    ) async throws(EngineError) -> SwarmPosition {
        var course = SwapCourse(old: old, new: new)
        let limit = limit ?? settings.limit
        let end = clock.now() + limit
        var pause = settings.pause
        var backoff = settings.backoff
        var sent = 0
        var races = 0
        while true {
            // Whether this round has ended with a certain refusal of what it sent.
            var (wasSent, wasRace) = (false, false)
            do throws(EngineError) {
                let object = try await engine.swarm(within: settings.requestLimit)
                switch course.look(at: object.spec.label(label), version: object.version) {
                case .done: return SwarmPosition(seen: object.version)
                case .lost: throw Self.lostRace(label)
                case .unclear: throw Self.overwritten(label)
                case .write where sent < settings.attempts:
                    guard mayWrite() else { throw Self.notAllowed(label) }
                    var spec = object.spec.setting(label: label, to: new)
                    for (name, text) in try others(SwarmSnapshot(object)) {
                        spec = spec.setting(label: name, to: text)
                    }
                    (sent, wasSent) = (sent + 1, true)
                    course.sent(version: object.version)
                    try await engine.update(spec, version: object.version, within: settings.requestLimit)
                    return SwarmPosition(writtenOn: object.version)
                // What was sent may still come through; sending more does not help.
                case .write: break
                }
            } catch {
                if let end = course.failed(error) { throw end }
                wasRace = wasSent && error.code == .lostRace
            }
            if wasRace {
                races += 1
                sent -= 1
            }
            guard clock.now() < end else {
                throw races > 0 && !course.isOpen
                    ? Self.outrun(label, races, limit) : course.timeout(label, after: limit)
            }
            do {
                try await clock.sleep(wasRace ? clock.jitter(backoff) : pause)
            } catch {
                throw course.end(.cancelled)
            }
            if wasRace {
                backoff = min(backoff * 2, settings.longestBackoff)
            } else {
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    private static func lostRace(_ label: String) -> EngineError {
        EngineError(
            .lostRace,
            "somebody else changed the swarm's label '\(label)'; nothing was written. Look again, then decide."
        )
    }

    private static func overwritten(_ label: String) -> EngineError {
        EngineError(
            .unknownOutcome,
            "the Engine did not say whether it wrote the swarm's label '\(label)', and somebody else has written it since. "
                + "Look what it holds now."
        )
    }

    private static func notAllowed(_ label: String) -> EngineError {
        EngineError(.cancelled, "this replica may not write the swarm's label '\(label)' any more")
    }

    private static func outrun(_ label: String, _ races: Int, _ limit: Duration) -> EngineError {
        EngineError(
            .contended,
            "others changed the swarm at each of \(races) attempts to write its label '\(label)' within "
                + "\(limit.milliseconds) ms; nothing was written. Find who updates the swarm in a loop, and try again."
        )
    }
}
