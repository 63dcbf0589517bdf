internal import Manager

/// A process: what belongs to it ends, stands still and goes on together.
final class SimulatedProcess: @unchecked Sendable {
    let name: String
    let pid: Int
    let host: SimulatedHost?
    private(set) var isEnded = false
    /// What its host's clock said when it ended. After that the host may have been booted anew, and its clock is another.
    private(set) var endedAt: BootInstant?
    private(set) var isStopped = false
    /// The schedule is over: whatever it waits for comes to nothing.
    var isOver = false

    /// What has to be done when it goes on.
    var parkedJobs: [UnsafeMutableRawPointer] = []
    var parkedActions: [() -> Void] = []
    /// What its tasks wait for.
    var promises: [Int: any Endable] = [:]
    /// What happens to it when it has run so many more jobs.
    private var interruption: (jobs: Int, action: () -> Void)?
    private var nextKey = 0
    private var tasks: [Task<Void, Never>] = []
    /// Who waits for its end.
    private var mourners: [() -> Void] = []

    init(name: String, pid: Int, host: SimulatedHost?) {
        self.name = name
        self.pid = pid
        self.host = host
    }

    var isRunnable: Bool { !isEnded && !isStopped && host?.isSuspended != true }

    func stop() { isStopped = true }
    func goOn() { isStopped = false }

    func end() {
        isEnded = true
        endedAt = endedAt ?? host?.bootTime
        let told = mourners
        mourners = []
        for action in told { action() }
    }

    func whenEnded(_ action: @escaping () -> Void) { mourners.append(action) }

    func interrupt(afterJobs jobs: Int, _ action: @escaping () -> Void) { interruption = (jobs, action) }

    func hasRunJob() {
        guard let (jobs, action) = interruption else { return }
        interruption = jobs > 1 ? (jobs - 1, action) : nil
        if jobs <= 1 { action() }
    }

    func makeKey() -> Int {
        nextKey += 1
        return nextKey
    }

    /// Starts a task of this process.
    func start(_ body: @escaping @Sendable () async -> Void) { tasks.append(Task { await body() }) }

    func takeParked() -> (jobs: [UnsafeMutableRawPointer], actions: [() -> Void]) {
        defer { (parkedJobs, parkedActions) = ([], []) }
        return (parkedJobs, parkedActions)
    }

    /// Its tasks are to come to an end by themselves.
    func interruptTasks() {
        for task in tasks { task.cancel() }
    }

    func endTasks() {
        interruption = nil
        for task in tasks { task.cancel() }
        tasks = []
        for promise in promises.sorted(by: { $0.key < $1.key }) { promise.value.giveUp() }
    }
}
