internal import GroupSPI
internal import Logging
internal import Store

/// Keeps the groups behind one plugin as the history says, for as long as this replica leads.
///
/// Every change is stored first, then told to the plugin; its outcome is stored behind the answer. Changes of one group follow one
/// another; those of different groups go side by side. What the plugin did not answer is told again until it does.
actor GroupKeeper {
    let store: any StateStore
    let plugin: any GroupPlugin
    let gate: LeadershipGate
    let board: StandingBoard
    let clock: any ManagerClock
    let settings: KeeperSettings
    let manager: Identifier
    let instance: String
    let logger: Logger
    /// Tells the election of trouble at the store, and of a hand-over that somebody asked for.
    let report: @Sendable (ElectionEvent) -> Void
    /// What stood before there was a history: the Go manager's groups.
    let heritage: @Sendable () async throws(StoreError) -> [GlobalConfig.Entry]
    /// Knows the groups that the plugin was told, for when this process cannot let them go.
    let orphanGuard: any OrphanGuard

    nonisolated let lanes = GroupLanes()
    /// The term in which this replica leads, once its states are read: before, there is nothing that a write could be judged
    /// against.
    var term: LeaderTerm?
    /// The term whose states are being read, or could not be.
    var beginning: TermToken?
    var room: ConfigurationRoom
    var requestsUnderWay: Set<String> = []
    /// Of this term, all of it.
    var requestLooks: RequestLooks
    var requestWatch: RequestWatch
    /// The lease's sequence at moments of this term: so old requests are told from new ones.
    var requestMarks: [(at: BootInstant, sequence: Int)] = []
    var isReverting = false
    var isTidying = false
    /// Outcomes that the store has not been told yet.
    var unrecorded: [Outcome] = []
    /// Those that are being stored.
    var beingRecorded: [Outcome] = []
    /// Tells it. Not a child task: nobody waits for it but the end of the term.
    var recording: Task<Bool, Never>?
    /// Those who wait until one more batch of outcomes is stored, or not.
    var recordingWaiters: [CheckedContinuation<Void, Never>] = []
    var running = 0
    var isComparing = false
    /// Sleeps between two rounds; cancelled to wake the loop.
    var sleeper: Task<Void, Never>?
    /// Until when; nil between two sleeps, when the loop will look by itself.
    var sleepsUntil: BootInstant?
    /// The rounds of this term. Not a child task: its life is the term's, which no call here spans.
    var rounds: Task<Void, Never>?
    /// Reads the states at the start of a term; writes wait for it.
    private var loading: Task<Void, Never>?
    /// What is to be let go, and how far that is.
    var debts = Debts()
    /// Lets the groups go; ends early when this replica leads again. Not a child task: whoever waits for it may give up.
    var freeing: Task<GroupRelease.Outcome, Never>?
    /// A term up to this one must not start any more: its end may arrive before its beginning was carried out.
    var endedEpoch = 0
    /// The newest term that was to start. Letting go for an earlier one is over.
    private(set) var assumedEpoch = 0
    /// The last term that has ended, until none of its calls is under way.
    var ended: TermToken?
    private(set) var pluginTrouble: String?

    init(
        store: any StateStore,
        plugin: any GroupPlugin,
        gate: LeadershipGate,
        board: StandingBoard,
        clock: any ManagerClock,
        settings: KeeperSettings,
        claimant: Claimant,
        heritage: @escaping @Sendable () async throws(StoreError) -> [GlobalConfig.Entry],
        orphanGuard: any OrphanGuard,
        logger: Logger,
        report: @escaping @Sendable (ElectionEvent) -> Void
    ) {
        self.store = store
        self.plugin = plugin
        self.gate = gate
        self.board = board
        self.clock = clock
        self.settings = settings
        self.room = ConfigurationRoom(limit: settings.largestConfiguration)
        self.requestLooks = RequestLooks(every: settings.pollInterval, from: clock.now())
        self.requestWatch = RequestWatch(from: clock.now())
        self.manager = claimant.id.name
        self.instance = claimant.instance
        self.heritage = heritage
        self.orphanGuard = orphanGuard
        self.logger = logger
        self.report = report
    }

    func fence(_ epoch: Int) -> Fence { Fence(instance: instance, epoch: epoch, manager: manager) }

    // MARK: - Terms

    /// Starts acting: reads what stands, tells the plugin all of it, and keeps at it until the term ends.
    func assume(epoch: Int) async {
        guard epoch > endedEpoch else { return }
        assumedEpoch = max(assumedEpoch, epoch)
        // A free that is still under way must not land after a watch of this term.
        ended?.cancelAll()
        while let freeing {
            freeing.cancel()
            _ = await freeing.value
        }
        // Nor a call of the term before, nor what it knew.
        await rounds?.value
        _ = await recording?.value
        unrecorded = []
        guard epoch > endedEpoch, epoch == assumedEpoch, term == nil, beginning == nil,
            gate.isOpen(epoch: epoch)
        else { return }
        let token = TermToken(epoch: epoch)
        beginning = token
        // From here on they are this term's.
        (debts.isOpen, debts.held) = (false, [])
        // Its own task: writes that arrive meanwhile wait for the same result.
        let loading = Task { await load(token) }
        self.loading = loading
        await loading.value
        guard isCurrent(token) else { return }
        rounds = Task { await keepGoing(token) }
    }

    /// Stops acting, and lets no group go: the term lasts. Another ``assume(epoch:)`` goes on with what is stored then.
    func suspend(epoch: Int) {
        if let token = term?.token ?? beginning, token.epoch == epoch { end(token, patiently: false) }
    }

    private func load(_ token: TermToken) async {
        do throws(StoreError) {
            let summary = try await store.summary(within: settings.storeTimeout)
            if summary.newest == 0 { try await adoptHeritage(token) }
            let current = try await store.states(at: nil, within: settings.storeTimeout)
            guard beginning === token, !token.isEnded else { return }
            let refused = Set(summary.rejections.map(\.group))
            var term = LeaderTerm(token, current, refused: refused, now: clock.now())
            term.unconfirmed = Set(summary.unconfirmed.map(\.revision))
            (self.term, beginning) = (term, nil)
            room.reset(current)
            // From here on a write is carried out, and not before.
            board.began(epoch: token.epoch)
            logger.info(
                "groups loaded",
                metadata: ["lease.epoch": "\(token.epoch)", "groups": "\(term.reconciler.watchedGroups.count)"]
            )
        } catch {
            abandon(token, error)
        }
    }

    /// An empty history takes over what the Go manager has left in the same directory, as revision 1.
    private func adoptHeritage(_ token: TermToken) async throws(StoreError) {
        let entries = try await heritage()
        guard !entries.isEmpty else { return }
        let changes = entries.map { entry in
            Change(
                group: entry.spec.id,
                action: .set(entry.spec.properties, plugin: entry.plugin.isEmpty ? settings.pluginName : entry.plugin)
            )
        }
        let draft = RevisionDraft(
            author: Author(user: nil, uid: nil, host: manager),
            operation: .import,
            message: "imported from \(GlobalConfig.fileName)",
            changes: changes
        )
        let revision = try await store.append(draft, fence: fence(token.epoch), within: settings.storeTimeout)
        logger.notice(
            "configuration imported",
            metadata: ["revision.number": "\(revision.number)", "groups": "\(changes.count)"]
        )
    }

    // MARK: - What others ask

    /// The term in which a write may be carried out now.
    ///
    /// - Throws: ``GroupError`` `notLeader` that names the leader.
    func currentTerm() async throws(GroupError) -> TermToken {
        await loading?.value
        guard let term, !term.token.isEnded, gate.isOpen(epoch: term.token.epoch) else {
            throw GroupError(.notLeader, await refusal(of: .change))
        }
        return term.token
    }

    /// Why only the leader can do that; see ``StandingBoard/refusal(of:looking:)``.
    nonisolated func refusal(of wish: StandingBoard.Wish) async -> String {
        await board.refusal(of: wish) { () async throws(StoreError) in
            try await store.lease(within: min(settings.storeTimeout, .seconds(2)))
        }
    }

    /// Whether this is the term in which this replica leads.
    func isCurrent(_ token: TermToken) -> Bool { term?.token === token && !token.isEnded }

    /// What the store has done is not known: nothing more is done in this term, also before the election hears of it.
    func abandon(_ token: TermToken, _ error: StoreError) {
        token.end()
        board.ended(epoch: token.epoch)
        sleeper?.cancel()
        report(.storeTrouble(epoch: token.epoch, error))
    }

    func wake() { sleeper?.cancel() }

    /// Wakes the loop if something has become due before it would look by itself. Most writes leave nothing due.
    func wakeIfDue() {
        if let sleepsUntil, let due = term?.reconciler.nextDue, due < sleepsUntil { wake() }
    }

    func note(pluginTrouble: String?) {
        if pluginTrouble != self.pluginTrouble {
            if let pluginTrouble {
                logger.warning("plugin unreachable", metadata: ["error": "\(pluginTrouble)"])
            } else {
                logger.info("plugin reachable again")
            }
        }
        self.pluginTrouble = pluginTrouble
    }
}
