internal import GroupSPI
internal import Logging
internal import Manager
internal import NIOPosix
internal import PluginRPC
internal import Store
internal import Terminal

/// A manager in front of a group plugin, from its start to its end.
struct ManagerProgram {
    let candidate: Candidate
    let logger: Logger
    private let naming: NameOptions
    private let proxy: ProxyOptions
    private let logging: LogOptions
    private let replica: ReplicaOptions
    private let session: Session

    init(
        naming: NameOptions,
        proxy: ProxyOptions,
        logging: LogOptions,
        replica: ReplicaOptions,
        session: Session
    ) throws {
        self.naming = naming
        self.proxy = proxy
        self.logging = logging
        self.replica = replica
        self.session = session
        logger = logging.logger("infrakit-manager", in: session)
        let name = naming.name ?? ServingOptions.defaultName
        let process = ProcessIdentity.current()
        let id = replica.id ?? "\(process.host)/\(name)"
        guard let id = ReplicaID(id) else {
            throw Failure("\(LogLine.quoted(id.text)) is not a valid replica id. Set one with --id.", .usage)
        }
        candidate = Candidate(
            id: id,
            instance: Request.makeID(),
            process: process,
            socket: session.plugins.socketPath(for: name),
            pluginSocket: session.plugins.socketPath(for: proxy.proxyForGroup),
            guardLock: GuardLock.path(of: name, in: session.plugins.path)
        )
    }

    private var name: Identifier { naming.name ?? ServingOptions.defaultName }
    private var plugin: Identifier { proxy.proxyForGroup }

    /// Serves the manager's socket until a signal ends it.
    ///
    /// - Parameters:
    ///   - takeoverReason: why a lease may be taken over at once.
    ///   - makeHolderMonitor: makes what waits for the end of a holder.
    ///   - state: names the state on this host; see ``PluginClaim/take(_:for:)``.
    ///   - details: where the state is, for the log.
    func run(
        on store: any StateStore,
        election: ElectionSettings,
        leaderFile: String? = nil,
        legacyConfigDirectory: String? = nil,
        takeoverReason: @escaping @Sendable (Lease) -> String?,
        refusesNamesakes: Bool = true,
        makeHolderMonitor: (@escaping @Sendable (Int) -> Void) -> any LeaseHolderMonitor = { _ in NoLeaseHolderMonitor()
        },
        state: [String],
        details: [String: String]
    ) async throws {
        guard !session.plugins.leads(plugin, to: candidate.socket) else {
            throw Failure(
                "--proxy-for-group \(plugin) is this manager's own socket, \(candidate.socket). Name a group plugin.",
                .usage
            )
        }
        // A plugin that cannot be called would leave every change pending.
        for name in [name, plugin] {
            if let trouble = session.plugins.trouble(of: name) { throw Failure(trouble, .usage) }
        }
        // First of all: libdispatch ends a process that has no descriptor left for it.
        let descriptors = try DescriptorBudget.raised()
        try Directories.make(session.plugins.path)
        let claim = try await claimPlugin(for: state)
        // Not a child: it looks after the file for as long as this goes on, whatever this waits for.
        let claiming = Task { [logger] in
            await claim?.keepPlace { other in
                logger.warning("plugin used by another store", metadata: ["store": "\(other)", "plugin": "\(plugin)"])
            }
        }
        defer { withExtendedLifetime(claim) { claiming.cancel() } }
        var metadata: Logger.Metadata = [
            "version": "\(VersionCommand.version)", "commit": "\(VersionCommand.commit)", "id": "\(candidate.id)",
            "socket": "\(candidate.socket)", "plugin": "\(plugin)",
        ]
        for (name, value) in details { metadata[name] = "\(value)" }
        logger.info("manager starting", metadata: metadata)
        let notifier = ServiceNotifier(session.service, logger: logger)
        let eventLoops = MultiThreadedEventLoopGroup.singleton
        let client = PluginClient(
            name: plugin,
            endpoint: .named(plugin, session.plugins),
            protocol: replica.pluginProtocol,
            limits: .reply,
            maximumConnections: descriptors.pluginConnections,
            refusesOwnProcess: true,
            group: eventLoops,
            logger: logger
        )
        let orphanCommand = try GuardProgram.arguments(
            lock: candidate.guardLock,
            plugin: plugin,
            pluginProtocol: replica.pluginProtocol,
            logging: logging,
            patience: max(election.ttl * 2, .seconds(60))
        )
        var guardProcess: GuardProcess?
        var configuration = ManagerConfiguration(
            candidate: candidate,
            election: election,
            term: replica.termSettings(election, plugin: plugin),
            leaderFile: leaderFile,
            leaderNames: [name, candidate.id.name],
            legacyConfigDirectory: legacyConfigDirectory
        )
        configuration.refusesNamesakes = refusesNamesakes
        configuration.term.userCalls = descriptors.pluginConnections * 3 / 4
        configuration.findLoop = { [client] managers, limit in await client.findLoop(through: managers, within: limit) }
        let here = candidate.process
        let ownPlugin = PluginEndpoint.announced(at: candidate.pluginSocket)
        let runtime = try ManagerRuntime(
            configuration,
            store: store,
            plugin: client,
            logger: logger,
            takeoverReason: takeoverReason,
            isHolderRunning: { HolderProbe.isRunning($0, seenFrom: here) },
            sharesPlugin: { lease in
                // On another host the same path is another plugin.
                here.bootID == lease.process.bootID
                    && PluginEndpoint.announced(at: lease.pluginSocket).leadsToSame(as: ownPlugin)
            },
            makeHolderMonitor: makeHolderMonitor,
            makeGuard: { inhibit throws(SettingsError) in
                let process = try GuardProcess(
                    command: orphanCommand,
                    patience: election.ttl,
                    logger: logger,
                    inhibit: inhibit
                )
                guardProcess = process
                return process
            }
        )
        // Before anything that has to end in order.
        let signals = try ShutdownSignals()
        let server = try await PluginServer.start(
            ServedPlugin(name: name, group: runtime.proxy, manager: runtime.proxy),
            at: candidate.socket,
            configuration: descriptors.apply(to: replica.serving.serverConfiguration),
            group: eventLoops,
            logger: logger
        )
        guardProcess?.start()
        let service = ManagerService(
            runtime: runtime,
            server: server,
            client: client,
            report: ManagerReport(notifier: notifier, logger: logger)
        )
        await service.run(until: signals)
        logger.info("manager stopped")
    }

    private func claimPlugin(for state: [String]) async throws -> PluginClaim? {
        do throws(SettingsError) {
            return try await PluginClaim.take(candidate.pluginSocket, for: state)
        } catch {
            throw Failure("\(error.message).", .usage)
        }
    }
}
