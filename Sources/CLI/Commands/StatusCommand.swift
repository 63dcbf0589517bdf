internal import ArgumentParser
internal import GroupSPI
internal import PluginRPC
internal import Store
internal import Terminal

/// `infrakit-manager status`: who leads, what this replica is and why, and what waits to be looked at.
struct StatusCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the current leader and this replica's role",
        discussion: flowing(
            """
            Exit status: 0 this replica leads (or none runs here and another leads), 3 this replica follows, 4 nobody
            leads.

            Example: infrakit-manager status -o json
            """
        )
    )

    @OptionGroup var naming: NameOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func run(in session: Session) async throws -> ExitStatus {
        let replica = await LocalReplica.ask(naming.name ?? ServingOptions.defaultName, in: session)
        let database = try await store.openToRead(in: session)
        let lease = try await database.lease(within: commandTimeout)
        let sighting = await LeaseSighting.look(at: lease, in: database, session)
        let summary = try await database.summary(within: commandTimeout)
        let report = StatusReport(
            lease: lease,
            summary: summary,
            replica: replica.answer,
            isReplicaSilent: replica.isSilent,
            storage: StorageReport(path: database.path),
            swarm: try await database.replicaInfo(within: commandTimeout),
            times: try await database.confirmationTimes(within: commandTimeout),
            sighting: sighting,
            now: session.now()
        )
        try session.write(report.text, report.json, format.output)
        return report.status
    }
}
