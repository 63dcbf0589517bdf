internal import Logging
internal import PluginRPC
internal import ServiceLifecycle
internal import UnixSignals

/// Runs services until SIGTERM or SIGINT, then until they have ended in order.
enum Services {
    /// - Parameter start: makes what the services need. A signal that arrives meanwhile is not lost: they start, and
    ///   end in order at once.
    static func run(logger: Logger, _ start: () async throws -> [any Service]) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        // What ends by itself ends the program: nothing here is optional.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: try await start().map {
                    .init(
                        service: $0,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                logger: logger
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                for await _ in signals { await group.triggerGracefulShutdown() }
                // Only a cancelled sequence ends; then the services have.
            }
            try await tasks.next()
            tasks.cancelAll()
        }
    }
}

/// A plugin's socket, served for as long as the program runs.
struct SocketService: Service {
    let server: PluginServer
    /// How long requests that are under way may take to be answered at the end.
    let grace: Duration
    let notifier: ServiceNotifier

    func run() async throws {
        await notifier.ready()
        try? await gracefulShutdown()
        await notifier.stopping()
        await server.stop(grace: grace)
    }
}
