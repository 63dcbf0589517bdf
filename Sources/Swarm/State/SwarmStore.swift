internal import GroupSPI
public import Logging
public import Store

/// The manager's store in swarm mode: what stands lies in a label of the swarm, and a database on this node is a copy of it
/// with the history.
///
/// Every write goes to the label first, by compare-and-swap, and only while this node may claim to lead; then into the
/// copy. All that is read comes from the copy.
public actor SwarmStore {
    package nonisolated let replica: any LocalReplica
    nonisolated let place: any ReplicaPlace
    nonisolated let claims: SwarmClaims
    nonisolated let clock: SwarmClock
    nonisolated let steady: SteadyTime
    nonisolated let rules: SwarmRules
    nonisolated let settings: SwarmStoreSettings
    nonisolated let logger: Logger
    private nonisolated let observer: SwarmObserver
    nonisolated let annotations: SwarmAnnotationStore
    private nonisolated let holderIsGone: @Sendable (Lease) -> Bool

    /// Nil before the first look, and when a write has left it open.
    var known: SwarmState?
    /// The newest state of this swarm that this node has seen, in the label or in its copy. It stays when the label is lost:
    /// nothing is ever written that does not begin with it, or with what the label holds beyond it.
    var memory: HistoryImage?
    /// The swarm that ``memory`` is of; nil when this node knows of none.
    private var cluster: String?
    /// The highest epoch that this node knows of: it does not fall when the label is lost.
    var floor: Int
    /// Under which this manager leads; nil when it does not.
    var term: Fence?
    /// Of this manager's own leases; nil before it has asked for one.
    var instance: String?
    /// What the copy knew at the start; nil when it belongs to another swarm, or to none.
    private var origin: SwarmCopy?
    private(set) var looks = 0
    private var olderLooks = 0
    private var strangeLooks = 0
    private var tidiedAt: ContinuousClock.Instant?
    private var verifiedAt: ContinuousClock.Instant?
    /// The sequence of the copy's lease at moments of this process.
    private var requestMarks: [(at: ContinuousClock.Instant, sequence: Int)] = []
    private var notedAt: ContinuousClock.Instant?
    private var notedText: String?
    private var notedNodes: SwarmObservation.Nodes?
    /// What the copy says of what is wrong.
    private var trouble: String?
    /// What the last look at the leadership complained about.
    private var observed: String?
    private var saidLoss: LabelLoss?
    /// When a lease was last seen to stand, and which: its holder's node led the swarm.
    private var seen = (epoch: 0, at: 0)
    /// What the copy was last brought up to date with.
    var projected: SwarmCopy?
    var healing: Task<StoreError?, Never>?
    var healedAt: [ContinuousClock.Instant] = []
    /// Asks another manager on this node whether it lives.
    var probe: HolderQuestion?
    var edits: [Edit] = []
    var isSwapping = false
    var isExchanging = false
    /// Requests of this node that a write under way settles.
    var settling: Set<String> = []
    /// By request that was passed on: when this process has last seen it open.
    var openSights: [String: Sight] = [:]
    /// Nothing was written since the copy was brought up to date that this process has found at its start.
    var isCopyCurrent = false
    /// By request: the swarm's version in which it was first found in neither label.
    var missingSince: [String: UInt64] = [:]
    private var isWarned = false

    private init(
        _ found: Found,
        at place: any ReplicaPlace,
        engine: any SwarmEngine,
        clock: SwarmClock,
        rules: SwarmRules,
        settings: SwarmStoreSettings,
        logger: Logger,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) {
        self.place = place
        self.clock = clock
        self.rules = rules
        self.settings = settings
        self.logger = logger
        self.holderIsGone = holderIsGone
        steady = SteadyTime(clock)
        replica = found.replica
        memory = found.image
        floor = found.epoch
        origin = found.copy
        cluster = origin.flatMap { $0.cluster.isEmpty ? nil : $0.cluster }
        claims = SwarmClaims(settings.detector, clock.now)
        observer = SwarmObserver(engine, within: settings.lookLimit, now: clock.now)
        annotations = SwarmAnnotationStore(engine, settings: settings.swap, clock: clock)
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
        try await open(
            DatabasePlace(configuration: configuration),
            engine: client,
            clock: SwarmClock(),
            settings: settings,
            logger: logger,
            holderIsGone: holderIsGone
        )
    }

    package static func open(
        _ place: any ReplicaPlace,
        engine: any SwarmEngine,
        clock: SwarmClock,
        rules: SwarmRules = SwarmRules(),
        settings: SwarmStoreSettings,
        logger: Logger,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) async throws(StoreError) -> SwarmStore {
        var found: Found
        do throws(StoreError) {
            found = try await openCopy(place, settings)
        } catch {
            guard error.saysDamage else { throw error }
            let aside = try await place.replace(as: damaged)
            logger.warning(
                "swarm copy damaged",
                metadata: ["reason": "\(error.message)", "path": "\(aside ?? "")"]
            )
            found = try await openCopy(place, settings)
        }
        return SwarmStore(
            found,
            at: place,
            engine: engine,
            clock: clock,
            rules: rules,
            settings: settings,
            logger: logger,
            holderIsGone: holderIsGone
        )
    }

    private struct Found {
        let replica: any LocalReplica
        let image: HistoryImage?
        let epoch: Int
        let copy: SwarmCopy?
    }

    private static let startLimit = Duration.seconds(30)

    private static func openCopy(
        _ place: any ReplicaPlace,
        _ settings: SwarmStoreSettings
    ) async throws(StoreError) -> Found {
        let replica = try await place.open()
        let epoch = try await replica.lease(within: startLimit).epoch
        let copy = try await replica.swarmCopy(within: startLimit)
        if copy == nil, epoch > 0 {
            throw StoreError(
                .conflict,
                "\(place.path) is the history of a manager in os mode, and not a copy of a swarm's. Name another "
                    + "store directory; export and import carry the groups over."
            )
        }
        // From here on commands know what this database is, also when the Engine never answers.
        try await replica.beginSwarmCopy(within: startLimit)
        return Found(
            replica: replica,
            image: try await replica.image(of: settings.past.records, within: startLimit),
            epoch: epoch,
            copy: copy
        )
    }

    // MARK: - Looking

    /// Looks at the leadership and at the labels, and brings the copy up to date.
    ///
    /// - Throws: ``StoreError``: what keeps this node from knowing.
    func look() async throws(StoreError) {
        looks += 1
        let observation = await observer.observe()
        claims.handle(observation)
        observed = observation.answer.trouble
        do throws(StoreError) {
            let snapshot: SwarmSnapshot
            do {
                snapshot = try await annotations.read()
            } catch {
                throw StoreError(error, isWrite: false)
            }
            try await take(snapshot, askedAt: observation.askedAt)
        } catch {
            if trouble != error.message {
                trouble = error.message
                try? await inCopy { copy throws(StoreError) in
                    try await copy.setSwarmTrouble(error.message, within: self.settings.swap.limit)
                }
            }
            throw error
        }
    }

    private func take(
        _ snapshot: SwarmSnapshot,
        askedAt: ContinuousClock.Instant
    ) async throws(StoreError) {
        if let cluster, cluster != snapshot.cluster {
            // Another swarm's history is none of this one's.
            (memory, known, term) = (nil, nil, nil)
        }
        cluster = snapshot.cluster
        let state = SwarmState(snapshot, before: known, known: memory, rules)
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
            // The swarm itself was put back. What this node knows beyond it is not forgotten for that.
            logger.warning("swarm put back", metadata: ["version": "\(state.version)"])
            try await inCopy { copy throws(StoreError) in
                try await copy.resetSwarmPosition(within: self.settings.swap.limit)
            }
            origin = nil
        }
        olderLooks = 0
        isCopyCurrent =
            looks == 1 && origin?.cluster == state.cluster && origin?.version == Int(clamping: state.version)
        known = state
        try await follow(state)
        try await updateCopy()
        watchRival(askedAt: askedAt)
        if isNobodysTurn { claims.skipSettling() }
        await exchangeRequests(askedAt: askedAt)
        await tidy()
    }

    /// Does what the label's content asks for.
    private func follow(_ state: SwarmState) async throws(StoreError) {
        if case .strange = state.finding {} else { strangeLooks = 0 }
        switch state.finding {
        case .current(let image):
            memory = image
            floor = max(floor, image.lease.epoch)
            saidLoss = nil
        case .lost(let loss):
            guard isInTerm, claims.claim.isLeader else { return say(loss) }
            try await edit(within: settings.swap.requestLimit) { _ throws(StoreError) in }
        case .strange(let image):
            // Whoever leads decides which of the two histories goes on. This node's is kept until that is plain.
            floor = max(floor, image.lease.epoch)
            // Another has led: its fence is the newer one.
            if let term, image.lease.epoch > term.epoch { self.term = nil }
            strangeLooks += 1
            guard strangeLooks > settings.patience, !isInTerm, !claims.claim.isLeader, let memory,
                !image.isBehind(memory),
                image.lease.epoch > memory.lease.epoch || image.lease.isHeld && image.place == claims.nodes?.leader?.id
            else { return }
            self.memory = image
            known?.finding = .current(image)
        case .unreadable(let error): throw StoreError(.corrupt, error.message)
        case .fresh, .foreign: break
        }
    }

    private func say(_ loss: LabelLoss) {
        guard saidLoss != loss else { return }
        saidLoss = loss
        logger.warning("swarm label lost", metadata: ["reason": "\(loss.sentence)"])
    }

    /// Whether this manager leads, as far as it knows itself: its groups, its history and its lease are the newest there are.
    var isInTerm: Bool {
        guard let term, let memory else { return false }
        return (try? memory.require(term)) != nil
    }

    /// Removes from the copy what it need not keep. A leader's term does so itself.
    private func tidy() async {
        let now = clock.now()
        if let interval = settings.verifyInterval, verifiedAt.map({ now - $0 >= interval }) ?? true {
            verifiedAt = now
            // Its own task: it takes as long as the history is long, and nobody waits for it.
            Task { await self.verifyCopy() }
        }
        guard !claims.claim.isLeader, isTimeToTidy(now) else { return }
        tidiedAt = now
        let (limit, retention) = (settings.swap.limit, settings.retention)
        do throws(StoreError) {
            try await inCopy { copy throws(StoreError) in
                try await self.forgetRequests(copy, now, within: limit)
                guard !retention.keepsEverything else { return }
                var position: Int? = 0
                while let from = position {
                    position = try await copy.pruneCopy(retention, after: from, within: limit).position
                }
            }
        } catch {
            logger.warning("history not pruned", metadata: ["error": "\(error)"])
        }
    }

    private func isTimeToTidy(_ now: ContinuousClock.Instant) -> Bool {
        let pause = settings.retention.pause(atMost: settings.tidyInterval)
        return tidiedAt.map { now - $0 >= pause } ?? true
    }

    /// For how long whoever asked on this node finds what became of it.
    private static let requestMemory = Duration.seconds(300)

    private func forgetRequests(
        _ copy: any LocalReplica,
        _ now: ContinuousClock.Instant,
        within limit: Duration
    ) async throws(StoreError) {
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

    // MARK: - Who held the lease before

    /// The lease as the newest state has it, and where its holder runs.
    func holder(_ state: SwarmState) -> (lease: Lease, place: String) {
        switch state.finding {
        case .current(let image): (image.lease, image.place)
        case .strange(let image) where image.lease.epoch > memory?.lease.epoch ?? 0: (image.lease, image.place)
        default: memory.map { ($0.lease, $0.place) } ?? (.nobody(since: floor), "")
        }
    }

    /// Whether the one who led before has certainly let go.
    private var isNobodysTurn: Bool {
        guard let known else { return false }
        if memory == nil, case .fresh = known.finding { return floor == 0 }
        let lease = holder(known).lease
        guard lease.isHeld || memory != nil else { return false }
        return !lease.isHeld || holderIsGone(lease) || probe?.isSilent(about: lease) == true
    }

    /// The swarm says which node leads, not which manager on it. One that holds the lease here already keeps it, unless it
    /// is known to have ended, or does not answer.
    private func watchRival(askedAt: ContinuousClock.Instant) {
        guard let known, let own = claims.nodes?.own else { return }
        let (lease, place) = holder(known)
        guard lease.isHeld, place == own, lease.instance != instance, !holderIsGone(lease) else {
            (claims.rival, probe) = (nil, nil)
            return
        }
        if probe?.isAbout(lease) != true || probe?.isOutdated(looks, after: settings.patience) == true {
            probe = HolderQuestion(about: lease)
        }
        probe?.look(
            known.mailbox,
            askedAt: askedAt,
            at: clock.now(),
            number: looks,
            silence: settings.detector.settling
        )
        claims.rival = probe?.isSilent(about: lease) == true ? nil : lease.instance
    }

    // MARK: - The copy

    /// Writes what is known into the copy, if that is news.
    func updateCopy() async throws(StoreError) {
        guard let state = known else { return }
        let nodes = claims.nodes
        let now = clock.now()
        let time = clock.wall()
        let image = state.image
        if let image, image.lease.isHeld, nodes?.leader?.id == image.place { seen = (image.lease.epoch, time) }
        let trouble = labelTrouble(state) ?? observed
        let isOld = notedAt.map { now - $0 >= settings.noteInterval } ?? true
        guard isOld || notedText != state.text || notedNodes != nodes || trouble != self.trouble else { return }
        var shown = image
        shown?.lease = shownLease(state)
        let swarm = SwarmCopy(
            cluster: state.cluster,
            node: nodes?.own ?? "",
            leader: Identifier(observed == nil ? nodes?.leader?.hostName ?? "" : ""),
            position: state.position.value,
            version: Int(clamping: state.version),
            labelSize: state.text?.utf8.count ?? 0,
            labelLimit: settings.label.maximum,
            readAt: time,
            trouble: trouble
        )
        try await project(shown, swarm)
        (notedAt, notedText, notedNodes, self.trouble) = (now, state.text, nodes, trouble)
    }

    /// What is wrong with the label, for people.
    private func labelTrouble(_ state: SwarmState) -> String? {
        switch state.finding {
        case .current, .unreadable: nil
        case .fresh:
            lostCopies.map {
                "the swarm has no label '\(Annotation.label)', and this node's copy of the history was damaged (\($0)). "
                    + "Start a manager on another node; or move that file away, and it begins anew."
            }
        case .lost(let loss): "\(loss.sentence); whoever leads writes again what it knows"
        case .foreign:
            "another manager has written the swarm's label '\(Annotation.label)'; whoever leads next takes its groups over"
        case .strange(let image):
            "the swarm's label '\(Annotation.label)' has another history (revision \(image.newest) in epoch "
                + "\(image.lease.epoch)) than this node's copy; the copy is kept"
        }
    }

    private func project(_ image: HistoryImage?, _ swarm: SwarmCopy) async throws(StoreError) {
        let limit = settings.swap.limit
        let projection = try await inCopy { copy throws(StoreError) in
            if let old = try await copy.swarmCopy(within: limit), old.cluster != swarm.cluster, !old.cluster.isEmpty {
                try await self.startAnew("it is a copy of the swarm \(old.cluster)")
            }
            var projection = try await copy.project(image, swarm, within: limit)
            if case .diverged(let number) = projection {
                try await self.startAnew("its revision \(number) is not the swarm's")
                projection = try await copy.project(image, swarm, within: limit)
            }
            return projection
        }
        switch projection {
        case .done(let revisions):
            projected = swarm
            if revisions > 0 { logger.debug("revisions copied", metadata: ["revisions": "\(revisions)"]) }
        case .behind:
            throw StoreError(.busy, "the swarm's label has fewer revisions than this node's copy, which is kept")
        case .stale, .diverged: break
        }
    }

    private func startAnew(_ reason: String) async throws(StoreError) {
        let aside = try await place.replace(as: "aside")
        logger.warning("swarm copy set aside", metadata: ["reason": "\(reason)", "path": "\(aside ?? "")"])
    }

    /// The lease as it is shown: renewed when its holder's node was last seen to lead the swarm.
    func shownLease(_ state: SwarmState) -> Lease {
        let lease = holder(state).lease
        guard lease.epoch > 0 || lease.isHeld else { return .nobody(since: floor) }
        // By this node's clock, once it has seen it; its holder's is another.
        return lease.seen(at: seen.epoch == lease.epoch ? seen.at : lease.acquiredAt, sequence: looks)
    }

    /// Says once that the label gets full, and again when there was room meanwhile.
    func warn(_ warning: String?) {
        defer { isWarned = warning != nil }
        if let warning, !isWarned { logger.warning("swarm label nearly full", metadata: ["warning": "\(warning)"]) }
    }
}
