internal import ArgumentParser
internal import BenchmarkSupport
internal import GroupSPI
internal import Store

/// Commands on a long history, as a user types them.
struct HistoryCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "history, show, diff and rollback on a million revisions, and removing a part of them"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Where the database is kept, so that it is made once", valueName: "dir"))
    var keepDir: String?

    @Option(help: "Revisions in the history")
    var revisions = 1_000_000

    @Option(help: "Revisions to remove")
    var pruned = 100_000

    @Option(help: "Times that each command runs")
    var runs = 20

    func measure(_ programs: Programs) async throws -> Report {
        try await Lab.with(programs) { lab in
            let history = LongHistory(in: keepDir ?? lab.path, revisions: revisions)
            let database = try await history.prepared()
            var report = Report("history", "A long history")
            report.add(
                "\(Unit.count.text(Double(revisions))) revisions over \(LongHistory.groups) groups. Whole processes, \(runs) runs each."
            )
            let host = try await Host("n1", in: lab)
            try await host.lead(directory: history.directory)
            try await host.waitForGroups(LongHistory.groups)
            report.add(try await commands(lab, history))
            try await host.stop()
            report.add(try await size(database, lab))
            try await lab.openStore(database).backup(to: lab.database, within: .seconds(600))
            report.add(
                "A manager with `--history-limit` removes \(Unit.count.text(Double(pruned))) revisions, and renews its lease meanwhile:"
            )
            report.add(try await pruning(lab, host))
            return report
        }
    }

    private func commands(_ lab: Lab, _ history: LongHistory) async throws -> [Figure] {
        let middle = revisions / 2
        let commands: [(String, Set<Int32>, (Int) -> [String])] = [
            ("history -n 20", [0], { _ in ["history", "-n", "20"] }),
            ("show", [0], { run in ["show", "\(middle + run)"] }),
            // It says by its status that there is a difference.
            ("diff N N+1", [1], { run in ["diff", "\(middle + run)", "\(middle + run + 1)"] }),
            ("diff N, with \(LongHistory.groups) groups that differ", [1], { run in ["diff", "\(middle + run)"] }),
            // To another revision each time, so that there is something to change.
            (
                "rollback --group", [0],
                { run in
                    [
                        "rollback", "\(Int.random(in: middle / 2..<middle))", "--group",
                        Specs.name(run % LongHistory.groups).text,
                    ]
                }
            ),
        ]
        var figures: [Figure] = []
        for (name, statuses, words) in commands {
            var times: [Double] = []
            for run in 0..<runs {
                times.append(try await lab.time(words(run), in: history.directory, statuses: statuses))
            }
            let sample = Sample(times)
            figures.append(Figure("\(name), p50", sample.p50, .milliseconds, .atMost(50)))
            figures.append(Figure("\(name), longest", sample.max, .milliseconds, .atMost(50)))
        }
        return figures
    }

    private func size(_ database: String, _ lab: Lab) async throws -> [Figure] {
        let bytes = Double(try Files.size(of: database)) / Double(revisions)
        let other = LongHistory(in: "\(lab.path)/new", revisions: 20_000, specs: 20_000)
        let largest = try await Double(Files.size(of: other.prepared())) / 20_000
        let spec = Specs.properties(1).bytes.count
        return [
            Figure(
                "bytes a revision, one in \(revisions / LongHistory.specs) with a new specification",
                bytes,
                .bytes,
                .atMost(400)
            ),
            Figure(
                "bytes a revision, each with a new specification",
                largest,
                .bytes,
                .peer("the specification", Double(spec))
            ),
            Figure("the same, beside the specification itself", largest - Double(spec), .bytes, .atMost(400)),
        ]
    }

    private func pruning(_ lab: Lab, _ host: Host) async throws -> [Figure] {
        let before = try await lab.store.summary(within: .seconds(60)).newest
        let renewals = Renewals(of: lab.store)
        try await host.lead(["--history-limit", "\(before - pruned)"])
        let began = ContinuousClock.now
        try await renewals.watch {
            try await host.waitForLog("history pruned", "", within: .seconds(1800))
        }
        let took = (ContinuousClock.now - began).inSeconds
        let removed = try await lab.store.retention(within: .seconds(60)).removed
        try await host.stop()
        return [
            Figure("revisions removed", Double(removed), .count),
            Figure("time that it took", took, .seconds),
            Figure(
                "longest time between two renewals",
                renewals.longestGap,
                .milliseconds,
                .peer("poll interval", 1500)
            ),
        ]
    }
}
