internal import ArgumentParser
internal import Glibc
internal import GroupSPI
internal import Logging
internal import Manager
internal import NIOPosix
internal import PluginRPC
internal import ServiceLifecycle
internal import Store

/// `infrakit-manager os`: a manager whose state and leadership are in a database file that its replicas share.
struct OSCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "os",
        abstract: "Run a manager on a shared database file",
        discussion: """
            State, history and leadership are in the file manager.db of the store directory. Replicas that share it, for
            instance over NFS, elect one leader by a lease; with --leader-file, the file names the leader.

            Examples:
              infrakit-manager os
              infrakit-manager os --log 5 --store-dir /mnt/shared/infrakit --id $(hostname)
            """
    )

    @OptionGroup var logging: LogOptions
    @OptionGroup var naming: NameOptions
    @OptionGroup var proxy: ProxyOptions

    @Option(
        help: ArgumentHelp(
            "This replica's name in lease, history and errors (INFRAKIT_ID; default: <host>/<name>)",
            valueName: "string"
        )
    )
    var id: String?

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp(
            "File that names the leader, instead of an election (INFRAKIT_LEADER_FILE)",
            valueName: "file"
        )
    )
    var leaderFile: String?

    @Option(
        help: ArgumentHelp(
            "A leader that has not renewed for so long may be replaced (INFRAKIT_LEASE_TTL)",
            valueName: "d"
        )
    )
    var leaseTtl = GoDuration(.seconds(9))

    @Option(
        help: ArgumentHelp(
            "A leader that could not renew for so long stops acting (INFRAKIT_RENEW_DEADLINE)",
            valueName: "d"
        )
    )
    var renewDeadline: GoDuration?

    @Option(
        help: ArgumentHelp("How often a follower looks and a leader renews (INFRAKIT_POLL_INTERVAL)", valueName: "d")
    )
    var pollInterval: GoDuration?

    @Option(
        help: ArgumentHelp(
            "How often the plugin is asked what it watches (INFRAKIT_RECONCILE_INTERVAL)",
            valueName: "d"
        )
    )
    var reconcileInterval = GoDuration(.seconds(10))

    @Option(help: ArgumentHelp("How long a call to the plugin may take (INFRAKIT_RPC_TIMEOUT)", valueName: "d"))
    var rpcTimeout = GoDuration(.seconds(30))

    @Option(
        help: ArgumentHelp(
            "What the plugin speaks: auto, stream or http (INFRAKIT_PLUGIN_PROTOCOL)",
            valueName: "protocol"
        )
    )
    var pluginProtocol = PluginProtocol.auto

    @Option(
        help: ArgumentHelp(
            "Keep so many of the newest revisions; tagged and current ones stay (INFRAKIT_HISTORY_LIMIT; default: all)",
            valueName: "n"
        )
    )
    var historyLimit: Int?

    @Option(
        help: ArgumentHelp(
            "Keep revisions for so long; tagged and current ones stay (INFRAKIT_HISTORY_MAX_AGE; default: for ever)",
            valueName: "d"
        )
    )
    var historyMaxAge: GoDuration?

    @Flag(
        help: "Pass users' writes on to the leader instead of refusing them while following (INFRAKIT_FORWARD_WRITES)"
    )
    var forwardWrites = false

    @Flag(help: "Accept storage whose locks may not keep two hosts apart (INFRAKIT_UNSAFE_STORAGE)")
    var unsafeStorage = false

    @OptionGroup var serving: ServingOptions

    func validate() throws {
        if let historyLimit, historyLimit < 1 {
            throw ValidationError("--history-limit is 1 or more, not \(historyLimit)")
        }
    }

    private var name: String { naming.name ?? ServingOptions.defaultName }
    private var proxyForGroup: String { proxy.proxyForGroup }

    /// The lease's times; those that are not given follow from the ttl in the proportions of the defaults.
    func election() throws -> ElectionSettings {
        let ttl = leaseTtl.duration
        return try ElectionSettings(
            ttl: ttl,
            renewDeadline: renewDeadline?.duration ?? ttl * 2 / 3,
            pollInterval: pollInterval?.duration ?? ttl / 6
        )
    }

    func run(in session: Session) async throws -> ExitStatus {
        let logger = logging.logger("infrakit-manager", in: session)
        let election = try election()
        let directory = store.directory(in: session)
        try prepare(directory, in: session)
        let storeConfiguration = StoreConfiguration(
            path: StoreConfiguration.path(in: directory),
            busyTimeout: election.busyTimeout.milliseconds,
            allowsUnsafeStorage: unsafeStorage
        )
        let opened = try await Store.openForManager(storeConfiguration)
        let claimant = claimant(in: session)
        if try await opened.summary(within: commandTimeout).newest == 0 {
            // Found out now, at the terminal of the one who starts it, and not when it takes leadership.
            _ = try ManagerRuntime.heritage(directory)
        }
        logger.info(
            "manager starting",
            metadata: [
                "version": "\(VersionCommand.version)", "commit": "\(VersionCommand.commit)", "id": "\(claimant.id)",
                "database": "\(storeConfiguration.path)", "socket": "\(claimant.socket)",
                "plugin": "\(proxyForGroup)",
            ]
        )
        let notifier = ServiceNotifier(session.service, logger: logger)
        let eventLoops = MultiThreadedEventLoopGroup.singleton
        let client = PluginClient(
            name: proxyForGroup,
            endpoint: .named(proxyForGroup, session.plugins),
            protocol: pluginProtocol,
            limits: .standard,
            group: eventLoops,
            logger: logger
        )
        let orphanCommand = try GuardCommand.arguments(
            lock: claimant.guardLock,
            plugin: proxyForGroup,
            pluginProtocol: pluginProtocol,
            log: logging.log
        )
        var guardProcess: GuardProcess?
        let runtime = try ManagerRuntime(
            ManagerConfiguration(
                claimant: claimant,
                election: election,
                keeper: keeperSettings(election),
                leaderFile: leaderFile,
                leaderNames: [name, claimant.id],
                heritageDirectory: directory
            ),
            store: opened,
            plugin: client,
            logger: logger,
            holderIsGone: { HolderProbe.isGone($0, seenFrom: claimant.process) },
            makeGuard: { hinder in
                let process = GuardProcess(command: orphanCommand, logger: logger, hinder: hinder)
                guardProcess = process
                return process
            }
        )
        try await Services.run(logger: logger) {
            let server = try await PluginServer.start(
                ServedPlugin(name: name, group: runtime.proxy, manager: runtime.proxy),
                at: claimant.socket,
                configuration: serving.serverConfiguration,
                group: eventLoops,
                logger: logger
            )
            guardProcess?.start()
            return [
                ManagerService(
                    runtime: runtime,
                    server: server,
                    client: client,
                    limit: election.ttl,
                    report: ManagerReport(notifier: notifier, logger: logger)
                )
            ]
        }
        logger.info("manager stopped")
        return .done
    }

    private func keeperSettings(_ election: ElectionSettings) -> KeeperSettings {
        var settings = KeeperSettings(
            rpcTimeout: rpcTimeout.duration,
            reconcileInterval: reconcileInterval.duration,
            election: election,
            pluginName: proxyForGroup
        )
        settings.retention = RetentionPolicy(limit: historyLimit, maximumAge: historyMaxAge?.duration.milliseconds)
        settings.forwardsWrites = forwardWrites
        return settings
    }

    // MARK: - Preparation

    private func claimant(in session: Session) -> Claimant {
        let process = ProcessIdentity.current()
        return Claimant(
            id: id ?? "\(process.host)/\(name)",
            instance: Request.makeID(),
            process: process,
            socket: session.plugins.socketPath(for: name),
            pluginSocket: session.plugins.socketPath(for: proxyForGroup),
            guardLock: "\(session.plugins.path)/.\(name).guard"
        )
    }

    private func prepare(_ directory: String, in session: Session) throws {
        // The default directory is ours to make; one that was named and is not there is a mistake, or a missing mount.
        if directory == StoreOptions.defaultDirectory(in: session) { try Directories.make(directory) }
        try Directories.make(session.plugins.path)
        guard let leaderFile else { return }
        var status = stat()
        guard stat(leaderFile, &status) == 0 else {
            throw Failure(
                "the leader file \(leaderFile) cannot be used: \(String(cString: strerror(errno))). Create it."
            )
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure("the leader file \(leaderFile) must be a file") }
    }
}

enum Directories {
    /// Makes a directory and those above it, for this user alone; existing ones stay as they are.
    static func make(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) != 0 else { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try make(String(path[..<slash])) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw Failure("cannot make the directory \(path): \(String(cString: strerror(errno)))")
        }
    }
}
