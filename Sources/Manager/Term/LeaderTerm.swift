internal import GroupSPI
internal import Logging
internal import Store

/// One term of leadership: keeps the groups behind one plugin as the history says.
///
/// It is made when the states are read, for one acquisition of the lease, and is dropped when that is over and nothing of it is under
/// way any more. All that it knows is of this term alone; what outlives it is `TermSupervisor`'s.
///
/// Every change is stored first, then told to the plugin; its outcome is stored behind the answer. Changes of one group follow one
/// another; those of different groups go side by side. What the plugin did not answer is told again until it does.
actor LeaderTerm {
    /// Whether anything may be done in this term now.
    let lease: LeaseValidity
    let fence: Fence
    let dependencies: TermDependencies
    let store: any StateStore
    let clock: any ManagerClock
    let settings: TermSettings
    let logger: Logger

    let lanes = GroupLanes()
    let storing = StoringGate()
    let calls: PluginCalls
    /// Writes that the plugin is told of, or whose outcome is being stored.
    let writes = WaitGroup()
    let reconcileTimer: LoopTimer
    let requestTimer: LoopTimer

    var groups: TermGroups
    /// Calls to the plugin that reconciling has under way.
    var running = 0
    var tellingPace = CallPace()

    var requestsUnderWay: Set<String> = []
    var requestLooks: RequestLooks
    var requestWatch: RequestWatch

    /// Outcomes that the store has not been told yet.
    var unrecorded: [Outcome] = []
    /// Those that are being stored.
    var beingRecorded: [Outcome] = []
    /// Tells it. Not a child task: it begins where a write runs, which does not wait for it.
    var recording: Task<Bool, Never>?
    /// Those who wait until one more batch of outcomes is stored, or not.
    var recordingWaiters: [CheckedContinuation<Void, Never>] = []
    /// Nothing is recorded any more: the next term may have asked the plugin again.
    private(set) var isOver = false

    init(
        _ lease: LeaseValidity,
        _ states: [GroupState],
        _ summary: HistorySummary,
        _ dependencies: TermDependencies
    ) {
        self.lease = lease
        self.dependencies = dependencies
        (store, clock) = (dependencies.store, dependencies.clock)
        (settings, logger) = (dependencies.settings, dependencies.logger)
        fence = dependencies.fence(lease)
        calls = PluginCalls(under: lease)
        reconcileTimer = LoopTimer(dependencies.clock, under: lease)
        requestTimer = LoopTimer(dependencies.clock, under: lease)
        let now = dependencies.clock.now()
        groups = TermGroups(
            states,
            refused: Set(summary.rejections.map(\.group)),
            unconfirmed: Set(summary.unconfirmed.map(\.revision)),
            limit: dependencies.settings.largestConfiguration,
            now: now
        )
        requestLooks = RequestLooks(every: dependencies.settings.pollInterval, from: now)
        requestWatch = RequestWatch(from: now)
        // Whatever comes of this term, these may have to be let go.
        dependencies.releases.begin(with: groups.reconciler.groups, named: groups.states.keys)
    }

    // MARK: - Its life

    /// Runs until the lease has ended and nothing of this term is under way any more.
    ///
    /// When the lease ends in order, what is under way comes to its end by itself; else it is cancelled.
    func run() async {
        await withTaskGroup { tasks in
            tasks.addTask { await self.work() }
            tasks.addTask { [lease] in await lease.revoked() }
            await tasks.next()
            tasks.cancelAll()
        }
        await settled()
        isOver = true
    }

    /// What a term does beside users' writes. Each loop ends with the lease.
    private func work() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.reconcile() }
            tasks.addTask { await self.compareWithPlugin() }
            tasks.addTask { await self.pollRequests() }
            tasks.addTask { await self.revertUnconfirmed() }
            tasks.addTask { await self.recordLeftovers() }
            tasks.addTask { await self.retain() }
        }
    }

    /// Returns when no call to the plugin is under way, and the outcomes of those that have ended are stored, or cannot be.
    func settled() async {
        await calls.drained()
        await writes.wait()
        while let recording { _ = await recording.value }
    }

    /// Whether a loop goes on.
    var goesOn: Bool { lease.isValid && !Task.isCancelled }

    /// Does something again and again, until the lease ends.
    ///
    /// - Parameter pause: from one beginning to the next.
    func every(_ pause: Duration, _ body: () async -> Void) async {
        let timer = LoopTimer(clock, under: lease)
        while goesOn {
            let next = clock.now() + pause
            await body()
            await timer.sleep(until: next)
        }
    }

    // MARK: - What may be done

    /// A write may be judged, and carried out, now.
    ///
    /// - Throws: ``GroupError`` `notLeader` that names the leader.
    func requireValid() async throws(GroupError) {
        guard lease.isValid else { throw GroupError(.notLeader, await dependencies.refusal(of: .change)) }
    }

    /// See ``TermDependencies/abandon(_:_:)``.
    func abandon(_ error: StoreError) { dependencies.abandon(lease, error) }

    /// Wakes the loop if something has become due before it would look by itself. Most writes leave nothing due.
    func wakeIfDue() { reconcileTimer.wake(for: groups.reconciler.nextDue) }
}
