internal import ArgumentParser
internal import BenchmarkSupport
internal import Glibc

/// How long groups are without a leader: from the end of one to the first call of the next one's plugin.
struct TakeoverCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "takeover",
        abstract: "From the end of a leader to the first call at the next leader's plugin"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Leaders that are ended, of each kind")
    var runs = 10

    /// The defaults of the manager, in milliseconds.
    private static let (ttl, poll) = (9000, 1500)

    func measure(_ programs: Programs) async throws -> Report {
        var report = Report("takeover", "Takeover")
        report.add(
            "From the signal to the first `watch` or `commit` at the next leader's plugin. \(runs) runs of each kind, the signal at "
                + "\(runs) different moments of a poll interval. Default times (lease 9 s, poll 1.5 s) unless a row names others."
        )
        for poll in [Self.poll, 250] {
            let what = "SIGKILL, same host, poll \(poll) ms"
            report.add(
                figures(
                    what,
                    try await sample(programs, .killed, poll: .milliseconds(poll)),
                    [.atMost(0.5), .atMost(0.5)]
                )
            )
        }
        if getuid() == 0 {
            let limit = Figure.Comparison.atMost(Double(Self.ttl + Self.poll) / 1000)
            report.add(figures("SIGKILL, other host", try await sample(programs, .killedElsewhere), [limit, limit]))
        } else {
            report.add("SIGKILL, other host: not measured, because namespaces of processes take root.")
        }
        let limit = Figure.Comparison.atMost(Double(Self.poll) / 1000)
        report.add(figures("SIGTERM", try await sample(programs, .stopped), [limit, limit]))
        report.add(try await manyGroups(programs))
        return report
    }

    private func figures(_ what: String, _ times: [Takeover], _ limits: [Figure.Comparison]) -> [Figure] {
        let sample = Sample(times.map(\.first))
        return [
            Figure("\(what), p50", sample.p50, .seconds, limits[0]),
            Figure("\(what), longest", sample.max, .seconds, limits[1]),
        ]
    }

    private func manyGroups(_ programs: Programs) async throws -> [Figure] {
        let times = try await sample(programs, .killed, groups: 1000)
        let (last, between) = (Sample(times.map(\.last)), Sample(times.map { $0.last - $0.first }))
        return [
            Figure(
                "SIGKILL, same host, 1000 groups: until the first is watched, p50",
                Sample(times.map(\.first)).p50,
                .seconds
            ),
            Figure("until the last is watched, p50", last.p50, .seconds),
            Figure("until the last is watched, longest", last.max, .seconds),
            Figure("from the first to the last, p50", between.p50, .seconds, .atMost(2)),
            Figure("from the first to the last, longest", between.max, .seconds, .atMost(2)),
        ]
    }

    private func sample(
        _ programs: Programs,
        _ end: Takeover.End,
        groups: Int = 1,
        poll: Duration = .milliseconds(Self.poll)
    ) async throws -> [Takeover] {
        try await Takeover.sample(programs, end, groups: groups, poll: poll, runs: runs)
    }
}
