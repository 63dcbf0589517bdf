internal import GroupSPI
internal import Logging
internal import Store
internal import Synchronization

/// What outlives a term of leadership: it makes a ``LeaderTerm`` of each acquisition of the lease, one after the other, and lets the groups
/// go when there is none.
actor TermSupervisor {
    /// What anybody may ask at any moment.
    private struct Leadership {
        /// The newest acquisition, also when it is over.
        var lease: LeaseValidity?
        /// Its term, once the states are read.
        var term: LeaderTerm?
    }

    let dependencies: TermDependencies
    private let leadership = Mutex(Leadership())
    /// By which the leases are timed: a simulation may bring a broken one.
    private let leaseClock: any ManagerClock
    /// What stood before there was a history: the Go manager's groups.
    private let legacyConfig: @Sendable () async throws(StoreError) -> [GlobalConfig.Entry]
    /// The acquisitions that are to be led under. A term begins when nothing of the one before is under way any more.
    private let leases: AsyncStream<LeaseValidity>
    private let nextLease: AsyncStream<LeaseValidity>.Continuation

    /// The term that lasts, or of which something is still under way.
    var unfinished: LeaderTerm?
    /// Writes wait for the states that are being read.
    private var isLoading = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Lets the groups go; ends early when this replica leads again. Not a child task: whoever waits for it may give up.
    var releasing: Task<GroupRelease.Outcome, Never>?
    /// Of the last term that was ended.
    var lastEpoch = 0
    /// The manager ends: no other term begins, and no more is let go.
    private(set) var isClosed = false

    init(
        _ dependencies: TermDependencies,
        leaseClock: any ManagerClock,
        legacyConfig: @escaping @Sendable () async throws(StoreError) -> [GlobalConfig.Entry]
    ) {
        self.dependencies = dependencies
        self.leaseClock = leaseClock
        self.legacyConfig = legacyConfig
        (leases, nextLease) = AsyncStream.makeStream()
    }

    nonisolated var settings: TermSettings { dependencies.settings }
    nonisolated var logger: Logger { dependencies.logger }
    nonisolated var releases: PendingReleases { dependencies.releases }

    // MARK: - What the election decides

    /// This replica leads: a term begins as soon as it can.
    nonisolated func assume(epoch: Int, until deadline: BootInstant) {
        let lease = LeaseValidity(epoch: epoch, until: deadline, clock: leaseClock)
        let before = leadership.withLock { leadership in
            defer { leadership.lease = lease }
            return leadership.lease
        }
        releases.keep(true)
        // Nothing of the one before is waited for any longer.
        before?.end(.immediate)
        nextLease.yield(lease)
    }

    /// The lease was renewed.
    nonisolated func extend(until deadline: BootInstant) {
        leadership.withLock(\.lease)?.extend(until: deadline)
    }

    /// Nothing is done any more under a lease that lasts. The groups stay where they are.
    nonisolated func suspend() { leadership.withLock(\.lease)?.end(.immediate) }

    /// The term is over, and the groups are to be let go: ``resign(epoch:isOrderly:)``.
    ///
    /// - Parameter isOrderly: the lease is renewed meanwhile, so what the plugin is carrying out is waited for.
    nonisolated func end(isOrderly: Bool) {
        leadership.withLock(\.lease)?.end(isOrderly ? .orderly : .immediate)
        releases.keep(false)
    }

    /// The lease is not renewed any more: what the plugin is carrying out is not waited for any longer.
    nonisolated func letRunOut() { leadership.withLock(\.lease)?.end(.immediate) }

    // MARK: - What others ask

    /// The epoch in which this replica may act now; nil when it may not.
    nonisolated var actingEpoch: Int? {
        leadership.withLock(\.lease).flatMap { $0.isValid ? $0.epoch : nil }
    }

    /// Whether a write would be carried out now.
    nonisolated var takesWrites: Bool { leadership.withLock(\.term)?.lease.isValid ?? false }

    /// The term in which a write may be carried out; nil when there is none. While the states are being read, it waits for them.
    nonisolated func term() async -> LeaderTerm? {
        if let term = leadership.withLock(\.term) { return term }
        return await termBeingLoaded()
    }

    private func termBeingLoaded() async -> LeaderTerm? {
        if isLoading { await withCheckedContinuation { waiting.append($0) } }
        return leadership.withLock(\.term)
    }

    /// How many wait for the states.
    var waitingCount: Int { waiting.count }

    /// Carries out a call that changes something, as the leader.
    ///
    /// - Throws: ``GroupError``, see ``LeaderTerm/carryOut(_:from:resolving:)``.
    nonisolated func carryOut(_ call: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        guard let term = await term() else {
            throw GroupError(.notLeader, await dependencies.refusal(of: .change))
        }
        return try await term.carryOut(call, from: caller)
    }

    /// Somebody has left a request: it is not to wait for the leader's next look. A follower has none to wait for.
    nonisolated func lookForRequests() async { await leadership.withLock(\.term)?.lookForRequests() }

    /// Has stored what users were told already, for somebody who is about to read the history.
    ///
    /// - Returns: whether the history has all of it. Not so when this replica does not lead, or the store does not take it.
    nonisolated func storeOutcomes() async -> Bool {
        await leadership.withLock(\.term)?.storeOutcomes() ?? false
    }

    // MARK: - Terms

    /// Leads under one acquisition after the other, until it is closed or its task is cancelled.
    func run() async {
        for await lease in leases { await lead(under: lease) }
    }

    /// Ends the term; what is not free yet is left to the orphan guard. ``run()`` returns then.
    func close() {
        isClosed = true
        nextLease.finish()
        suspend()
        releasing?.cancel()
    }

    /// One term, from its beginning until nothing of it is under way any more.
    private func lead(under lease: LeaseValidity) async {
        await dependencies.orphanGuard.isReady()
        // A free that is still under way must not land after a watch of this term.
        while let releasing {
            releasing.cancel()
            _ = await releasing.value
        }
        guard lease.isValid, !isClosed, let term = await load(under: lease) else { return }
        await term.run()
        leadership.withLock { $0.term = nil }
        unfinished = nil
        lease.end(.immediate)
    }

    /// Reads what stands.
    ///
    /// - Returns: nil when that cannot be read, or the lease is over by then: then there never is a term.
    private func load(under lease: LeaseValidity) async -> LeaderTerm? {
        isLoading = true
        defer {
            isLoading = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        releases.begin()
        do throws(StoreError) {
            let summary = try await dependencies.store.summary(within: settings.storeTimeout)
            if summary.newest == 0 { try await adoptLegacyConfig(under: lease) }
            let states = try await dependencies.store.states(at: nil, within: settings.storeTimeout)
            guard lease.isValid else { return nil }
            let term = LeaderTerm(lease, states, summary, dependencies)
            unfinished = term
            leadership.withLock { $0.term = term }
            // From here on a write is carried out, and not before.
            dependencies.board.began()
            lease.whenEnded { [board = dependencies.board] _ in board.ended() }
            let groups = states.count { $0.spec != nil }
            logger.info("groups loaded", metadata: ["lease.epoch": "\(lease.epoch)", "groups": "\(groups)"])
            return term
        } catch {
            dependencies.abandon(lease, error)
            return nil
        }
    }

    /// An empty history takes over what the Go manager has left in the same directory, as revision 1.
    private func adoptLegacyConfig(under lease: LeaseValidity) async throws(StoreError) {
        let store = dependencies.store
        let entries = try await legacyConfig()
        guard !entries.isEmpty else { return }
        let changes = entries.map { entry in
            Change(
                group: entry.spec.id,
                action: .set(entry.spec.properties, plugin: entry.plugin.isEmpty ? settings.pluginName : entry.plugin)
            )
        }
        let draft = RevisionDraft(
            author: Author(user: nil, uid: nil, host: dependencies.candidate.id.name),
            operation: .import,
            message: "imported from \(GlobalConfig.fileName)",
            changes: changes
        )
        let revision = try await store.append(
            draft,
            fence: dependencies.fence(lease),
            within: settings.storeTimeout
        )
        logger.notice(
            "configuration imported",
            metadata: ["revision.number": "\(revision.number)", "groups": "\(changes.count)"]
        )
    }
}
