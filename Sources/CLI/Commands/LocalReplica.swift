internal import GroupSPI
internal import Logging
internal import PluginRPC

/// The manager that runs on this host, as it describes itself.
enum LocalReplica {
    /// - Returns: nil when none answers.
    static func ask(_ name: Identifier, in session: Session) async -> JSONView? {
        guard session.plugins.entry(named: name) != nil else { return nil }
        let client = PluginClient(
            name: name,
            endpoint: .named(name, session.plugins),
            logger: Logger(label: "status") { _ in SwiftLogNoOpLogHandler() }
        )
        let status = try? await client.managerStatus(within: .seconds(3))
        await client.shutdown()
        return status.map { JSONView($0) }
    }
}
