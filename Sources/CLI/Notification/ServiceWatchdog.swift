internal import Logging

/// Pings the service manager for as long as the program lives.
///
/// It runs where the program does its work, among the other tasks: if no task runs any more, there is no ping either.
struct ServiceWatchdog: Sendable {
    /// The time between two pings.
    let interval: Duration
    let isAlive: @Sendable () -> Bool
    let ping: @Sendable () async -> Void
    let logger: Logger

    /// Half of what the service manager allows, so that one ping may come late.
    static func interval(_ allowed: Duration) -> Duration { max(.milliseconds(1), min(allowed / 2, .seconds(3600))) }

    /// Runs until the task is cancelled.
    func run() async {
        var wasAlive = true
        while !Task.isCancelled {
            let isAlive = isAlive()
            if isAlive { await ping() }
            if isAlive != wasAlive {
                wasAlive = isAlive
                if isAlive {
                    logger.notice("the leadership loop turns again")
                } else {
                    logger.error("the leadership loop stands still; no ping for the service manager's watchdog")
                }
            }
            // A loop that turns again must not wait for the next ping: the service manager may not wait so long.
            let pause = isAlive ? interval : min(interval, .seconds(1))
            try? await Task.sleep(for: pause, clock: .suspending)
        }
    }
}
