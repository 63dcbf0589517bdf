internal import GroupSPI
internal import Manager
internal import ManagerModels
internal import SeededRandom
internal import Store

/// What a seed makes of a schedule, beside the order of events.
struct SchedulePlan {
    let replicas: Int
    let hosts: Int
    let election: ElectionSettings
    let term: TermSettings
    /// What is stored lies in a label of a swarm, and each replica has a copy.
    let isSwarm: Bool
    /// How many revisions the label keeps.
    let labelRecords: Int
    /// Something goes wrong until then, in nanoseconds; then nothing does.
    let calmAt: Int
    /// Between two faults on average, and between two writes, in nanoseconds.
    let faultInterval: Int
    let writeInterval: Int
    /// Nearly nobody asks a manager; what commands ask is left alone for long.
    let isQuiet: Bool
    /// What goes wrong.
    let faults: Set<Fault>
    /// No plugin is kept from letting its groups go in time.
    let keepsPluginsApart: Bool
    /// How long a job takes at most, in nanoseconds.
    let jobTime: Int
    /// What wall clocks are off by at most, in milliseconds.
    let wallSkew: Int

    init(_ random: inout SeededGenerator, isSwarm: Bool) {
        self.isSwarm = isSwarm
        // Most schedules are small, as most mistakes need few replicas.
        replicas = [2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 5, 6, 7][random.below(17)]
        // Now and then two of them share a host.
        hosts = max(1, random.below(4) == 0 ? replicas - 1 : replicas)
        let osTTL = [Duration.seconds(2), .seconds(9)][random.below(2)]
        let polls = [Duration.seconds(0), osTTL / 6, osTTL / 4, osTTL * 10 / 31][1 + random.below(3)]
        // The default, and one that leaves less for letting groups go: drifting clocks must not use it up.
        let share = random.below(2)
        // In swarm mode all of them follow from how often the Engine is asked.
        let interval = Duration.seconds(1)
        let ttl = isSwarm ? interval * 15 / 2 : osTTL
        let deadline = isSwarm ? interval * 5 : ttl * [4, 5][share] / 6
        election = SchedulePlan.settings(ttl: ttl, renewDeadline: deadline, pollInterval: isSwarm ? interval : polls)
        var term = TermSettings(
            rpcTimeout: [ttl / 3, ttl * 2][random.below(2)],
            reconcileInterval: ttl,
            election: election,
            pluginName: "group-stateless"
        )
        term.forwardsWrites = random.below(4) == 0
        term.tidyInterval = ttl / 2
        term.userCalls = 4
        term.retention = RetentionPolicy(
            limit: random.below(4) == 0 ? 5 : nil,
            maximumAge: random.below(2) == 0 ? ttl.milliseconds * random.within(1...4) : nil
        )
        self.term = term
        let scale = ttl.wholeNanoseconds
        calmAt = scale * random.within(2...4)
        faultInterval = scale * 2 / [1, 2, 4, 8, 16][random.below(5)]
        isQuiet = isSwarm && random.below(3) == 0
        writeInterval = isQuiet ? scale * 2 / 3 : scale / random.within(2...12)
        // Some mistakes need one kind of fault and otherwise quiet, others need many kinds at once.
        let part = [2, 2, 4, 8][random.below(4)]
        var faults = Set(Fault.common.filter { _ in random.below(part) == 0 })
        // Most mistakes show when a process does not do what it was about to do.
        if faults.isEmpty || random.below(2) == 0 { faults.insert([.kill, .pause, .suspend][random.below(3)]) }
        labelRecords = isSwarm ? [2, 6][random.below(2)] : 0
        if isSwarm {
            faults.formUnion(Fault.ofSwarm.filter { _ in random.below(2) == 0 })
            faults.subtract([.olderCopy, .lostFile])
        }
        self.faults = faults
        keepsPluginsApart =
            deadline == ttl * 2 / 3
            && faults.isDisjoint(with: [.suspend, .pauseGuard, .slowPlugin, .stillPlugin, .lossyPlugin, .awayPlugin])
        jobTime = [10_000, 10_000, 1_000_000][random.below(3)]
        wallSkew = [0, 5_000, 90_000, 3_600_000, 315_360_000_000][random.below(5)]
    }

    private static func settings(
        ttl: Duration,
        renewDeadline: Duration,
        pollInterval: Duration
    ) -> ElectionSettings {
        do {
            return try ElectionSettings(ttl: ttl, renewDeadline: renewDeadline, pollInterval: pollInterval)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
