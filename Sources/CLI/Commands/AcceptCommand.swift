internal import ArgumentParser
internal import Store
internal import Terminal

/// `infrakit-manager accept`: goes on from a database that is older than what the managers have seen.
struct AcceptCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Accept an older or empty database and lead again from it",
        discussion: flowing(
            """
            If an older copy replaces manager.db, leadership is suspended: the leader stops acting and keeps its groups.
            Put the newer file back, and the leader goes on.

            If the newer file is lost, accept the older state. Changes that only the newer file had are lost, and their
            revision numbers are not used again. The leader then releases its groups and leads again with the groups of
            the older state. Waiting requests are refused.

            A restore with all managers stopped does not need this command.

            If the database is missing or empty, no manager creates a new one by itself. Use --empty to create one; its
            first revision is 1. Other files of the lost database stay.

            Example: infrakit-manager accept
            """
        )
    )

    @Flag(help: "Create a new database if it is missing or empty; its history and groups are lost")
    var empty = false

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        if empty {
            Directories.makeFilesPrivate()
            let path = store.open(in: session).path
            try await Store.beginAnew(StoreConfiguration(path: path))
            try session.standardOutput("accepted: \(path) is a new database; its first revision will be 1\n")
            return .done
        }
        let (newest, next) = try await store.open(in: session).acceptOlderState(within: commandTimeout)
        try session.standardOutput(
            "accepted: the newest revision is \(newest); the next one will be \(next)\n"
        )
        return .done
    }
}
