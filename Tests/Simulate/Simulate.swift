public import ArgumentParser
import Dispatch
import Glibc
public import Simulation

/// Runs schedules of the simulation, one for each seed.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run schedules of replicas, faults and users, and check what must never happen.",
        discussion: "Exits with 1 when something did, and shows how to see it again."
    )

    @Option(help: "Run this one schedule, and show what happens.")
    var seed: UInt64?

    @Option(help: "How many schedules.")
    var seeds: UInt64 = 1000

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(
        name: .customLong("break"),
        help: "Break a rule on purpose: \(BrokenRule.allCases.map(\.rawValue).joined(separator: ", "))."
    )
    var broken: BrokenRule?

    @Flag(help: "Run every schedule in swarm mode, and not every fiftieth.")
    var swarm = false

    @Option(help: "How many run side by side.")
    var threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    @Flag(help: "Show a number that stands for everything that happened, in all schedules.")
    var hash = false

    mutating func run() throws {
        try Self.fixHashing()
        if let seed {
            let found = Simulation.run(seed: seed, broken: broken, isSwarm: isSwarm, isShown: true)
            print(found.trace.joined(separator: "\n"))
            print("seed \(seed): \(found.violation ?? "nothing is wrong"); everything that happened: \(found.hash)")
            throw found.violation == nil ? ExitCode.success : ExitCode.failure
        }
        let batch = Batch(seeds: first..<first + seeds, broken: broken, isSwarm: isSwarm, isHashed: hash)
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: threads) { _ in batch.work() }
        let result = batch.result
        print(result.summary(in: ContinuousClock.now - start, threads: threads))
        if let seed = result.failed { try show(seed) }
    }

    private var isSwarm: Bool? { swarm ? true : nil }

    private func show(_ seed: UInt64) throws {
        let found = Simulation.run(seed: seed, broken: broken, isSwarm: isSwarm, isShown: true)
        print(found.trace.joined(separator: "\n"))
        print("seed \(seed): \(found.violation ?? "nothing is wrong this time, which is wrong too")")
        print("to see it again: \(command(seed))")
        throw ExitCode.failure
    }

    /// What has to be typed to see a schedule again: in the same build, as another makes other jobs of the same code.
    private func command(_ seed: UInt64) -> String {
        #if DEBUG
        return "\(CommandLine.arguments[0]) --seed \(seed)" + (broken.map { " --break \($0.rawValue)" } ?? "")
            + (swarm ? " --swarm" : "")
        #else
        return "make simulate SEED=\(seed)" + (broken.map { " BREAK=\($0.rawValue)" } ?? "")
            + (swarm ? " SWARM=1" : "")
        #endif
    }

    /// Sets and dictionaries have another order in each process, unless this is said before it starts.
    private static func fixHashing() throws {
        let name = "SWIFT_DETERMINISTIC_HASHING"
        guard getenv(name) == nil else { return }
        setenv(name, "1", 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &arguments)
        throw ValidationError("cannot start itself anew: \(String(cString: strerror(errno)))")
    }
}

extension BrokenRule: ExpressibleByArgument {}
