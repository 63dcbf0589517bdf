internal import GroupSPI
internal import Logging
internal import Store

/// What each term of a replica works with. All of it outlives the term.
struct TermDependencies: Sendable {
    let store: any StateStore
    let plugin: any GroupPlugin
    let board: RoleObserver
    let clock: any ManagerClock
    let settings: TermSettings
    let candidate: Candidate
    /// Knows the groups that the plugin was told, for when this process cannot let them go.
    let orphanGuard: any OrphanGuard
    let logger: Logger
    /// Tells the election of trouble at the store, and of a hand-over that somebody asked for.
    let report: @Sendable (ElectionEvent) -> Void
    let releases = PendingReleases()
    let pace = ReleasePace()
    let pluginHealth: PluginHealth

    init(
        store: any StateStore,
        plugin: any GroupPlugin,
        board: RoleObserver,
        clock: any ManagerClock,
        settings: TermSettings,
        candidate: Candidate,
        orphanGuard: any OrphanGuard,
        logger: Logger,
        report: @escaping @Sendable (ElectionEvent) -> Void
    ) {
        self.store = store
        self.plugin = plugin
        self.board = board
        self.clock = clock
        self.settings = settings
        self.candidate = candidate
        self.orphanGuard = orphanGuard
        self.logger = logger
        self.report = report
        pluginHealth = PluginHealth(logger)
    }

    func fence(_ lease: LeaseValidity) -> Fence {
        Fence(instance: candidate.instance, epoch: lease.epoch, manager: candidate.id.name)
    }

    /// What the store has done is not known: nothing more is done under that lease, also before the election hears of it.
    func abandon(_ lease: LeaseValidity, _ error: StoreError) {
        lease.end(.immediate)
        report(.storeTrouble(epoch: lease.epoch, error))
    }

    /// Says so when the groups cannot be let go in the time that the lease leaves for it.
    func noteReleaseTime() {
        guard store.hasLeaseTTL else { return }
        let release = LongRelease(of: releases.current.told.count, pace, room: settings.releaseRoom)
        if let release, board.longRelease == nil {
            logger.warning("letting go takes too long", metadata: ["reason": "\(release.text)"])
        }
        board.noteLongRelease(release)
    }

    /// Why only the leader can do that; see ``RoleObserver/refusal(of:looking:)``.
    func refusal(of wish: RoleObserver.Wish) async -> String {
        await board.refusal(of: wish) { () async throws(StoreError) in
            try await store.lease(within: min(settings.storeTimeout, .seconds(2)))
        }
    }
}
