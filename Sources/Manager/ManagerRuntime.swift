public import GroupSPI
public import Logging
public import Store

/// One manager: its election, its groups, and the interface that users talk to.
public final class ManagerRuntime: Sendable {
    /// What to serve on the manager's socket.
    public let proxy: GroupProxy
    public let board: RoleObserver
    /// The epoch in which this replica may act now; nil when it may not.
    package var actingEpoch: Int? { proxy.supervisor.actingEpoch }

    private let configuration: ManagerConfiguration
    private let loop: LeadershipLoop
    private let inhibitors: LeadershipInhibitors
    private let clock: any ManagerClock
    private let heartbeat: Heartbeat
    private let post: @Sendable (ElectionEvent) -> Void

    /// - Parameters:
    ///   - configuration: the times and names by which the manager works.
    ///   - store: where the history lies.
    ///   - plugin: the group plugin.
    ///   - clock: counts the time.
    ///   - logger: takes what happens.
    ///   - takeoverReason: why a lease may be taken over at once; nil when it may not. See ``HolderProbe``.
    ///   - isHolderRunning: whether a lease's holder runs; nil where that cannot be seen.
    ///   - sharesPlugin: whether a lease's holder uses the very same plugin as this replica.
    ///   - makeHolderMonitor: makes what waits for the end of a holder; it tells the epoch to the function it is given.
    ///   - makeGuard: makes the orphan guard; it tells its reason against leading, or nil, to the function it is given.
    /// - Throws: ``SettingsError`` when the system gives no timer or no thread.
    public convenience init(
        _ configuration: ManagerConfiguration,
        store: any StateStore,
        plugin: any GroupPlugin,
        clock: any ManagerClock = BootClock(),
        logger: Logger,
        takeoverReason: @escaping @Sendable (Lease) -> String?,
        isHolderRunning: @escaping @Sendable (Lease) -> Bool? = { _ in nil },
        sharesPlugin: @escaping @Sendable (Lease) -> Bool = { _ in false },
        makeHolderMonitor: (@escaping @Sendable (Int) -> Void) -> any LeaseHolderMonitor = { _ in NoLeaseHolderMonitor()
        },
        makeGuard: (@escaping @Sendable (String?) -> Void) throws(SettingsError) -> any OrphanGuard
    ) throws(SettingsError) {
        try self.init(
            configuration,
            store: store,
            plugin: plugin,
            clock: clock,
            logger: logger,
            takeoverReason: takeoverReason,
            isHolderRunning: isHolderRunning,
            sharesPlugin: sharesPlugin,
            managerDependencies: ManagerDependencies(),
            makeHolderMonitor: makeHolderMonitor,
            makeGuard: makeGuard
        )
    }

    package init(
        _ configuration: ManagerConfiguration,
        store: any StateStore,
        plugin: any GroupPlugin,
        clock: any ManagerClock,
        logger: Logger,
        takeoverReason: @escaping @Sendable (Lease) -> String?,
        isHolderRunning: @escaping @Sendable (Lease) -> Bool? = { _ in nil },
        sharesPlugin: @escaping @Sendable (Lease) -> Bool = { _ in false },
        managerDependencies: ManagerDependencies,
        makeHolderMonitor: (@escaping @Sendable (Int) -> Void) -> any LeaseHolderMonitor,
        makeGuard: (@escaping @Sendable (String?) -> Void) throws(SettingsError) -> any OrphanGuard
    ) throws(SettingsError) {
        let (events, continuation) = AsyncStream.makeStream(of: ElectionEvent.self)
        let post: @Sendable (ElectionEvent) -> Void = { continuation.yield($0) }
        let board = RoleObserver(clock: clock, instance: configuration.candidate.instance)
        let heartbeat = Heartbeat(clock.now())
        var initial: [String: String] = [:]
        if let file = configuration.leaderFile { initial[Self.fileParty] = "has not read the leader file \(file) yet" }
        let inhibitors = LeadershipInhibitors(initial) { post(.inhibited($0)) }
        // Before anybody else can report: the last word must be the newest.
        if let reason = inhibitors.current { post(.inhibited(reason)) }
        let orphanGuard = try makeGuard { inhibitors.set(Self.guardParty, $0) }
        let refuseNamesake: @Sendable (String?) -> Void = { reason in
            if configuration.refusesNamesakes { inhibitors.set(Self.namesakeParty, reason) }
        }
        let dependencies = TermDependencies(
            store: store,
            plugin: plugin,
            board: board,
            clock: clock,
            settings: configuration.term,
            candidate: configuration.candidate,
            orphanGuard: orphanGuard,
            logger: logger,
            report: post
        )
        let supervisor = TermSupervisor(
            dependencies,
            leaseClock: managerDependencies.makeLeaseClock(clock),
            legacyConfig: Self.legacyConfigReader(configuration)
        )
        self.loop = try LeadershipLoop(
            election: Election(
                configuration.election,
                instance: configuration.candidate.instance,
                seed: managerDependencies.seed
            ),
            store: store,
            candidate: configuration.candidate,
            settings: configuration.election,
            pluginLookInterval: configuration.term.reconcileInterval,
            supervisor: supervisor,
            board: board,
            heartbeat: heartbeat,
            orphanGuard: orphanGuard,
            takeoverReason: takeoverReason,
            isHolderRunning: isHolderRunning,
            sharesPlugin: sharesPlugin,
            inhibit: refuseNamesake,
            holderMonitor: makeHolderMonitor { post(.holderEnded(epoch: $0)) },
            clock: clock,
            logger: logger,
            events: events,
            post: post,
            managerDependencies: managerDependencies
        )
        self.proxy = GroupProxy(
            supervisor: supervisor,
            plugin: plugin,
            store: store,
            clock: clock,
            board: board,
            settings: configuration.term,
            makeRequestID: managerDependencies.makeRequestID,
            shares: CallShares(configuration.term.userCalls, of: managerDependencies.share),
            findLoop: configuration.findLoop
        )
        self.configuration = configuration
        self.board = board
        self.inhibitors = inhibitors
        self.clock = clock
        self.heartbeat = heartbeat
        self.post = post
    }

