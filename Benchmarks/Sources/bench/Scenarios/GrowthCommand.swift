internal import ArgumentParser
internal import BenchmarkSupport
internal import Store

/// How the times grow with what there is.
struct GrowthCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "growth",
        abstract:
            "Commits, takeovers, polls and the database's size against groups, revisions, replicas, specifications"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Where the long histories are kept, so that they are made once", valueName: "dir"))
    var keepDir: String?

    @Option(help: "Groups at most")
    var groups = 10_000

    @Option(help: "Revisions at most")
    var revisions = 1_000_000

    @Option(help: "Replicas at most")
    var replicas = 32

    @Option(help: "Commits of which each median is")
    var commits = 50

    @Option(help: "Takeovers of which each median is")
    var takeovers = 3

    private typealias Point = (x: Int, y: Double)

    func measure(_ programs: Programs) async throws -> Report {
        _ = try Picture.program
        var report = Report("growth", "Growth")
        report.add("Medians: of \(commits) commits by one client, of \(takeovers) takeovers (same host, poll 250 ms).")
        let powers = [1, 10, 100, 1000, 10_000]
        let byGroups = try await points(powers, atMost: groups) { try await commit(programs, groups: $0) }
        add("commit-groups", "A commit against groups", "groups", .milliseconds, byGroups, to: &report)
        let lengths = try await histories(programs)
        add(
            "commit-revisions",
            "A commit against revisions",
            "revisions",
            .milliseconds,
            lengths.map { ($0.x, $0.commit) },
            to: &report
        )
        add(
            "size-revisions",
            "The database against revisions",
            "revisions",
            .megabytes,
            lengths.map { ($0.x, $0.size) },
            to: &report
        )
        let byReplicas = try await beside(programs)
        add(
            "commit-replicas",
            "A commit against replicas",
            "replicas",
            .milliseconds,
            byReplicas.map { ($0.x, $0.commit) },
            to: &report
        )
        add(
            "poll-replicas",
            "A look at the lease against replicas",
            "replicas",
            .milliseconds,
            byReplicas.map { ($0.x, $0.poll) },
            to: &report
        )
        let sizes = [100, 1000, 10_000, 100_000, 1_000_000]
        let bySize = try await points(sizes, atMost: .max) { try await commit(programs, groups: 1, bytes: $0) }
        add("commit-size", "A commit against the specification's size", "bytes", .milliseconds, bySize, to: &report)
        let stored = try await points(sizes, atMost: .max) { try await size(programs, bytes: $0) }
        add(
            "size-size",
            "A revision in the database against the specification's size",
            "bytes",
            .bytes,
            stored,
            to: &report
        )
        let takeovers = try await points(powers, atMost: groups) { try await takeover(programs, groups: $0) }
        add(
            "takeover-groups",
            "A takeover, until all groups are watched, against groups",
            "groups",
            .seconds,
            takeovers,
            to: &report
        )
        return report
    }

    private func add(
        _ name: String,
        _ title: String,
        _ x: String,
        _ unit: Unit,
        _ points: [Point],
        to report: inout Report
    ) {
        report.add("### \(title)")
        report.add(
            Table(
                [x, "figure", "to the first"],
                points.map { point in
                    let first = points.first?.y ?? .nan
                    return [Unit.count.text(Double(point.x)), unit.text(point.y), Unit.times.text(point.y / first)]
                }
            )
        )
        report.add(
            Picture(
                name: name,
                title: title,
                x: x,
                y: unit.name,
                curves: [Picture.Curve(title: title, points: points.map { (Double($0.x), $0.y) })]
            )
        )
    }

    private func points(_ steps: [Int], atMost limit: Int, _ body: (Int) async throws -> Double) async throws -> [Point]
    {
        var points: [Point] = []
        for step in steps where step <= limit { points.append((step, try await body(step))) }
        return points
    }

    // MARK: - Measurements

    private func commit(_ programs: Programs, groups: Int, bytes: Int? = nil) async throws -> Double {
        try await Lab.with(programs) { lab in
            try await lab.fill(groups: groups)
            let host = try await Host("n1", in: lab)
            try await host.lead()
            try await host.waitForGroups(groups)
            return try await lab.commits(commits, at: host, bytes: bytes).p50
        }
    }

    /// The database's size is looked at before the commits.
    private func histories(_ programs: Programs) async throws -> [(x: Int, commit: Double, size: Double)] {
        var points: [(x: Int, commit: Double, size: Double)] = []
        for length in [1, 1000, 10_000, 100_000, 1_000_000] where length <= revisions {
            points.append(
                try await Lab.with(programs) { lab in
                    let history = LongHistory(in: keepDir ?? lab.path, revisions: length)
                    let size = Double(try await Files.size(of: history.prepared())) / 1e6
                    let host = try await Host("n1", in: lab)
                    try await host.lead(directory: history.directory)
                    try await host.waitForGroups(min(length, LongHistory.groups))
                    let commit = try await lab.commits(commits, at: host).p50
                    try await host.stop()
                    return (length, commit, size)
                }
            )
        }
        return points
    }

    private func beside(_ programs: Programs) async throws -> [(x: Int, commit: Double, poll: Double)] {
        var points: [(x: Int, commit: Double, poll: Double)] = []
        for count in [1, 2, 4, 8, 16, 32] where count <= replicas {
            points.append(
                try await Lab.with(programs) { lab in
                    try await lab.fill(groups: 1)
                    let leader = try await Host("n0", in: lab)
                    try await leader.lead()
                    _ = try await lab.followers(count - 1)
                    return (count, try await lab.commits(commits, at: leader).p50, try await poll(lab))
                }
            )
        }
        return points
    }

    /// What a follower's look at the lease takes: the same call of the same library, in this process.
    private func poll(_ lab: Lab) async throws -> Double {
        let store = lab.store
        var times: [Double] = []
        for _ in 0..<200 {
            let start = ContinuousClock.now
            _ = try await store.lease(within: .seconds(20))
            times.append((ContinuousClock.now - start).inMilliseconds)
            try await Task.sleep(for: .milliseconds(10), clock: .suspending)
        }
        return Sample(times).p50
    }

    /// Bytes of a revision, each with a specification that is new.
    private func size(_ programs: Programs, bytes: Int) async throws -> Double {
        try await Lab.with(programs) { lab in
            let count = max(20, min(2000, 20_000_000 / bytes))
            let predecessor = try await Predecessor(leading: lab.database)
            try await predecessor.append(revisions: count, groups: 10) { Specs.properties($0, bytes: bytes) }
            try await predecessor.release()
            return Double(try Files.size(of: lab.database)) / Double(count)
        }
    }

    private func takeover(_ programs: Programs, groups: Int) async throws -> Double {
        let times = try await Takeover.sample(
            programs,
            .killed,
            groups: groups,
            poll: .milliseconds(250),
            runs: takeovers
        )
        return Sample(times.map(\.last)).p50
    }
}
