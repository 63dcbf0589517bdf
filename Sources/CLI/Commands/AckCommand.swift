internal import ArgumentParser
internal import Store
internal import Terminal

/// `infrakit-manager ack`: ends the warnings of a rejected revision.
struct AckCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "ack",
        abstract: "Acknowledge a rejected revision to end its warnings",
        discussion: flowing(
            """
            `status` and `doctor` warn about a rejected revision until a later revision of its groups is applied, or
            until somebody acknowledges it. The history records who acknowledged it, when and why. No group changes. No
            leader is needed, except in swarm mode.

            Examples:
              infrakit-manager ack 14
              infrakit-manager ack 14 -m "the image was withdrawn"
            """
        )
    )

    @Argument(help: "The rejected revision, by number or tag", completion: Completions.rejected)
    var revision: RevisionWord

    @Option(name: .shortAndLong, help: ArgumentHelp("Reason, recorded in the history", valueName: "text"))
    var message = ""

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        let number = try await revision.number(in: store)
        try await MarkedHistory(store: store, session: session).apply(.acknowledge(number, message: message))
        try session.standardOutput("revision \(number) acknowledged\n")
        return .done
    }
}
