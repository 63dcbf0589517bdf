internal import Manager

/// A machine with a clock of its own, which is off, runs too fast or too slow, and counts while the machine is suspended;
/// with a wall clock that somebody sets.
final class SimulatedHost: @unchecked Sendable {
    let name: String
    let scheduler: Scheduler
    /// Which boot this is.
    private(set) var boot = 1
    private(set) var isSuspended = false
    /// Without power.
    private(set) var isOff = false
    /// Its processes, and what they left.
    private(set) var processes: [SimulatedProcess] = []
    /// How the shared file looks from here.
    var storage = StorageWeather.calm
    /// Calls that hang in the kernel.
    var hung: [() -> Void] = []
    /// Who holds a lock on which local file.
    var locks: [String: LocalLock] = [:]
    /// What the wall clock is off by, in milliseconds.
    var wallOffset: Int

    /// Boot time at the moment of the boot, and that moment.
    private var offset: Int
    private var bootedAt = 0
    /// How many millionths of a true second one of its seconds takes.
    private let rate: Int
    private var suspendedAt = 0
    private var suspendedBefore = 0

    init(name: String, scheduler: Scheduler, offset: Int, rate: Int, wallOffset: Int) {
        self.name = name
        self.scheduler = scheduler
        self.offset = offset
        self.rate = rate
        self.wallOffset = wallOffset
    }

    var bootID: String { "\(name)/\(boot)" }

    // MARK: - Time

    var bootTime: BootInstant {
        BootInstant(nanoseconds: offset + (scheduler.now - bootedAt) * rate / 1_000_000)
    }

    var wallTime: Int { 1_700_000_000_000 + scheduler.now / 1_000_000 + wallOffset }

    /// The true time at which a moment of this host has come; nil for one that never comes.
    func trueTime(_ instant: BootInstant) -> Int? {
        let distance = instant.nanoseconds - offset
        // No schedule lasts for as long as that.
        guard distance < 1 << 41 else { return nil }
        return bootedAt + distance * 1_000_000 / rate + 2
    }

    func trueLength(_ duration: Duration) -> Int { duration.wholeNanoseconds * 1_000_000 / rate }

    /// How long it has been suspended, in all.
    var suspendedTime: Int { suspendedBefore + (isSuspended ? scheduler.now - suspendedAt : 0) }

    /// Plans something on a clock that stands still while the host is suspended.
    func planAwake(at time: Int, for process: SimulatedProcess, _ action: @escaping () -> Void) {
        planAwake(at: time, suspended: suspendedTime, for: process, action)
    }

    private func planAwake(
        at time: Int,
        suspended: Int,
        for process: SimulatedProcess,
        _ action: @escaping () -> Void
    ) {
        scheduler.plan(at: time, for: process) { [self] in
            let late = suspendedTime - suspended
            if late == 0 { return action() }
            planAwake(at: time + late, suspended: suspended + late, for: process, action)
        }
    }

    // MARK: - Processes

    func makeProcess(_ name: String, pid: Int) -> SimulatedProcess {
        let process = SimulatedProcess(name: name, pid: pid, host: self)
        processes.append(process)
        return process
    }

    func process(_ pid: Int) -> SimulatedProcess? { processes.last { $0.pid == pid && !$0.isEnded } }

    /// The schedule is over: what refers to this host is let go, or none of it would ever be freed.
    func clear() {
        (processes, hung, locks) = ([], [], [:])
    }

    func suspend() {
        guard !isSuspended else { return }
        (isSuspended, suspendedAt) = (true, scheduler.now)
    }

    func resume() {
        guard isSuspended else { return }
        suspendedBefore += scheduler.now - suspendedAt
        isSuspended = false
        for process in processes { scheduler.revive(process) }
    }

    func crash() {
        for process in processes { process.end() }
        isSuspended = false
        isOff = true
        hung = []
        locks = [:]
    }

    /// Another boot, with another clock.
    func reboot(offset: Int) {
        boot += 1
        isOff = false
        (self.offset, bootedAt) = (offset, scheduler.now)
    }
}

extension SimulatedHost {
    /// The shared file is well again; what hung goes on.
    func clearUp() {
        storage = .calm
        let calls = hung
        hung = []
        for call in calls { call() }
    }
}

extension Duration {
    var wholeNanoseconds: Int { Int(components.seconds) * 1_000_000_000 + Int(components.attoseconds / 1_000_000_000) }
}
