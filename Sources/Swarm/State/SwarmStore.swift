public import Logging
public import Store

/// The manager's store in swarm mode: what stands lies in a label of the swarm, and a database on this node is a copy of it
/// with the history.
///
/// Every write goes to the label first, by compare-and-swap, and only while this node may claim to lead; then into the
/// copy. All that is read comes from the copy.
public actor SwarmStore {
    public nonisolated let copy: Store
    nonisolated let claims: SwarmClaims
    nonisolated let configuration: StoreConfiguration
    nonisolated let settings: SwarmStoreSettings
    nonisolated let logger: Logger
    private nonisolated let observer: SwarmObserver
    nonisolated let annotations: SwarmAnnotationStore
    private nonisolated let holderIsGone: @Sendable (Lease) -> Bool

    /// Nil before the first look, and when a write has left it open.
    var known: SwarmState?
    /// The highest epoch that this node knows of: it does not fall when the label is lost.
    var floor: Int
    /// What the copy knew then; nil when it belongs to another swarm, or to none.
    private var origin: SwarmCopy?
    private var looks = 0
    private var olderLooks = 0
    private var tidiedAt: ContinuousClock.Instant?
    /// The sequence of the copy's lease at moments of this process.
    private var requestMarks: [(at: ContinuousClock.Instant, sequence: Int)] = []
    private var notedAt: ContinuousClock.Instant?
    private var notedText: String?
    private var notedNodes: SwarmObservation.Nodes?
    private var trouble: String?
    /// When the lease was last seen to stand: its holder's node led the swarm.
    private var seenAt = 0
    var edits: [Edit] = []
    var isSwapping = false
    var isExchanging = false
    /// Requests of this node that a write under way settles.
    var settling: Set<String> = []
    /// By request: the swarm's version in which it was first found in neither label.
    var missingSince: [String: UInt64] = [:]
    private var isWarned = false

    private init(
        copy: Store,
        configuration: StoreConfiguration,
        client: EngineClient,
        settings: SwarmStoreSettings,
        floor: Int,
        origin: SwarmCopy?,
        logger: Logger,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) {
        self.copy = copy
        self.configuration = configuration
        self.settings = settings
        self.logger = logger
        self.holderIsGone = holderIsGone
        self.floor = floor
        self.origin = origin
        claims = SwarmClaims(settings.detector)
        observer = SwarmObserver(client, within: settings.lookLimit)
        annotations = SwarmAnnotationStore(client, settings: settings.swap)
    }

    /// Opens this node's copy; makes it when it is missing, and puts a damaged one aside.
    ///
    /// - Parameter holderIsGone: whether a lease's holder is known to have ended.
    /// - Throws: ``StoreError``, also `conflict` when the database is not a copy but a history of its own.
    public static func open(
        _ configuration: StoreConfiguration,
        client: EngineClient,
        settings: SwarmStoreSettings,
        logger: Logger,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) async throws(StoreError) -> SwarmStore {
        let copy: Store
        do throws(StoreError) {
            copy = try await openCopy(configuration)
        } catch {
            guard error.code == .corrupt || error.code == .notADatabase else { throw error }
            let aside = try Store.setAside(configuration)
            logger.warning(
                "swarm copy set aside",
                metadata: ["reason": "\(error.message)", "path": "\(aside ?? "")"]
            )
            copy = try await openCopy(configuration)
        }
        return SwarmStore(
            copy: copy,
            configuration: configuration,
            client: client,
            settings: settings,
            floor: try await copy.lease(within: startLimit).epoch,
            origin: try await copy.swarmCopy(within: startLimit),
            logger: logger,
            holderIsGone: holderIsGone
        )
    }

    private static let startLimit = Duration.seconds(30)

    private static func openCopy(_ configuration: StoreConfiguration) async throws(StoreError) -> Store {
        let store = try await Store.openForManager(configuration)
        if try await store.swarmCopy(within: startLimit) == nil, try await store.lease(within: startLimit).epoch > 0 {
            throw StoreError(
                .conflict,
                "\(configuration.path) is the history of a manager in os mode, and not a copy of a swarm's. Name another "
                    + "store directory; export and import carry the groups over."
            )
        }
        return store
    }

    // MARK: - Looking

    /// Looks at the leadership and at the labels, and brings the copy up to date.
    ///
    /// - Throws: ``StoreError``: what keeps this node from knowing.
    func look() async throws(StoreError) {
        looks += 1
        let observation = await observer.observe()
        claims.handle(observation)
        do throws(StoreError) {
            let snapshot: SwarmSnapshot
            do {
                snapshot = try await annotations.read()
            } catch {
                throw StoreError(error, isWrite: false)
            }
            try await take(snapshot)
        } catch {
            if trouble != error.message {
                trouble = error.message
                try? await copy.setSwarmTrouble(error.message, within: settings.swap.limit)
            }
            throw error
        }
    }

    private func take(_ snapshot: SwarmSnapshot) async throws(StoreError) {
        let state: SwarmState
        do {
            state = try SwarmState(snapshot, known: known)
        } catch {
            throw StoreError(.corrupt, error.message)
        }
        if state.mailbox == nil, known?.mailboxText != state.mailboxText {
            logger.warning("swarm requests unreadable", metadata: ["label": "\(Mailbox.label)"])
        }
        if let newest = newestPosition(of: state.cluster), state.position.value < newest {
            // A write of this node has overtaken the reading; or the Engine, cut off, tells of old times.
            olderLooks += 1
            guard olderLooks > settings.patience else {
                guard known == nil else { return }
                throw StoreError(.busy, "the Engine tells of an older state than this node knows")
            }
            try await startAnew("the swarm has gone back to an older state")
            origin = nil
        }
        olderLooks = 0
        known = state
        floor = max(floor, state.image?.lease.epoch ?? 0)
        try await updateCopy()
        if isNobodysTurn(state) { claims.skipSettling() }
        await exchangeRequests()
        await tidy()
    }

    /// Removes from the copy what it need not keep. A leader's keeper does so itself.
    private func tidy() async {
        let now = ContinuousClock.now
        guard !claims.claim.isLeader, tidiedAt.map({ now - $0 >= settings.tidyInterval }) ?? true else { return }
        tidiedAt = now
        do throws(StoreError) {
            let limit = settings.swap.limit
            try await forgetRequests(now, within: limit)
            guard !settings.retention.keepsEverything else { return }
            var position: Int? = 0
            while let from = position {
                position = try await copy.pruneCopy(settings.retention, after: from, within: limit).position
            }
        } catch {
            logger.warning("history not pruned", metadata: ["error": "\(error)"])
        }
    }

    /// For how long whoever asked on this node finds what became of it.
    private static let requestMemory = Duration.seconds(300)

    private func forgetRequests(_ now: ContinuousClock.Instant, within limit: Duration) async throws(StoreError) {
        let old = requestMarks.lastIndex { now - $0.at >= Self.requestMemory }
        let sequence = old.map { requestMarks[$0].sequence } ?? 0
        var step: RequestRemoval
        repeat {
            step = try await copy.removeCopiedRequests(endedBefore: sequence, within: limit)
        } while step.removed > 0
        requestMarks.removeFirst(old ?? 0)
        requestMarks.append((at: now, sequence: step.sequence))
    }

    private func newestPosition(of cluster: String) -> Int? {
        if let known { return known.cluster == cluster ? known.position.value : nil }
        return origin?.cluster == cluster ? origin?.position : nil
    }

    /// Whether the one who led before has certainly let go.
    private func isNobodysTurn(_ state: SwarmState) -> Bool {
        guard let lease = state.image?.lease else { return state.text == nil && floor == 0 }
        return !lease.isHeld || holderIsGone(lease)
    }

    // MARK: - The copy

    /// Writes what is known into the copy, if that is news.
    func updateCopy() async throws(StoreError) {
        guard let state = known else { return }
        let nodes = claims.nodes
        let now = ContinuousClock.now
        let time = Store.wallClock()
        if let image = state.image, image.lease.isHeld, nodes?.leader?.id == image.place { seenAt = time }
        let isOld = notedAt.map { now - $0 >= settings.noteInterval } ?? true
        guard isOld || notedText != state.text || notedNodes != nodes || trouble != nil else { return }
        var image = state.image
        image?.lease = shownLease(state)
        let swarm = SwarmCopy(
            cluster: state.cluster,
            node: nodes?.own ?? "",
            leader: nodes?.leader?.hostName ?? "",
            position: state.position.value,
            version: Int(clamping: state.version),
            labelSize: state.text?.utf8.count ?? 0,
            labelLimit: settings.label.maximum,
            readAt: time
        )
        try await project(image, swarm)
        (notedAt, notedText, notedNodes, trouble) = (now, state.text, nodes, nil)
    }

    private func project(_ image: HistoryImage?, _ swarm: SwarmCopy) async throws(StoreError) {
        let limit = settings.swap.limit
        if let old = try await copy.swarmCopy(within: limit), old.cluster != swarm.cluster {
            try await startAnew("it is a copy of the swarm \(old.cluster)")
        }
        var projection = try await copy.project(image, swarm, within: limit)
        if case .diverged(let number) = projection {
            try await startAnew("its revision \(number) is not the swarm's")
            projection = try await copy.project(image, swarm, within: limit)
        }
        if case .done(let revisions) = projection, revisions > 0 {
            logger.debug("revisions copied", metadata: ["revisions": "\(revisions)"])
        }
    }

    private func startAnew(_ reason: String) async throws(StoreError) {
        let aside = try Store.setAside(configuration)
        logger.warning("swarm copy set aside", metadata: ["reason": "\(reason)", "path": "\(aside ?? "")"])
        _ = try await Store.openForManager(configuration)
    }

    /// The lease as it is shown: renewed when its holder's node was last seen to lead the swarm.
    func shownLease(_ state: SwarmState) -> Lease {
        guard let lease = state.image?.lease else { return .nobody(since: floor) }
        return lease.seen(at: max(seenAt, lease.acquiredAt), sequence: looks)
    }

    /// Says once that the label gets full, and again when there was room meanwhile.
    func warn(_ warning: String?) {
        defer { isWarned = warning != nil }
        if let warning, !isWarned { logger.warning("swarm label nearly full", metadata: ["warning": "\(warning)"]) }
    }
}
