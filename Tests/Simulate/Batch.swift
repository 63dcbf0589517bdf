import Simulation
import Synchronization

/// Schedules that several threads run, each the next.
final class Batch: Sendable {
    struct Result {
        var next: UInt64
        var done = 0
        var steps = 0
        var replicas = 0
        var faults = 0
        var terms = 0
        var writes = 0
        var calls = 0
        var acknowledged = 0
        var left = 0
        var hash: UInt64 = 0
        /// The first that went wrong.
        var failed: UInt64?

        /// One line for a person.
        func summary(in time: Duration, threads: Int) -> String {
            let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
            return
                "\(done) schedules in \(Self.rounded(seconds)) s on \(threads) threads, \(Int(Double(done) / seconds)) each second: "
                + "\(steps) steps, \(faults) faults, \(terms) terms, \(writes) fenced writes, \(calls) calls that change groups, "
                + "\(acknowledged) acknowledged writes, \(left) tasks left over"
                + (hash == 0 ? "" : ", everything that happened: \(hash)")
        }

        private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
    }

    private let end: UInt64
    private let broken: BrokenRule?
    private let isSwarm: Bool?
    private let isHashed: Bool
    private let state: Mutex<Result>

    init(seeds: Range<UInt64>, broken: BrokenRule?, isSwarm: Bool?, isHashed: Bool) {
        end = seeds.upperBound
        self.broken = broken
        self.isSwarm = isSwarm
        self.isHashed = isHashed
        state = Mutex(Result(next: seeds.lowerBound))
    }

    var result: Result { state.withLock { $0 } }

    /// Runs schedules until there are no more, or one goes wrong.
    func work() {
        while let seed = take() {
            let outcome = Simulation.run(seed: seed, broken: broken, isSwarm: isSwarm, isShown: isHashed)
            state.withLock { result in
                result.done += 1
                result.steps += outcome.steps
                result.faults += outcome.faults
                result.terms += outcome.terms
                result.writes += outcome.writes
                result.calls += outcome.calls
                result.acknowledged += outcome.acknowledged
                result.left += outcome.left
                // A sum: the threads finish in any order.
                if isHashed { result.hash &+= outcome.hash }
                if outcome.violation != nil { result.failed = min(seed, result.failed ?? .max) }
            }
        }
    }

    private func take() -> UInt64? {
        state.withLock { result in
            guard result.next < end, result.failed == nil else { return nil }
            defer { result.next += 1 }
            return result.next
        }
    }
}
