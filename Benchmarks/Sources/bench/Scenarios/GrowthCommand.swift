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

    private static let powers = [1, 10, 100, 1000, 10_000]
    private static let sizes = [100, 1000, 10_000, 100_000, 1_000_000]

    func measure(_ programs: Programs) async throws -> Report {
        _ = try Picture.program
        var report = Report("growth", "Growth")
        report.add(
            "Medians: of \(commits) commits by one client, of \(takeovers) takeovers (same host, poll 250 ms). After each commit the "
                + "benchmark does to files of its own what SQLite does for one small transaction."
        )
        report.add(
            Growth(
                name: "commit-groups",
                title: "A commit against groups",
                x: "groups",
                unit: .milliseconds,
                points: try await Self.each(Self.powers, atMost: groups) { groups in
                    try await commit(programs, groups: groups).at(groups)
                }
            )
        )
        try await addHistories(programs, to: &report)
        try await addReplicas(programs, to: &report)
        report.add(
            Growth(
                name: "commit-size",
                title: "A commit against the specification's size",
                x: "bytes",
                unit: .milliseconds,
                points: try await Self.each(Self.sizes) { bytes in
                    try await commit(programs, groups: 1, bytes: bytes).at(bytes)
                }
            )
        )
        report.add(
            Growth(
                name: "size-size",
                title: "A revision in the database against the specification's size",
                x: "bytes",
                unit: .bytes,
                points: try await Self.each(Self.sizes) { bytes in
                    Growth.Point(x: bytes, y: try await size(programs, bytes: bytes))
                }
            )
        )
        report.add(
            Growth(
                name: "takeover-groups",
                title: "A takeover, until all groups are watched, against groups",
                x: "groups",
                unit: .seconds,
                points: try await Self.each(Self.powers, atMost: groups) { groups in
                    Growth.Point(x: groups, y: try await takeover(programs, groups: groups))
                }
            )
        )
        return report
    }

    private static func each<Result>(
        _ steps: [Int],
        atMost limit: Int = .max,
        _ body: (Int) async throws -> Result
    ) async throws -> [Result] {
        var results: [Result] = []
        for step in steps where step <= limit { results.append(try await body(step)) }
        return results
    }

    // MARK: - Against groups, and the size of a specification

    private func commit(_ programs: Programs, groups: Int, bytes: Int? = nil) async throws -> CommitTimes {
        try await Lab.with(programs) { lab in
            try await lab.fill(groups: groups)
            let host = try await Host("n1", in: lab)
            try await host.lead()
            try await host.waitForGroups(groups)
            return try await lab.commits(commits, at: host, bytes: bytes)
        }
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

    // MARK: - Against revisions

    private func addHistories(_ programs: Programs, to report: inout Report) async throws {
        let points = try await Self.each([1, 1000, 10_000, 100_000, 1_000_000], atMost: revisions) { length in
            try await history(programs, length)
        }
        report.add(
            Growth(
                name: "commit-revisions",
                title: "A commit against revisions",
                x: "revisions",
                unit: .milliseconds,
                points: points.map(\.commit)
            )
        )
        report.add(
            Growth(
                name: "size-revisions",
                title: "The database against revisions",
                x: "revisions",
                unit: .megabytes,
                points: points.map(\.size)
            )
        )
    }

    /// The size is looked at before the commits.
    private func history(_ programs: Programs, _ length: Int) async throws -> (commit: Growth.Point, size: Growth.Point)
    {
        try await Lab.with(programs) { lab in
            let history = LongHistory(in: keepDir ?? lab.path, revisions: length)
            let size = Double(try await Files.size(of: history.prepared())) / 1e6
            let host = try await Host("n1", in: lab)
            try await host.lead(directory: history.directory)
            try await host.waitForGroups(min(length, LongHistory.groups))
            let commit = try await lab.commits(commits, at: host)
            try await host.stop()
            return (commit.at(length), Growth.Point(x: length, y: size))
        }
    }

    // MARK: - Against replicas

    private func addReplicas(_ programs: Programs, to report: inout Report) async throws {
        let points = try await Self.each([1, 2, 4, 8, 16, 32], atMost: replicas) { count in
            try await beside(programs, count)
        }
        report.add(
            Growth(
                name: "commit-replicas",
                title: "A commit against replicas",
                x: "replicas",
                unit: .milliseconds,
                points: points.map(\.commit)
            )
        )
        report.add(
            Growth(
                name: "poll-replicas",
                title: "A look at the lease against replicas",
                x: "replicas",
                unit: .milliseconds,
                points: points.map(\.poll)
            )
        )
    }

    private func beside(_ programs: Programs, _ count: Int) async throws -> (commit: Growth.Point, poll: Growth.Point) {
        try await Lab.with(programs) { lab in
            try await lab.fill(groups: 1)
            let leader = try await Host("n0", in: lab)
            try await leader.lead()
            _ = try await lab.followers(count - 1)
            let commit = try await lab.commits(commits, at: leader).at(count)
            return (commit, Growth.Point(x: count, y: try await poll(lab)))
        }
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
}
