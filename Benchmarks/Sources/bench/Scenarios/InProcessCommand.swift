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

    @Argument(help: "What the benchmarks have written with --format jmh")
    var results: String

    func measure(_ programs: Programs) async throws -> Report {
        let results = try JMHResults(from: results)
        var report = Report("in-process", "In process")
        report.add(
            "A user's write is stored and told to a plugin that does nothing; its outcome is stored with the next write. Beside it, "
                + "in turns: a bare SQLite transaction."
        )
        for groups in [1, 100, 10_000] {
            let name = "durable write, 1 client, \(groups) groups stored"
            let (write, bare) = (try results.milliseconds(name), try results.milliseconds(name, "bare transaction"))
            report.add([
                Figure("bare SQLite transaction, p50", bare, .milliseconds),
                Figure("durable write, \(groups) groups stored, p50", write, .milliseconds, .atMost(1.3 * bare)),
                Figure("the same", write, .milliseconds, .peer("bare", bare)),
            ])
        }
        let name = "1000 durable writes, 64 clients"
        let rate = 1_000_000 / (try results.milliseconds(name))
        let bare = 1000 / (try results.milliseconds(name, "bare transaction"))
        var figures = [
            Figure("bare SQLite transactions, 1 client", bare, .perSecond),
            Figure("durable writes, 64 clients", rate, .perSecond, .atLeast(8 * bare)),
            Figure("the same", rate, .perSecond, .peer("bare, 1 client", bare)),
        ]
        for together in [32, 64] {
            let limit = 1_000_000 / (try results.milliseconds(name, "\(together) together"))
            figures += [
                Figure("bare, \(together) a transaction", limit, .perSecond, .peer("bare, 1 client", bare)),
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
