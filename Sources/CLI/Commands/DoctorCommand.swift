internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager doctor`: whether this host can run a manager on that database, and what to mend.
struct DoctorCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check mount, locks, clocks, disk space and plugin, and suggest fixes",
        discussion: flowing(
            """
            Prints one line for each check. With --peer, run it on two hosts at about the same time: it then also checks
            that a lock on one host keeps out the other.

            Exit status: 0 nothing fatal, 1 at least one fatal finding.

            Examples:
              infrakit-manager doctor
              infrakit-manager doctor --peer 1m
            """
        )
    )

    @Option(help: ArgumentHelp("How long to wait for doctor --peer on the other host", valueName: "duration"))
    var peer: GoDuration?

    @OptionGroup var naming: NameOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func run(in session: Session) async throws -> ExitStatus {
        ProbeFile.removeAtSignals()
        let healthCheck = HealthCheck(
            store: store.open(in: session),
            name: naming.name ?? ServingOptions.defaultName,
            session: session
        )
        let findings = await session.waiting("examining") { await healthCheck.run(peer: peer?.duration) }
        try session.write(
            findings.map { $0.text(colored: session.isColored) }.joined(),
            .array(findings.map(\.json)),
            format.output
        )
        return findings.contains { $0.level == .fatal } ? .failed : .done
    }
}
