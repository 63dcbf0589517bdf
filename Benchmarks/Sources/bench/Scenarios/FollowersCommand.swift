internal import ArgumentParser
internal import BenchmarkSupport
internal import Glibc
internal import Store

/// What many replicas cost the leader, and each of them the machine.
struct FollowersCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "followers",
        abstract: "A hundred replicas that look at one database"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Replicas that follow")
    var replicas = 100

    @Option(help: "Seconds")
    var seconds = 60

    func measure(_ programs: Programs) async throws -> Report {
        try await Lab.with(programs) { lab in
            try await lab.fill(groups: 1)
            let leader = try await Host("n0", in: lab)
            try await leader.lead()
            let followers = try await lab.followers(replicas)
            let renewals = Renewals(of: lab.store)
            let before = try followers.map { try ProcessTable.processorTime($0.pid) }
            let start = ContinuousClock.now
            try await renewals.watch {
                try await Task.sleep(for: .seconds(seconds), clock: .suspending)
            }
            let passed = (ContinuousClock.now - start).inSeconds
            let after = try followers.map { try ProcessTable.processorTime($0.pid) }
            let shares = Sample(zip(after, before).map { ($0 - $1) / passed * 100 })
            let lost = try await lab.store.terms(within: .seconds(20)).count
            let memory = try followers.map { try ProcessTable.memory($0.pid) }
            var report = Report("followers", "Many replicas")
            report.add(
                "\(replicas) replicas follow one leader on a local disk for \(seconds) s, with default times (poll 1.5 s)."
            )
            report.add([
                Figure(
                    "longest time between two renewals",
                    renewals.longestGap,
                    .milliseconds,
                    .peer("poll interval", 1500)
                ),
                Figure("processor of a follower, mean", shares.mean, .percent, .atMost(1)),
                Figure("processor of a follower, most", shares.max, .percent, .atMost(1)),
                Figure("private memory of a follower, p50", Sample(memory.map(\.privateDirty)).p50, .megabytes),
                Figure("PSS of a follower, p50", Sample(memory.map(\.proportional)).p50, .megabytes),
                // One of whoever filled the database, and one of the leader.
                Figure("terms of leadership lost meanwhile", Double(lost - 2), .count),
            ])
            return report
        }
    }
}
