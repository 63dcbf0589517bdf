internal import ArgumentParser
internal import BenchmarkSupport
internal import GroupSPI

/// The figures of the benchmarks that run in one process (`Benchmarks/InProcess`), compared with each other.
struct InProcessCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "in-process",
        abstract: "Compare the figures of the benchmarks that run in one process"
    )

    @OptionGroup var common: CommonOptions

    @Argument(help: "What the benchmarks have written with --format jmh, a file for each round")
    var results: [String]

    private static let bare = "bare SQLite transaction"

    func measure(_ programs: Programs) async throws -> Report {
        let results = try JMHResults(from: results)
        var report = Report("in-process", "In process")
        report.add(
            "A user's write is stored and told to a plugin that does nothing; its outcome is stored with the next write."
        )
        let (bare, again) = (try results.milliseconds(Self.bare), try results.milliseconds(Self.bare + ", again"))
        let two = try results.milliseconds("two bare SQLite transactions")
        var figures = [
            Figure(Self.bare + ", p50", bare, .milliseconds),
            Figure("the same, at the end", again, .milliseconds, .peer("at the beginning", bare)),
            Figure("two bare SQLite transactions, p50", two, .milliseconds, .peer("one", bare)),
        ]
        for groups in [1, 100, 10_000] {
            let write = try results.milliseconds("durable write, 1 client, \(groups) groups stored")
            figures += [
                Figure("durable write, \(groups) groups stored, p50", write, .milliseconds, .atMost(1.3 * bare)),
                Figure("the same", write, .milliseconds, .peer("one transaction", bare)),
                Figure("the same", write, .milliseconds, .peer("two transactions", two)),
            ]
        }
        let rate = 1_000_000 / (try results.milliseconds("1000 durable writes, 64 clients"))
        figures += [
            Figure("durable writes, 64 clients", rate, .perSecond, .atLeast(8 * 1000 / bare)),
            Figure("the same", rate, .perSecond, .peer("bare, 1 client", 1000 / bare)),
        ]
        for together in [32, 64] {
            let limit = 1_000_000 / (try results.milliseconds("1000 bare writes, \(together) together"))
            figures += [
                Figure("bare, \(together) a transaction", limit, .perSecond, .peer("bare, 1 client", 1000 / bare)),
                Figure("durable writes, 64 clients", rate, .perSecond, .peer("bare, \(together) a transaction", limit)),
            ]
        }
        report.add(figures)
        report.add("The pieces:")
        let pieces = ["parse a request", "diff of two specs", "revision and its hash", "append to the store"]
        report.add(try pieces.map { Figure("\($0), p50", try results.milliseconds($0) * 1000, .microseconds) })
        return report
    }
}
