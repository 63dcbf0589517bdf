internal import GroupSPI
internal import ManagerModels

/// Runs schedules.
public enum Simulation {
    /// How one schedule went.
    public struct Outcome: Sendable {
        public let seed: UInt64
        /// What was wrong; nil when nothing was.
        public let violation: String?
        public let steps: Int
        public let faults: Int
        public let terms: Int
        public let writes: Int
        public let calls: Int
        public let acknowledged: Int
        /// Tasks that could not be ended.
        public let left: Int
        /// What happened, line by line, if it was to be shown.
        public let trace: [String]
        /// Stands for those lines.
        public let hash: UInt64
    }

    /// - Parameters:
    ///   - broken: what is broken on purpose.
    ///   - isSwarm: whether it is in swarm mode; nil for what the seed says.
    ///   - isShown: whether what happens is written down.
    public static func run(
        seed: UInt64,
        broken: BrokenRule? = nil,
        isSwarm: Bool? = nil,
        isShown: Bool = false
    ) -> Outcome {
        let trace = Trace(isOn: isShown)
        let world = World(seed: seed, broken: broken, isSwarm: isSwarm, trace: trace)
        var left = 0
        world.scheduler.capture {
            world.begin()
            let ending = Ending(world)
            ending.begin()
            while world.checker.violation == nil, !ending.isOver, world.scheduler.step() {}
            left = world.takeApart()
            if left > 0 { world.checker.fail("\(left) tasks are left over: nothing ends them with their process") }
        }
        return Outcome(
            seed: seed,
            violation: world.checker.violation,
            steps: world.scheduler.steps,
            faults: world.faults.count,
            terms: world.checker.counts.terms,
            writes: world.checker.counts.writes,
            calls: world.checker.counts.calls,
            acknowledged: world.users.acknowledged,
            left: left,
            trace: trace.lines,
            hash: trace.hash
        )
    }
}
