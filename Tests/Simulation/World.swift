internal import GroupSPI
internal import Logging
internal import Manager
internal import ManagerModels
internal import SeededRandom
internal import Store

/// Everything that there is in one schedule.
final class World: @unchecked Sendable {
    let plan: SchedulePlan
    let broken: BrokenRule?
    let trace: Trace
    let scheduler: Scheduler
    /// Of everything but the order of jobs.
    var random: SeededGenerator
    private(set) var hosts: [SimulatedHost] = []
    private(set) var replicas: [SimulatedReplica] = []
    private(set) lazy var file = SharedFile(self)
    /// Nil in os mode.
    private(set) var swarm: SimulatedSwarm?
    private(set) lazy var checker = Checker(self)
    private(set) lazy var users = Users(self)
    private(set) lazy var faults = Faults(self)
    private var lastPid = 100

    init(seed: UInt64, broken: BrokenRule?, isSwarm: Bool?, trace: Trace) {
        var random = SeededGenerator(seed)
        plan = SchedulePlan(&random, isSwarm: isSwarm ?? broken?.isOfSwarm ?? (seed % 50 == 0))
        self.broken = broken
        self.trace = trace
        scheduler = Scheduler(seed: random.next(), jobTime: plan.jobTime)
        self.random = random
    }

    func begin() {
        for index in 0..<plan.hosts {
            hosts.append(
                SimulatedHost(
                    name: "h\(index + 1)",
                    scheduler: scheduler,
                    offset: random.within(1...1000) * 1_000_000_000,
                    rate: random.within(950_000...1_050_000),
                    wallOffset: random.within(-plan.wallSkew...plan.wallSkew)
                )
            )
        }
        if plan.isSwarm { swarm = SimulatedSwarm(self) }
        for index in 0..<plan.replicas {
            let replica = SimulatedReplica("n\(index + 1)", self, hosts[index % plan.hosts])
            replicas.append(replica)
            replica.plugin.start()
            scheduler.plan(after: random.below(2_000_000_000), for: scheduler.world) { replica.start() }
        }
        users.begin()
        faults.begin()
    }

    func makeProcess(_ name: String, on host: SimulatedHost) -> SimulatedProcess {
        lastPid += 1
        return host.makeProcess(name, pid: lastPid)
    }

    func logger(_ process: SimulatedProcess) -> Logger {
        let handler: any LogHandler = trace.isOn ? TraceLog(self, process) : SwiftLogNoOpLogHandler()
        return Logger(label: process.name) { _ in handler }
    }

    func note(_ text: @autoclosure () -> String) { trace.note(scheduler.now, scheduler.world, text) }

    /// - Returns: how many tasks are still waiting for something.
    func takeApart() -> Int {
        let left = scheduler.takeApart(hosts.flatMap(\.processes))
        for replica in replicas { replica.clear() }
        users.clear()
        for host in hosts { host.clear() }
        (replicas, hosts, swarm) = ([], [], nil)
        return left
    }
}
