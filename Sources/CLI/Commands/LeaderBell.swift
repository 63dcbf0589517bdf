internal import Logging
internal import Manager
internal import PluginRPC
internal import Store

/// Tells a leader on this host that a request waits for it. It finds the request without, at its next look.
enum LeaderBell {
    /// No longer than this: a manager that stands still takes connections all the same.
    private static let patience = Duration.milliseconds(200)

    /// - Returns: whether the leader has heard it; then it has the request in a moment.
    static func ring(_ store: Store) async -> Bool {
        // Of another host the socket is a path that means something else here.
        guard let lease = try? await store.lease(within: patience), lease.isHeld, !lease.process.bootID.isEmpty,
            lease.process.bootID == ProcessIdentity.current().bootID
        else { return false }
        let client = PluginClient(
            name: lease.holder,
            endpoint: .socket(path: lease.socket),
            // Every manager answers in it, and there is nothing to find out first.
            protocol: .stream,
            logger: Logger(label: "request") { _ in SwiftLogNoOpLogHandler() }
        )
        let isHeard = try? await client.lookForRequests(within: patience)
        await client.shutdown()
        return isHeard == true
    }
}
