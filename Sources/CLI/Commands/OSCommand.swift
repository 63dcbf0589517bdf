internal import ArgumentParser
internal import Manager
internal import Store

/// `infrakit-manager os`: a manager whose state and leadership are in a database file that its replicas share.
struct OSCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "os",
        abstract: "Run a manager on a shared database file",
        discussion: flowing(
            """
            State, history and leadership are stored in the file manager.db of the store directory. Replicas that share
            the directory, for example over NFS, elect one leader with a lease. With --leader-file, the file names the
            leader instead.

            Examples:
              infrakit-manager os
              infrakit-manager os --log 5 --store-dir /mnt/shared/infrakit --id $(hostname)
            """
        )
    )

    @OptionGroup var logging: LogOptions
    @OptionGroup var naming: NameOptions
    @OptionGroup var proxy: ProxyOptions

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp(
            "File that names the leader; replaces the election (INFRAKIT_LEADER_FILE)",
            valueName: "file"
        )
    )
    var leaderFile: String?

    @Option(
        help: ArgumentHelp(
            "Lease TTL: followers may take over after this long without a renewal (INFRAKIT_LEASE_TTL)",
            valueName: "d"
        )
    )
    var leaseTtl = GoDuration(.seconds(9))

    @Option(
        help: ArgumentHelp(
            "Renew deadline: a leader stops acting after this long without a renewal (INFRAKIT_RENEW_DEADLINE)",
            valueName: "d"
        )
    )
    var renewDeadline: GoDuration?

    @Option(
        help: ArgumentHelp(
            "How often followers read the lease and the leader renews it (INFRAKIT_POLL_INTERVAL)",
            valueName: "d"
        )
    )
    var pollInterval: GoDuration?

    @Flag(help: "Allow storage whose file locks may not exclude other hosts (INFRAKIT_UNSAFE_STORAGE)")
    var unsafeStorage = false

    @OptionGroup var replica: ReplicaOptions

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
        let election = try election()
        let directory = store.directory(in: session)
        try store.prepareDirectory(in: session)
        try await checkLeaderFile()
        var configuration = StoreConfiguration(
            path: StoreConfiguration.path(in: directory),
            busyTimeout: election.busyTimeout.milliseconds,
            allowsUnsafeStorage: unsafeStorage
        )
        configuration.noticesOlderState = true
        configuration.mayBeginAnew = false
        let opened = try await Store.openForManager(configuration)
        try await checkHistory(configuration.path, directory)
        let program = try ManagerProgram(
            naming: naming,
            proxy: proxy,
            logging: logging,
            replica: replica,
            session: session
        )
        let here = program.candidate.process
        try await checkNamesake(configuration.path, program.candidate)
        try await program.run(
            on: opened,
            election: election,
            leaderFile: leaderFile,
            legacyConfigDirectory: directory,
            takeoverReason: { HolderProbe.takeoverReason($0, seenFrom: here) },
            makeHolderMonitor: { LocalLeaseHolderMonitor(seenFrom: here, ended: $0) },
            state: PluginClaim.names(ofDatabase: configuration.path),
            details: ["database": configuration.path]
        )
        return .done
    }

    /// Its connection is closed when it returns, and with it 0.1 MB is free.
    private func checkHistory(_ path: String, _ directory: String) async throws {
        // More patient than a renewal may be: a leader that stands still in the middle of a write must not end this start.
        let patient = Store.openForCommand(StoreConfiguration(path: path, busyTimeout: 10_000))
        if let copy = try await patient.replicaInfo(within: commandTimeout) {
            throw StoreError(
                .conflict,
                "\(path) is the local copy of the swarm \(copy.cluster), made by infrakit-manager swarm. Name "
                    + "another store directory."
            )
        }
        if try await patient.summary(within: commandTimeout).newest == 0 {
            // Found out now, at the terminal of the one who starts it, and not when it takes leadership.
            _ = try ManagerRuntime.legacyConfig(directory)
        }
    }

    /// Where its process can be seen, a second replica is told at once. Elsewhere it does not lead: ``Namesake``.
    private func checkNamesake(_ path: String, _ candidate: Candidate) async throws {
        let patient = Store.openForCommand(StoreConfiguration(path: path, busyTimeout: 10_000))
        let lease = try await patient.lease(within: commandTimeout)
        guard let refusal = HolderProbe.namesake(lease, of: candidate) else { return }
        throw Failure("\(refusal).", .usage)
    }

    private func checkLeaderFile() async throws {
        guard let leaderFile else { return }
        guard let trouble = await LeaderFile.trouble(leaderFile, within: commandTimeout) else { return }
        throw Failure("the leader file \(trouble). Name a file that can be read.")
    }
}
