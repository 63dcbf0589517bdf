internal import Logging
internal import Store

/// Carries out what ``Election`` decides, and tells it how that went.
actor LeadershipLoop {
    private var election: Election
    private let store: any StateStore
    private let candidate: Candidate
    private let settings: ElectionSettings
    private let supervisor: TermSupervisor
    private let board: RoleObserver
    private let heartbeat: Heartbeat
    private let orphanGuard: any OrphanGuard
    private let takeoverReason: @Sendable (Lease) -> String?
    private let isHolderRunning: @Sendable (Lease) -> Bool?
    /// Whether a leader uses the very same plugin as this replica.
    private let sharesPlugin: @Sendable (Lease) -> Bool
    /// Told why this replica must not lead beside the one that does.
    private let inhibit: @Sendable (String?) -> Void
    private var namesake: Namesake
    private let holderMonitor: any LeaseHolderMonitor
    private let clock: any ManagerClock
    private let deadline: any DeadlineTimer
    private let decide: ManagerDependencies.Decide
    private let logger: Logger
    private let events: AsyncStream<ElectionEvent>
    private let post: @Sendable (ElectionEvent) -> Void
    /// Replaced at every wake; not a child task, because it is cancelled on its own.
    private var waker: Task<Void, Never>?
    private var lease: Lease?
    /// When a follower looks at its own plugin again, and in which epoch it looked last.
    private var nextPluginLook: BootInstant?
    private var lookedInEpoch = 0
    private let pluginLookInterval: Duration
    private let followersLook: Bool
    private var hasLooked = false
    /// Why the last reading of the lease failed.
    private var trouble: String?
    /// Why the last acquisition of it failed.
    private var acquisitionTrouble: String?
    private var clockJumps = ClockJumps()

    init(
        election: Election,
        store: any StateStore,
        candidate: Candidate,
        settings: ElectionSettings,
        pluginLookInterval: Duration,
        supervisor: TermSupervisor,
        board: RoleObserver,
        heartbeat: Heartbeat,
        orphanGuard: any OrphanGuard,
        takeoverReason: @escaping @Sendable (Lease) -> String?,
        isHolderRunning: @escaping @Sendable (Lease) -> Bool?,
        sharesPlugin: @escaping @Sendable (Lease) -> Bool,
        inhibit: @escaping @Sendable (String?) -> Void,
        holderMonitor: any LeaseHolderMonitor,
        clock: any ManagerClock,
        logger: Logger,
        events: AsyncStream<ElectionEvent>,
        post: @escaping @Sendable (ElectionEvent) -> Void,
        managerDependencies: ManagerDependencies
    ) throws(SettingsError) {
        self.election = election
        self.store = store
        self.candidate = candidate
        self.settings = settings
        self.supervisor = supervisor
        self.board = board
        self.heartbeat = heartbeat
        self.orphanGuard = orphanGuard
        self.takeoverReason = takeoverReason
        self.isHolderRunning = isHolderRunning
        self.sharesPlugin = sharesPlugin
        self.pluginLookInterval = pluginLookInterval
        self.inhibit = inhibit
        self.namesake = Namesake(candidate)
        self.holderMonitor = holderMonitor
        self.clock = clock
        self.logger = logger
        self.events = events
        self.post = post
        self.decide = managerDependencies.decide
        self.followersLook = managerDependencies.followersLook
        self.deadline = try managerDependencies.makeDeadline { post(.tick) }
    }

    /// Runs until the election has stopped, or the task is cancelled: then the orphan guard does what is left to do.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { [supervisor] in await supervisor.run() }
            post(.tick)
            for await event in events {
                let before = election.standing.role
                let now = clock.now()
                heartbeat.beat(now)
                noteClock(now)
                let directives = decide(&election, event, now)
                note(event)
                for directive in directives { perform(directive, &tasks) }
                publish(before)
                if election.isStopped { break }
                lookAtOwnPlugin(now, &tasks)
            }
            waker?.cancel()
            holderMonitor.stop()
            deadline.stop()
            supervisor.suspend()
            // Now, and not after the tasks: one of them may be waiting for the guard.
            orphanGuard.stop()
            await supervisor.close()
        }
    }

    private func noteClock(_ now: BootInstant) {
        guard let jump = clockJumps.look(now, wall: clock.wallTime()) else { return }
        let text = jump < .zero ? "-\((.zero - jump).goText)" : "+\(jump.goText)"
        logger.warning("wall clock set", metadata: ["by": "\(text)"])
        board.noteClockJump(ClockJump(by: jump, at: now))
    }

    private func note(_ event: ElectionEvent) {
        switch event {
        case .observed(let lease, let startedAt, let takeoverReason):
            (self.lease, hasLooked) = (lease, true)
            let isRunning = takeoverReason == nil ? isHolderRunning(lease) : false
            inhibit(namesake.observed(lease, isRunning: isRunning, startedAt: startedAt, now: clock.now()))
            // Of a lease that may be had already there is nothing to wait for.
            holderMonitor.watch(takeoverReason == nil && !election.isLeading ? lease : nil)
        case .acquired(let lease):
            (self.lease, hasLooked) = (lease, true)
            holderMonitor.watch(nil)
        case .observationFailed: hasLooked = true
        case .freed: if !election.isLeading { orphanGuard.disarm() }
        default: break
        }
    }

    private func publish(_ before: ReplicaStatus.Role) {
        let standing = election.standing
        var known = standing.lease ?? lease
        // A row that still names this replica after its term says of no leader where it is.
        if standing.role != .leader, known?.instance == candidate.instance { known = nil }
        // Nor does a row on which nobody acts.
        if known?.suspension != nil || known?.holder == Lease.unknownHolder { known = nil }
        board.post(
            ReplicaStatus(role: standing.role, reason: standing.reason, lease: known),
            since: election.watchedSince,
            hasLooked: hasLooked
        )
        if standing.role != before {
            logger.info(
                "role changed",
                metadata: ["role": "\(standing.role.rawValue)", "reason": "\(standing.reason)"]
            )
        }
    }

    /// While it does not lead: what its plugin holds of this store's groups is let go, unless the leader uses the very same
    /// plugin; then they are the leader's. (And when it is the predecessor of this process that the row still names, they are
    /// leftovers as soon as another leads.)
    ///
    /// Looked at again and again: a plugin may have been away, or carry out late what it was told.
    private func lookAtOwnPlugin(_ now: BootInstant, _ tasks: inout DiscardingTaskGroup) {
        // A row of an older state does not tell which plugin the leader uses.
        guard followersLook, !election.isLeading, let lease, lease.suspension == nil else { return }
        if lease.epoch != lookedInEpoch { nextPluginLook = nil }
        guard now >= nextPluginLook ?? now else { return }
        (nextPluginLook, lookedInEpoch) = (now + pluginLookInterval, lease.epoch)
        let isLed = lease.isHeld && lease.instance != candidate.instance
        if isLed, sharesPlugin(lease) { return }
        tasks.addTask { [supervisor] in await supervisor.lookAtOwnPlugin(isLed: isLed) }
    }

    // MARK: - Directives

    private func perform(_ directive: ElectionDirective, _ tasks: inout DiscardingTaskGroup) {
        switch directive {
        case .observe: tasks.addTask { await self.observe() }
        case .acquire(let watched, let reason): tasks.addTask { await self.acquire(watched, reason) }
        case .renew(let epoch): tasks.addTask { await self.renew(epoch) }
        case .assume(let epoch, let deadline):
            hold(until: deadline)
            logger.notice("leadership assumed", metadata: ["lease.epoch": "\(epoch)"])
            supervisor.assume(epoch: epoch, until: deadline)
        case .extend(_, let deadline):
            supervisor.extend(until: deadline)
            hold(until: deadline)
        case .suspend(let epoch, let reason):
            supervisor.suspend()
            logger.error("leadership suspended", metadata: ["lease.epoch": "\(epoch)", "reason": "\(reason)"])
        case .hold(_, let deadline), .keep(_, let deadline): hold(until: deadline)
        case .resign(let epoch, let reason, let isOrderly):
            supervisor.end(isOrderly: isOrderly)
            deadline.set(nil)
            // Or this process and its guard would let the same groups go.
            if !isOrderly { orphanGuard.postpone(until: clock.now() + settings.guardGrace) }
            logger.notice("leadership lost", metadata: ["lease.epoch": "\(epoch)", "reason": "\(reason)"])
            tasks.addTask { [supervisor, post] in
                switch await supervisor.resign(epoch: epoch, isOrderly: isOrderly) {
                case .over: post(.freed(epoch: epoch))
                case .open: post(.stalled(epoch: epoch))
                case .overtaken: break
                }
            }
        case .letRunOut:
            deadline.set(nil)
            supervisor.letRunOut()
        case .release(let epoch, let reason): tasks.addTask { await self.release(epoch, reason) }
        case .wake(let instant):
            waker?.cancel()
            waker = Task { [clock, post] in
                guard (try? await clock.sleep(until: instant)) != nil else { return }
                post(.tick)
            }
        }
    }

    private func hold(until deadline: BootInstant) {
        self.deadline.set(deadline)
        orphanGuard.arm(until: deadline)
    }

    private func fence(_ epoch: Int) -> Fence {
        Fence(instance: candidate.instance, epoch: epoch, manager: candidate.id.name)
    }

    // MARK: - The store

    /// Says so when the store is too slow for the times of the lease: else nothing would name the cause.
    ///
    /// - Parameter isReading: it proves nothing about how long a renewal takes when it was quick.
    private func noteTime(since start: BootInstant, _ error: StoreError? = nil, isReading: Bool = false) {
        guard store.hasLeaseTTL else { return }
        let isUnanswered = error.map { [.busy, .noAnswer, .unknownOutcome].contains($0.code) } ?? false
        // An error that comes at once says nothing about how quick it is.
        guard error == nil || isUnanswered else { return }
        let duration = clock.now() - start
        guard let slowness = Slowness(duration, isUnanswered: isUnanswered, settings) else {
            if error == nil, !isReading { board.noteSlowness(nil) }
            return
        }
        if board.slowness == nil {
            logger.warning("store too slow", metadata: ["took": "\(duration.goText)", "reason": "\(slowness.text)"])
        }
        board.noteSlowness(slowness)
    }

    private func observe() async {
        let startedAt = clock.now()
        do throws(StoreError) {
            let lease = try await store.lease(within: settings.renewDeadline)
            trouble = nil
            noteTime(since: startedAt, isReading: true)
            post(.observed(lease, startedAt: startedAt, takeoverReason: takeoverReason(lease)))
        } catch {
            // A lasting trouble is told once.
            if trouble != error.message { logger.warning("lease not read", metadata: ["error": "\(error)"]) }
            trouble = error.message
            noteTime(since: startedAt, error, isReading: true)
            post(.observationFailed(error.message))
        }
    }

    private func acquire(_ watched: Lease, _ reason: String) async {
        let startedAt = clock.now()
        do throws(StoreError) {
            let lease = try await store.acquireLease(
                candidate,
                watched: watched,
                ttl: settings.ttl.milliseconds,
                reason: reason,
                within: settings.renewDeadline
            )
            noteTime(since: startedAt)
            acquisitionTrouble = nil
            post(lease.map { .acquired($0) } ?? .acquisitionLost)
        } catch {
            // A lasting trouble is told once.
            if acquisitionTrouble != error.message {
                logger.warning("lease not acquired", metadata: ["error": "\(error)"])
            }
            acquisitionTrouble = error.message
            noteTime(since: startedAt, error)
            post(error.isPassing ? .acquisitionRefused(error.message) : .acquisitionFailed(error.message))
        }
    }

    private func renew(_ epoch: Int) async {
        let startedAt = clock.now()
        do throws(StoreError) {
            let lease = try await store.renewLease(fence(epoch), within: settings.renewDeadline)
            self.lease = lease
            noteTime(since: startedAt)
            post(
                lease.suspension == nil
                    ? .renewed(epoch: epoch)
                    : .suspended(epoch: epoch, Suspension.sentence, isRenewed: true)
            )
        } catch {
            logger.warning("lease not renewed", metadata: ["lease.epoch": "\(epoch)", "error": "\(error)"])
            noteTime(since: startedAt, error)
            switch error.code {
            case .fenced, .stale: post(.renewalFenced(epoch: epoch, error.message))
            case _ where error.isPassing: post(.renewalFailed(epoch: epoch, error.message))
            default: post(.storeUncertain(epoch: epoch, error.message))
            }
        }
    }

    private func release(_ epoch: Int, _ reason: String) async {
        do throws(StoreError) {
            try await store.releaseLease(fence(epoch), reason: reason, within: settings.renewDeadline)
            logger.info("lease released", metadata: ["lease.epoch": "\(epoch)"])
        } catch {
            // The row runs out by itself.
            logger.warning("lease not released", metadata: ["lease.epoch": "\(epoch)", "error": "\(error)"])
        }
    }
}

extension Duration {
    /// Whole milliseconds.
    public var milliseconds: Int { Int(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000) }
}
