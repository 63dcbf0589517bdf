internal import Logging
internal import NIOPosix
internal import PluginRPC
internal import ServiceLifecycle
internal import UnixSignals

/// Runs services until SIGTERM or SIGINT, then until they have ended in order.
enum Services {
    static func run(_ services: [any Service], logger: Logger) async throws {
        // What ends by itself ends the program: nothing here is optional.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }
}

/// A plugin's socket, served for as long as the program runs.
struct SocketService: Service {
    let server: PluginServer
    /// How long requests that are under way may take to be answered at the end.
    let grace: Duration

    func run() async throws {
        try? await gracefulShutdown()
        await server.stop(grace: grace)
    }
}
