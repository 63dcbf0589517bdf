internal import ArgumentParser
internal import GroupSPI
internal import Store
internal import Terminal

/// `infrakit-manager step-down`: hands leadership over now.
struct StepDownCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "step-down",
        abstract: "Ask the leader to step down now",
        discussion: flowing(
            """
            Works from any host that can open the database. Another replica takes over within one poll interval. If
            there is no other replica, the same one leads again after one lease TTL.

            Example: infrakit-manager step-down
            """
        )
    )

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("How long to wait for the leader", valueName: "duration"))
    var wait = GoDuration(.seconds(30))

    func run(in session: Session) async throws -> ExitStatus {
        let store = store.open(in: session)
        let waiting = LeaderRequest(store: store, timeout: wait.duration, session: session)
        let (copy, lease) = try await waiting.reading {
            (try await store.replicaInfo(within: commandTimeout), try await store.lease(within: commandTimeout))
        }
        if let copy {
            let node = copy.leader.isEmpty ? "NODE" : copy.leader
            throw Failure(
                "the leader is the node that leads the swarm. To move both: docker node demote \(node). Afterwards: "
                    + "docker node promote \(node) makes the node a manager again."
            )
        }
        _ = try await waiting.run(.stepDown)
        try session.standardOutput("\(lease.holder) steps down (epoch \(lease.epoch))\n")
        return .done
    }
}
