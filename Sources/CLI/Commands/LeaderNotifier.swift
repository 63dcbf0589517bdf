internal import GroupSPI
internal import Logging
internal import Manager
internal import PluginRPC
internal import Store
internal import Terminal

/// The manager that holds the lease, where it is a process of this host.
enum LocalLeader {
    /// - Parameter body: asks it.
    /// - Returns: nil when the leader is elsewhere, does not answer, or does not know what it is asked.
    static func ask<Answer: Sendable>(
        _ lease: Lease,
        _ body: (PluginClient) async throws -> Answer
    ) async -> Answer? {
        // Of another host the socket is a path that means something else here.
        guard lease.isHeld, !lease.process.bootID.isEmpty,
            lease.process.bootID == ProcessIdentity.current().bootID
        else { return nil }
        let client = PluginClient(
            name: lease.holder,
            endpoint: .socket(path: lease.socket),
            // Every manager answers in it, and there is nothing to find out first.
            protocol: .stream,
            logger: Logger(label: "request") { _ in SwiftLogNoOpLogHandler() }
        )
        let answer = try? await body(client)
        await client.shutdown()
        return answer
    }
}

/// Tells a leader on this host that a request waits for it. It finds the request without, at its next look.
enum LeaderNotifier {
    /// No longer than this: a manager that stands still takes connections all the same.
    private static let patience = Duration.milliseconds(200)

    /// - Returns: whether the leader has heard it; then it has the request in a moment.
    static func notify(_ store: Store) async -> Bool {
        guard let lease = try? await store.lease(within: patience) else { return false }
        return await LocalLeader.ask(lease) { try await $0.lookForRequests(within: patience) } == true
    }
}

/// What was acknowledged is read as applied, also in the moment before the leader has stored that: it answers first, as a second
/// sync of the disk would take as long as all the rest.
enum AcknowledgedOutcomes {
    /// A leader that stands still takes connections all the same.
    private static let patience = Duration.seconds(2)
    /// A leader that is out of reach stores what it has told within some milliseconds; over a network it takes longer.
    private static let pauses: [Duration] = [
        .milliseconds(25), .milliseconds(50), .milliseconds(75), .milliseconds(150), .milliseconds(300),
        .milliseconds(400),
    ]

    /// Returns when everything is stored that was acknowledged before.
    ///
    /// - Parameter untold: what the store has found.
    /// - Returns: the oldest revision of which that is not known in the end: its leader is on another host, and it may also be that the
    ///   plugin has not answered yet. Nil when there is none.
    @discardableResult
    static func settle(_ untold: UntoldOutcomes, in store: Store) async -> UntoldOutcomes? {
        if await LocalLeader.ask(untold.leader, { try await $0.storeOutcomes(within: patience) }) == true { return nil }
        var last = untold
        for pause in pauses {
            try? await Task.sleep(for: pause, clock: .suspending)
            guard let view = try? await store.readerView(within: patience) else { break }
            // What has come since is somebody else's.
            guard let now = view.untold, now.first <= untold.newest else { return nil }
            last = now
        }
        return last
    }

    /// For people, who may have been told otherwise.
    static func note(_ untold: UntoldOutcomes) -> TerminalText {
        "note: the outcome of revision \(untold.first) is not stored yet; \(untold.leader.holder) on "
            + "\(untold.leader.process.host) leads, and may have reported it as applied\n"
    }
}
