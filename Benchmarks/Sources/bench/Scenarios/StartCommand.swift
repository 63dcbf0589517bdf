internal import ArgumentParser
internal import BenchmarkSupport
internal import Glibc

/// How soon a manager answers, and what it costs while nothing happens.
struct StartCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "From exec to the first answer; memory while idle; size of the programs"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Starts")
    var runs = 20

    @Option(help: "Seconds after which the memory is looked at; a leader asks its plugin every 10 s what it watches")
    var idle = 15

    func measure(_ programs: Programs) async throws -> Report {
        try await Lab.with(programs) { lab in
            try await lab.fill(groups: 1)
            let host = try await Host("n1", in: lab)
            var answers: [Double] = []
            var memory: (manager: [ProcessMemory], guard: [ProcessMemory]) = ([], [])
            for _ in 0..<runs {
                let start = ContinuousClock.now
                try host.launch()
                answers.append(try await Self.firstAnswer(host, since: start))
                try await Task.sleep(for: .seconds(idle), clock: .suspending)
                memory.manager.append(try ProcessTable.memory(host.pid))
                memory.guard.append(try await ProcessTable.memory(host.guardPID))
                try await host.stop()
            }
            var report = Report("start", "Start, memory, size")
            report.add("\(runs) starts on a database with one group.")
            let start = Sample(answers)
            report.add([
                Figure("from exec to the first answer, p50", start.p50, .milliseconds, .atMost(34)),
                Figure("from exec to the first answer, longest", start.max, .milliseconds),
            ])
            report.add(
                "Memory after \(idle) s without a request, p50. Private is what only the process has, and has written."
            )
            for (name, samples) in [("manager", memory.manager), ("guard", memory.guard)] {
                report.add([
                    Figure("\(name): private", Sample(samples.map(\.privateDirty)).p50, .megabytes),
                    Figure("\(name): PSS", Sample(samples.map(\.proportional)).p50, .megabytes),
                    Figure("\(name): RSS", Sample(samples.map(\.resident)).p50, .megabytes, .atMost(25)),
                ])
            }
            report.add("The programs, with Swift's library linked in, without symbols:")
            report.add(
                try [programs.manager, programs.infrakit].map { path in
                    let name = path.split(separator: "/").last ?? ""
                    return Figure("`\(name)`", Double(try Files.size(of: path)) / 1e6, .megabytes, .atMost(25))
                }
            )
            return report
        }
    }

    private static func firstAnswer(_ host: Host, since start: ContinuousClock.Instant) async throws -> Double {
        try await BlockingThread.run {
            let end = start + .seconds(60)
            while true {
                if let client = try? Client(host.socket, .stream) {
                    _ = try client.inspect()
                    return (ContinuousClock.now - start).inMilliseconds
                }
                guard ContinuousClock.now < end else { throw BenchmarkError("the manager does not answer") }
                usleep(200)
            }
        }
    }
}
