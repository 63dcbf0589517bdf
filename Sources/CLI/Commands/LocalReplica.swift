internal import GroupSPI
internal import Logging
internal import PluginRPC

/// The manager that runs on this host, as it describes itself.
enum LocalReplica {
    case status(JSONView)
    /// It takes connections and does not answer in time: it has much to do, or stands still. It is not the same as none.
    case silent
    case absent

    /// A manager that has much to do may need so long.
    private static let patience = Duration.seconds(8)

    static func ask(_ name: Identifier, in session: Session) async -> LocalReplica {
        guard session.plugins.entry(named: name) != nil else { return .absent }
        let client = PluginClient(
            name: name,
            endpoint: .named(name, session.plugins),
            logger: Logger(label: "status") { _ in SwiftLogNoOpLogHandler() }
        )
        let replica: LocalReplica
        do throws(GroupError) {
            replica = .status(JSONView(try await client.managerStatus(within: patience)))
        } catch {
            // Something else that is no manager has answered.
            replica = error.code == .notRunning || error.code == .rejected ? .absent : .silent
        }
        await client.shutdown()
        return replica
    }

    /// What it says of itself; nil when it says nothing.
    var answer: JSONView? { if case .status(let status) = self { status } else { nil } }

    var isSilent: Bool { if case .silent = self { true } else { false } }
}
