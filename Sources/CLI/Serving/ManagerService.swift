internal import Manager
internal import PluginRPC

/// The manager, from its start to the moment at which its groups are free and its lease is released.
struct ManagerService {
    let runtime: ManagerRuntime
    let server: PluginServer
    let client: PluginClient
    let report: ManagerReport

    /// Runs until a signal ends it: then it lets its groups go, for as long as that goes on and its lease lasts. A second signal
    /// ends it at once, and leaves the rest to its guard.
    func run(until signals: ShutdownSignals) async {
        await withDiscardingTaskGroup { reporting in
            reporting.addTask { await report.run(runtime) }
            await manage(until: signals)
            reporting.cancelAll()
        }
        await end()
    }

    /// Takes the socket away, where its directory answers: one that does not must not keep a program that has let go of all
    /// it had.
    private func end() async {
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
        // No children: nobody waits for one that hangs.
        Task {
            await server.stop(grace: .seconds(1))
            await client.shutdown()
            continuation.finish()
        }
        let alarm = Task {
            try? await Task.sleep(for: Self.patience, clock: .suspending)
            continuation.finish()
        }
        for await _ in ends {}
        alarm.cancel()
    }

    private static let patience = Duration.seconds(5)

    private func manage(until signals: ShutdownSignals) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await runtime.run() }
            tasks.addTask {
                await signals.next()
                runtime.stop()
                await report.notifier.stopping()
                await signals.next()
            }
            // Either the manager has ended in order, or somebody does not want to wait: then its guard goes on.
            await tasks.next()
            tasks.cancelAll()
        }
    }
}
