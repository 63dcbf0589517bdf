internal import ArgumentParser
internal import GroupSPI
internal import Store

/// `infrakit-manager show <rev>`: the configuration as of a revision, the users' own bytes.
struct ShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the configuration as of a revision",
        discussion: """
            Every specification is printed byte for byte as its user sent it. Without a revision: the current one.

            Examples:
              infrakit-manager show 12
              infrakit-manager show 12 --group cattle > cattle.json
            """
    )

    @Argument(help: "The revision's number (default: the current one)")
    var revision: Int?

    @Option(help: ArgumentHelp("Only this group's specification", valueName: "id"))
    var group: String?

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        let number = try await RevisionNumber.check(revision, store)
        let states = try await store.states(at: number, within: commandTimeout)
        let entries = states.compactMap { state in
            state.spec.map { GlobalConfig.Entry(spec: $0.spec, plugin: $0.plugin) }
        }
        guard let group else {
            session.standardOutput(GlobalConfig.encode(entries).raw.text + "\n")
            return .done
        }
        guard let entry = entries.first(where: { $0.spec.id == group }) else {
            let known = entries.map(\.spec.id).joined(separator: ", ")
            throw Failure(
                "revision \(number) has no group '\(group)'; it has: \(known.isEmpty ? "none" : known)"
            )
        }
        session.standardOutput(entry.spec.json.raw.text + "\n")
        return .done
    }
}

/// Numbers that people type.
enum RevisionNumber {
    /// - Parameter number: nil for the newest.
    /// - Returns: a number that the history has.
    /// - Throws: ``Failure`` that says which it has.
    static func check(_ number: Int?, _ store: Store) async throws -> Int {
        let summary = try await store.summary(within: commandTimeout)
        guard summary.newest > 0 else {
            throw Failure("the history is empty: no group has been committed yet")
        }
        let number = number ?? summary.current ?? summary.newest
        guard (summary.oldest...summary.newest).contains(number) else {
            throw Failure("there is no revision \(number): the history has \(summary.oldest) to \(summary.newest)")
        }
        return number
    }
}
