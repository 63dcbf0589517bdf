internal import Manager

/// The clock of a host, as one of its processes reads it.
struct SimulatedClock: ManagerClock {
    let process: SimulatedProcess
    let host: SimulatedHost

    func now() -> BootInstant { process.endedAt ?? host.bootTime }
    func wallTime() -> Int { host.wallTime }

    func sleep(until instant: BootInstant) async throws {
        let remaining = instant - now()
        if remaining <= .zero { return }
        let isOver = await process.wait(on: host.scheduler, fallback: false) { promise in
            promise.whenCancelled = { [unowned promise] in promise.fulfil(false) }
            guard let time = host.trueTime(instant) else { return }
            host.planAwake(at: time, for: process) { promise.fulfil(true) }
        }
        if !isOver { throw CancellationError() }
    }
}

/// The timer of the lease's deadline, on the clock that counts while the host is suspended.
final class SimulatedDeadline: DeadlineTimer, @unchecked Sendable {
    private let process: SimulatedProcess
    private let host: SimulatedHost
    private let action: @Sendable () -> Void
    private var generation = 0

    init(_ process: SimulatedProcess, _ host: SimulatedHost, _ action: @escaping @Sendable () -> Void) {
        self.process = process
        self.host = host
        self.action = action
    }

    func set(_ deadline: BootInstant?) {
        generation += 1
        let mine = generation
        guard let deadline, let time = host.trueTime(deadline) else { return }
        host.scheduler.plan(at: time, for: process) { [self] in
            if mine == generation { action() }
        }
    }

    func stop() { set(nil) }
}

/// No timer at all.
struct NoDeadline: DeadlineTimer {
    func set(_ deadline: BootInstant?) {}
    func stop() {}
}
