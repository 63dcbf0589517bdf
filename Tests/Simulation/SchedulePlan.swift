internal import Manager
internal import ManagerModels

/// What a seed makes of a schedule, beside the order of events.
struct SchedulePlan {
    let replicas: Int
    let hosts: Int
    let election: ElectionSettings
    let keeper: KeeperSettings
    /// Something goes wrong until then, in nanoseconds; then nothing does.
    let calmAt: Int
    /// Between two faults on average, and between two writes, in nanoseconds.
    let faultInterval: Int
    let writeInterval: Int
    /// What goes wrong.
    let faults: Set<Fault>
    /// How long a job takes at most, in nanoseconds.
    let jobTime: Int
    /// What wall clocks are off by at most, in milliseconds.
    let wallSkew: Int

    init(_ random: inout SeededGenerator) {
        // Most schedules are small, as most mistakes need few replicas.
        replicas = [2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 5, 6, 7][random.below(13)]
        // Now and then two of them share a host.
        hosts = max(1, random.below(4) == 0 ? replicas - 1 : replicas)
        let ttl = [Duration.seconds(2), .seconds(9)][random.below(2)]
        let polls = [Duration.seconds(0), ttl / 6, ttl / 4, ttl * 10 / 31][1 + random.below(3)]
        election = SchedulePlan.settings(ttl: ttl, pollInterval: polls)
        var keeper = KeeperSettings(
            rpcTimeout: [ttl / 3, ttl * 2][random.below(2)],
            reconcileInterval: ttl,
            election: election,
            pluginName: "group-stateless"
        )
        keeper.forwardsWrites = random.below(4) == 0
        self.keeper = keeper
        let scale = ttl.wholeNanoseconds
        calmAt = scale * random.within(2...5)
        faultInterval = scale / random.within(2...8)
        writeInterval = scale / random.within(2...12)
        var faults = Set(Fault.allCases.filter { _ in random.below(2) == 0 })
        if faults.isEmpty { faults = [.kill] }
        self.faults = faults
        jobTime = [10_000, 10_000, 1_000_000][random.below(3)]
        wallSkew = [0, 5_000, 3_600_000][random.below(3)]
    }

    private static func settings(ttl: Duration, pollInterval: Duration) -> ElectionSettings {
        do {
            return try ElectionSettings(ttl: ttl, renewDeadline: ttl * 2 / 3, pollInterval: pollInterval)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