    private static let fileParty = "leader file"
    private static let loopParty = "plugin loop"
    private static let guardParty = "orphan guard"
    private static let namesakeParty = "namesake"

    /// Runs until ``stop()``, and then until the groups are free and the lease is released.
    public func run() async {
        let watcher = configuration.leaderFile.map { path in
            Task { await self.watchLeaderFile(path) }
        }
        let loopWatch = configuration.findLoop.map { find in Task { await self.watchForLoop(find) } }
        await loop.run()
        loopWatch?.cancel()
        watcher?.cancel()
        await watcher?.value
        await loopWatch?.value
    }

    /// Whether the leadership loop lives. It turns in time also while the store hangs; this is false when it stands still.
    public var isTurning: Bool { heartbeat.age(clock.now()) <= configuration.election.longestPause }

    /// Ends leadership in order. ``run()`` returns when that is done.
    public func stop() { post(.stop) }

    /// Managers that name each other as their plugins would pass every call on for ever. Which of them came last is not known here,
    /// and either may be given another plugin: so it is looked for again and again, and by each of them.
    private func watchForLoop(_ find: ManagerConfiguration.LoopFinder) async {
        while !Task.isCancelled {
            // What cannot be told now is as it was.
            if let isLoop = await find([Identifier(configuration.candidate.instance)], .seconds(3)) {
                inhibitors.set(
                    Self.loopParty,
                    isLoop
                        ? "its group plugin '\(configuration.term.pluginName)' is a manager that forwards to this "
                            + "one; give one of them another --proxy-for-group" : nil
                )
            }
            try? await clock.sleep(until: clock.now() + configuration.term.reconcileInterval)
        }
    }

    private func watchLeaderFile(_ path: String) async {
        let file = LeaderFile(
            path: path,
            names: configuration.leaderNames,
            timeout: configuration.election.renewDeadline - configuration.election.pollInterval
        )
        while !Task.isCancelled {
            inhibitors.set(Self.fileParty, await file.inhibitor())
            try? await clock.sleep(until: clock.now() + configuration.election.pollInterval)
        }
    }

    /// The Go manager's groups in that directory; none when there is no such file.
    ///
    /// - Throws: `StoreError` `malformed`, or `io` when the file is there and cannot be read: that is not the same as none.
    public static func legacyConfig(_ directory: String?) throws(StoreError) -> [GlobalConfig.Entry] {
        guard let directory else { return [] }
        return try legacyConfig(TimedFileReader.contents(legacyConfigPath(directory), limit: legacyConfigLimit))
    }

    /// The same for a manager at work: the file may lie on a server that is away.
    private static func legacyConfigReader(
        _ configuration: ManagerConfiguration
    ) -> @Sendable () async throws(StoreError) -> [GlobalConfig.Entry] {
        guard let directory = configuration.legacyConfigDirectory else { return { () throws(StoreError) in [] } }
        let file = TimedFileReader(legacyConfigPath(directory), limit: legacyConfigLimit)
        return { () async throws(StoreError) in
            try legacyConfig(await file.read(within: configuration.election.renewDeadline))
        }
    }

    /// As of every configuration that is read, in bytes.
    private static let legacyConfigLimit = JSONLimits.configuration.maximumBytes

    private static func legacyConfigPath(_ directory: String) -> String {
        directory.hasSuffix("/") ? directory + GlobalConfig.fileName : "\(directory)/\(GlobalConfig.fileName)"
    }

    private static func legacyConfig(
        _ read: Result<[UInt8], TimedFileReader.Trouble>
    ) throws(StoreError) -> [GlobalConfig.Entry] {
        switch read {
        case .success(let bytes): return try GlobalConfig.decode(bytes)
        case .failure(let trouble) where trouble.isMissing: return []
        case .failure(let trouble): throw StoreError(.io, "the Go manager's configuration: \(trouble.message)")
        }
    }
}
