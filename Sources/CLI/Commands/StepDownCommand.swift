internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager step-down`: hands leadership over now.
struct StepDownCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "step-down",
        abstract: "Ask the leader to hand leadership over now",
        discussion: flowing(
            """
            Works from any host that has the database. Another replica takes over within one poll interval; a replica
            that is alone takes leadership up again after one lease.

            Example: infrakit-manager step-down
            """
        )
    )

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("How long to wait for the leader", valueName: "duration"))
    var wait = GoDuration(.seconds(30))

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        let waiting = RequestWait(store: store, timeout: wait.duration, session: session)
        let (copy, lease) = try await waiting.reading {
            (try await store.replicaInfo(within: commandTimeout), try await store.lease(within: commandTimeout))
        }
        if let copy {
            let node = copy.leader.isEmpty ? "NODE" : copy.leader
            throw Failure(
                "leadership follows the swarm's and cannot be handed over alone. docker node demote \(node) moves both; docker "
                    + "node promote \(node) then makes the node a manager again."
            )
        }
        _ = try await waiting.run(.stepDown)
        try session.standardOutput("\(lease.holder) hands leadership over (epoch \(lease.epoch))\n")
        return .done
    }
}
