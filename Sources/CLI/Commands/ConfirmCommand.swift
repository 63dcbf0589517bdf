internal import ArgumentParser
internal import Store
internal import Terminal

/// `infrakit-manager confirm`: keeps what was committed with `--confirm`.
struct ConfirmCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Confirm a revision that was committed with --confirm",
        discussion: flowing(
            """
            Without an argument, confirms the only revision that waits for confirmation. A revision that is not
            confirmed in time is reverted. No leader is needed, except in swarm mode.

            Examples:
              infrakit-manager confirm
              infrakit-manager confirm 16
            """
        )
    )

    @Argument(help: "Revision to confirm (default: the only one that waits)", completion: Completions.revisions)
    var revision: RevisionWord?

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        let number: Int
        if let revision {
            number = try await revision.number(in: store)
        } else {
            let waiting = try await store.waitingConfirmations(within: commandTimeout).map(\.revision)
            guard let first = waiting.first else { throw Failure("no revision is waiting for confirmation") }
            guard waiting.count == 1 else {
                throw Failure(
                    "several revisions are waiting for confirmation: "
                        + "\(waiting.map(String.init).joined(separator: ", ")); name one",
                    .usage
                )
            }
            number = first
        }
        try await MarkedHistory(store: store, session: session).apply(.confirm(number))
        try session.standardOutput("revision \(number) confirmed\n")
        return .done
    }
}
