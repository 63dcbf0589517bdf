internal import GroupSPI
package import Logging
package import Store
internal import Synchronization

/// The manager's store where replicas share no directory: the newest snapshot of the history lies in a register that all nodes
/// share, and a database on this node is a replica of it, with the whole history.
///
/// Every write goes to the register first, by compare-and-swap, and only while this node may claim to lead; then into the
/// replica. All that is read comes from the replica.
package actor ReplicatedStore: StateStore {
    nonisolated let register: any ReplicatedRegister
    nonisolated let elector: any Elector
    package nonisolated let keeper: ReplicaKeeper
    nonisolated let clock: ReplicationClock
    nonisolated let steady: SteadyTime
    nonisolated let rules: ReplicationRules
    nonisolated let settings: ReplicationSettings
    nonisolated let logger: Logger
    nonisolated let holderIsGone: @Sendable (Lease) -> Bool
    /// The instance of another manager on this node that holds the lease and may still act; nil when there is none.
    nonisolated let rival = Mutex<String?>(nil)

    var history: KnownHistory
    var sightings = RequestSightings()
    var writes = WriteQueue()
    private var notes = ReplicaNotes()
    /// Of this manager's own leases; nil before it has asked for one.
    var instance: String?
    private var polls = 0
    /// What the last look at the leadership complained about.
    private var observed: String?
    private var saidLoss: ContentLoss?
    /// Asks another manager on this node whether it lives.
    var question: HolderQuestion?
    var isExchanging = false
    /// Nothing was written since the replica was brought up to date that this process has found at its start.
    var isReplicaCurrent = false
    private var isWarned = false

    nonisolated var terminology: RegisterTerminology { register.terminology }
    package nonisolated var replica: any LocalReplica { keeper.replica }

    private init(
        _ opened: ReplicaKeeper.Opened,
        at place: any ReplicaPlace,
        register: any ReplicatedRegister,
        elector: any Elector,
        clock: ReplicationClock,
        rules: ReplicationRules,
        settings: ReplicationSettings,
        logger: Logger,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) {
        self.register = register
        self.elector = elector
        self.clock = clock
        self.rules = rules
        self.settings = settings
        self.logger = logger
        self.holderIsGone = holderIsGone
        steady = SteadyTime(clock)
        history = KnownHistory(newest: opened.snapshot, floor: opened.epoch, origin: opened.info)
        keeper = ReplicaKeeper(
            opened.replica,
            at: place,
            clock: clock,
            settings: settings,
            terminology: register.terminology,
            logger: logger
        )
    }

    /// Opens this node's replica; makes it when it is missing, and puts a damaged one aside.
    ///
    /// - Parameter holderIsGone: whether a lease's holder is known to have ended.
    /// - Throws: ``StoreError``, also `conflict` when the database is not a replica but a history of its own.
    package static func open(
        _ place: any ReplicaPlace,
        register: any ReplicatedRegister,
        elector: any Elector,
        clock: ReplicationClock = ReplicationClock(),
        rules: ReplicationRules = ReplicationRules(),
        settings: ReplicationSettings,
        logger: Logger,
        holderIsGone: @escaping @Sendable (Lease) -> Bool
    ) async throws(StoreError) -> ReplicatedStore {
        ReplicatedStore(
            try await ReplicaKeeper.open(
                place,
                settings: settings,
                terminology: register.terminology,
                logger: logger
            ),
            at: place,
            register: register,
            elector: elector,
            clock: clock,
            rules: rules,
            settings: settings,
            logger: logger,
            holderIsGone: holderIsGone
        )
    }

    // MARK: - Polling

    /// Looks at the leadership and at the register, and brings the replica up to date.
    ///
    /// - Throws: ``StoreError``: what keeps this node from knowing.
    func poll() async throws(StoreError) {
        polls += 1
        let poll = await elector.poll()
        observed = poll.trouble
        do throws(StoreError) {
            let reading: RegisterState
            do throws(RegisterError) {
                if let known = history.state?.reading {
                    reading = try await register.changes(since: known)
                } else {
                    reading = try await register.read()
                }
            } catch {
                throw StoreError(error, isWrite: false)
            }
            try await receive(reading, askedAt: poll.askedAt)
        } catch {
            if notes.trouble != error.message {
                notes.trouble = error.message
                let limit = settings.limit
                try? await keeper.perform { replica throws(StoreError) in
                    try await replica.setReplicaTrouble(error.message, within: limit)
                }
            }
            throw error
        }
    }

    private func receive(
        _ reading: RegisterState,
        askedAt: ContinuousClock.Instant
    ) async throws(StoreError) {
        if reading.requests.trouble != nil, history.state?.reading.requests.tag != reading.requests.tag {
            terminology.log(.requestsUnreadable, logger)
        }
        let next: KnownState
        switch history.receive(reading, patience: settings.patience, rules) {
        case .news(let state): next = state
        case .old:
            guard history.state == nil else { return }
            throw StoreError(.busy, "\(terminology.server) reports an older state than this node has seen")
        case .putBack(let state):
            // What this node knows beyond it is not forgotten for that.
            terminology.log(.putBack(version: reading.version), logger)
            let limit = settings.limit
            try await keeper.perform { replica throws(StoreError) in
                try await replica.resetReplicaPosition(within: limit)
            }
            history.forgetOrigin()
            next = state
        }
        isReplicaCurrent = polls == 1 && history.isReplicaCurrent(reading)
        history.state = next
        try await follow()
        try await updateReplica()
        watchRival(askedAt: askedAt)
        if isNobodysTurn { elector.skipSettling() }
        await exchangeRequests(askedAt: askedAt)
        await keeper.tidy(isLeading: elector.claim.isLeader)
    }

    /// Does what the register's content asks for.
    private func follow() async throws(StoreError) {
        let demand = try history.follow(
            leads: elector.claim.isLeader,
            leader: elector.nodes?.leader?.id,
            patience: settings.patience
        )
        switch demand {
        case .nothing: if case .current = history.state?.finding { saidLoss = nil }
        case .restore: try await edit(within: settings.swap.requestLimit) { _ throws(StoreError) in }
        case .report(let loss):
            guard saidLoss != loss else { return }
            saidLoss = loss
            terminology.log(.lost(reason: loss.sentence(terminology)), logger)
        }
    }

    // MARK: - Who held the lease before

    private var isNobodysTurn: Bool {
        history.isNobodysTurn { holderIsGone($0) || question?.isSilent(about: $0) == true }
    }

    /// The elector says which node leads, not which manager on it. One that holds the lease here already keeps it, unless it
    /// is known to have ended, or does not answer.
    private func watchRival(askedAt: ContinuousClock.Instant) {
        guard let state = history.state, let own = elector.nodes?.own else { return }
        let (lease, place) = history.holder(state)
        guard lease.isHeld, place == own, lease.instance != instance, !holderIsGone(lease) else {
            rival.withLock { $0 = nil }
            question = nil
            return
        }
        if question?.isAbout(lease) != true || question?.isOutdated(polls, after: settings.patience) == true {
            question = HolderQuestion(about: lease)
        }
        question?.look(
            state.requests,
            askedAt: askedAt,
            at: clock.now(),
            number: polls,
            silence: elector.settling
        )
        let isSilent = question?.isSilent(about: lease) == true
        rival.withLock { $0 = isSilent ? nil : lease.instance }
    }

    // MARK: - The replica

    /// Writes what is known into the replica, if that is news.
    func updateReplica() async throws(StoreError) {
        guard let state = history.state else { return }
        let nodes = elector.nodes
        let now = clock.now()
        let time = clock.wall()
        notes.see(state.snapshot, nodes, time: time)
        let trouble = contentTrouble(state) ?? observed
        guard notes.isDue(state, nodes, trouble: trouble, at: now, every: settings.noteInterval) else { return }
        let lease = shownLease(state)
        var shown = state.snapshot
        shown?.lease = lease
        let info = LocalReplicaInfo(
            cluster: state.cluster,
            node: nodes?.own ?? "",
            leader: Identifier(observed == nil ? nodes?.leader?.hostName ?? "" : ""),
            position: state.version.value,
            version: Int(clamping: state.reading.version),
            labelSize: state.reading.size,
            labelLimit: register.limits.snapshot,
            readAt: time,
            trouble: trouble
        )
        var newest = history.newest
        newest?.lease = lease
        keeper.source.withLock { $0 = newest.map { ReplicaKeeper.Source(snapshot: $0, info: info) } }
        try await keeper.apply(shown, info)
        notes.note(state, nodes, trouble: trouble, at: now)
    }

    /// What is wrong with the register's content, for people.
    private func contentTrouble(_ state: KnownState) -> String? {
        switch state.finding {
        case .current, .unreadable: nil
        case .fresh:
            keeper.quarantined.map {
                "\(terminology.absence), and this node's copy of the history was damaged (\($0)). Start a manager on another "
                    + "node, or move that file away to start a new history."
            }
        case .lost(let loss): "\(loss.sentence(terminology)); the leader will write its own state again"
        case .foreign:
            "another manager has written \(terminology.content); the next leader adopts its groups"
        case .strange(let snapshot):
            "\(terminology.content) has another history (revision \(snapshot.newest) in epoch \(snapshot.lease.epoch)) than this "
                + "node's copy; the copy is kept"
        }
    }

    /// The lease as it is shown: renewed when its holder's node was last seen to lead.
    func shownLease(_ state: KnownState) -> Lease {
        notes.shown(history.holder(state).lease, floor: history.floor, polls: polls)
    }

    /// Says once that the register gets full, and again when there was room meanwhile.
    func warn(_ warning: String?) {
        defer { isWarned = warning != nil }
        if let warning, !isWarned { terminology.log(.nearlyFull(warning: warning), logger) }
    }
}
