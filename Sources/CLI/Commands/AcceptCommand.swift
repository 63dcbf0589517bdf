internal import ArgumentParser
internal import Store
internal import Terminal

/// `infrakit-manager accept`: goes on from a database that is older than what the managers have seen.
struct AcceptCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Go on from an older state of the database, as a new start",
        discussion: flowing(
            """
            An older copy of manager.db in the place of the file suspends leadership: the leader acts no more and keeps its
            groups. Put the newer file back, and it goes on. If there is none, accept the older state: what is only in
            the newer file is lost, and its numbers are not given out again. The leader then lets its groups go and leads
            anew, with the groups of the older state. Requests that wait are refused.

            A restore with all managers stopped needs no accept.

            Where the database is gone or empty, no manager begins anew by itself. With --empty one is made, and its first
            revision has number 1. What is left of the lost one stays.

            Example: infrakit-manager accept
            """
        )
    )

    @Flag(help: "Begin anew where the database is gone or empty: its history and its groups are lost")
    var empty = false

    @OptionGroup var store: StoreOptions

    func run(in session: Session) async throws -> ExitStatus {
        if empty {
            Directories.makeFilesPrivate()
            let path = store.open(in: session).path
            try await Store.beginAnew(StoreConfiguration(path: path))
            try session.standardOutput("accepted: \(path) is a new database, and its first revision is 1\n")
            return .done
        }
        let (newest, next) = try await store.open(in: session).acceptOlderState(within: commandTimeout)
        try session.standardOutput(
            "accepted: revision \(newest) is the newest that is kept, and the next one is \(next)\n"
        )
        return .done
    }
}
