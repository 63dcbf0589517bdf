internal import Logging
internal import Manager

/// What the service manager hears of a manager, while it runs.
struct ManagerReport: Sendable {
    let notifier: ServiceNotifier
    let logger: Logger

    /// Runs until the task is cancelled; the socket is served already.
    func run(_ runtime: ManagerRuntime) async {
        guard notifier.isWanted else { return }
        await withDiscardingTaskGroup { tasks in
            var last: String?
            for await standing in runtime.board.standings {
                let sentence = "\(standing.role.rawValue): \(standing.reason)"
                guard sentence != last else { continue }
                if last != nil {
                    await notifier.status(sentence)
                } else {
                    await notifier.ready(sentence)
                    if let watchdog = watchdog(runtime) { tasks.addTask { await watchdog.run() } }
                }
                last = sentence
            }
            tasks.cancelAll()
        }
    }

    private func watchdog(_ runtime: ManagerRuntime) -> ServiceWatchdog? {
        notifier.watchdog.map { allowed in
            ServiceWatchdog(
                interval: ServiceWatchdog.interval(allowed),
                isAlive: { runtime.isTurning },
                ping: { [notifier] in await notifier.ping() },
                logger: logger
            )
        }
    }
}
