internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager show <rev>`: the configuration as of a revision, the users' own bytes.
struct ShowCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the configuration as of a revision",
        discussion: flowing(
            """
            Without an argument, prints the current configuration. Specifications are printed byte for byte as they were
            sent.

            Examples:
              infrakit-manager show 12
              infrakit-manager show before-upgrade
              infrakit-manager show 12 --group cattle > cattle.json
            """
        )
    )

    @Argument(help: "Revision, by number or tag (default: the current one)", completion: Completions.revisions)
    var revision: RevisionWord?

    @Option(
        help: ArgumentHelp(
            "Print only this group's specification",
            valueName: "id"
        ),
        completion: Completions.groups
    )
    var group: Identifier?

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        let store = try await store.openToRead(in: session)
        let number = try await RevisionWord.numberOrCurrent(revision, in: store)
        if let group {
            let state = try await store.state(of: group, at: number, within: commandTimeout)
            guard let spec = state.spec?.spec else {
                throw Failure("revision \(number) has no group '\(group)'")
            }
            try session.standardOutput(TerminalText(exact: spec.json.raw.text + "\n"))
            return .done
        }
        let states = try await store.wholeStates(at: number, within: commandTimeout)
        try session.standardOutput(TerminalText(exact: GlobalConfig.encode(states.entries).raw.text + "\n"))
        return .done
    }
}

extension [GroupState] {
    /// The groups that stand, with their specifications.
    var entries: [GlobalConfig.Entry] {
        compactMap { state in state.spec.map { GlobalConfig.Entry(spec: $0.spec, plugin: $0.plugin) } }
    }
}
