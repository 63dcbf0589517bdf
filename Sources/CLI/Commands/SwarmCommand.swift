internal import ArgumentParser
internal import Manager
internal import NIOPosix
internal import Replication
internal import Store
internal import Swarm

/// `infrakit-manager swarm`: a manager on a Docker Swarm manager node, which leads when its node does.
struct SwarmCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "swarm",
        abstract: "Run a manager on a Docker Swarm manager node",
        discussion: flowing(
            """
            Run one manager on each manager node of the swarm. The replica on the node that leads the swarm is the
            leader. The configuration of all groups is stored in a label of the swarm. The database of each node is a
            local copy of it, with the history.

            Examples:
              infrakit-manager swarm
              infrakit-manager swarm --host tcp://127.0.0.1:2376 --tlscacert ca.pem --tlscert cert.pem --tlskey key.pem
            """
        )
    )

    @OptionGroup var logging: LogOptions
    @OptionGroup var naming: NameOptions
    @OptionGroup var proxy: ProxyOptions

    @Option(
        help: ArgumentHelp(
            "Address of this node's Docker Engine (INFRAKIT_HOST, DOCKER_HOST; default: unix:///var/run/docker.sock)",
            valueName: "url"
        )
    )
    var host: String?

    @Option(help: ArgumentHelp("CA certificate file that verifies the Engine (INFRAKIT_TLSCACERT)", valueName: "file"))
    var tlscacert: String?

    @Option(help: ArgumentHelp("Client certificate file (INFRAKIT_TLSCERT)", valueName: "file"))
    var tlscert: String?

    @Option(help: ArgumentHelp("Client key file (INFRAKIT_TLSKEY)", valueName: "file"))
    var tlskey: String?

    @Option(
        help: ArgumentHelp(
            "Verify the Engine's certificate: true or false (INFRAKIT_TLSVERIFY, DOCKER_TLS_VERIFY; default: true). "
                + "The Go manager's flag means the opposite",
            valueName: "bool"
        )
    )
    var tlsverify: Switch?

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp(
            "How often to ask the Engine. A leader stops acting after five intervals without a confirmation "
                + "(INFRAKIT_POLL_INTERVAL)",
            valueName: "d"
        )
    )
    var pollInterval = GoDuration(.seconds(1))

    @OptionGroup var replica: ReplicaOptions

    func validate() throws {
        guard pollInterval.duration >= .milliseconds(200), pollInterval.duration <= .seconds(60) else {
            throw ValidationError("--poll-interval must be 200ms to 1m, not \(pollInterval.duration.goText)")
        }
    }

    /// All times follow from how often the Engine is asked.
    func election() throws -> ElectionSettings {
        let interval = pollInterval.duration
        return try ElectionSettings(ttl: interval * 15 / 2, renewDeadline: interval * 5, pollInterval: interval)
    }

    func run(in session: Session) async throws -> ExitStatus {
        let election = try election()
        let endpoint = try EngineEndpoint.resolve(
            host: host,
            tls: EngineTLS.Flags(
                authorityFile: tlscacert,
                certificateFile: tlscert,
                keyFile: tlskey,
                isVerified: tlsverify?.isOn
            ),
            environment: session.environment
        )
        try store.prepareDirectory(in: session)
        let configuration = StoreConfiguration(
            path: StoreConfiguration.path(in: store.directory(in: session)),
            busyTimeout: election.busyTimeout.milliseconds
        )
        let program = try ManagerProgram(
            naming: naming,
            proxy: proxy,
            logging: logging,
            replica: replica,
            session: session
        )
        // Two managers with one copy would undo each other's requests. Held until the program ends.
        let lock = try lockCopy(configuration.path)
        defer { withExtendedLifetime(lock) {} }
        let client = try EngineClient(endpoint, on: MultiThreadedEventLoopGroup.singleton)
        let here = program.candidate.process
        let swarm = try await SwarmStore.open(
            DatabasePlace(configuration),
            engine: client,
            settings: settings(election),
            logger: program.logger,
            holderIsGone: { HolderProbe.isGone($0, seenFrom: here) }
        )
        try await program.run(
            on: swarm,
            election: election,
            takeoverReason: { swarm.takeoverReason($0) },
            // The Engine's own leader is the leader, and what is seen of it moves by itself.
            refusesNamesakes: false,
            state: ["the swarm of the Engine \(endpoint.address)"],
            details: ["engine": "\(endpoint.address)", "copy": configuration.path]
        )
        await client.shutdown()
        return .done
    }

    private func lockCopy(_ path: String) throws -> FileLock {
        do throws(SettingsError) {
            return try FileLock(taking: "\(path).lock")
        } catch {
            throw Failure("\(error.message). Each manager needs a store directory of its own (--store-dir).")
        }
    }

    private func settings(_ election: ElectionSettings) -> SwarmStore.Settings {
        var settings = SwarmStore.Settings(
            detector: SwarmDetectorSettings(
                limit: election.renewDeadline,
                // The leader before has let its groups go by then.
                settling: election.ttl + election.pollInterval / 2
            )
        )
        settings.replication.swap.limit = election.renewDeadline
        // Often enough for the lease to be shown as standing.
        settings.replication.noteInterval = min(.seconds(5), election.pollInterval * 3)
        settings.replication.retention = replica.retention
        return settings
    }
}

/// A flag that is given as a word.
struct Switch: ExpressibleByArgument {
    let isOn: Bool

    init?(argument: String) {
        switch argument.lowercased() {
        case "true", "1", "yes", "on": isOn = true
        case "false", "0", "no", "off": isOn = false
        default: return nil
        }
    }
}
