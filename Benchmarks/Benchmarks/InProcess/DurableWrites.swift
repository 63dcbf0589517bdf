import Benchmark
import BenchmarkSupport

/// The cost of a user's write, beside what the disk and SQLite cost alone.
///
/// A disk is not the same from one second to the next, so what is compared takes turns: each durable write is measured right after
/// a bare transaction. `bench in-process` finds all by their names.
enum DurableWrites {
    /// Nanoseconds of a transaction by SQLite alone.
    private static let bare = BenchmarkMetric.custom("bare transaction", useScalingFactor: false)
    private static let metrics: [BenchmarkMetric] = [.wallClock, .throughput, bare]

    /// What takes turns.
    private struct Contest {
        let manager: LeadingManager
        let database: BareDatabase

        /// - Parameters:
        ///   - groups: that the manager has.
        ///   - changed: how many of them change.
        init(groups: Int, changed: Int) async throws {
            manager = try await LeadingManager(groups: groups)
            database = try await BareDatabase(groups: changed)
        }

        func end() async {
            await manager.end()
            database.end()
        }
    }

    static func register() {
        for groups in [1, 100, 10_000] { oneClient(groups: groups) }
        manyClients(64)
    }

    private static func oneClient(groups: Int) {
        let stage = Stage<Contest>()
        let numbers = Counter()
        Benchmark("durable write, 1 client, \(groups) groups stored", configuration: .init(metrics: metrics)) {
            benchmark,
            contest in
            benchmark.measurement(bare, try nanoseconds { try contest.database.write() })
            try await withTaskExecutorPreference(LeadingManager.executor) {
                benchmark.startMeasurement()
                try await contest.manager.commit(0, numbers.next())
                benchmark.stopMeasurement()
            }
        } setup: {
            try await stage.make { try await Contest(groups: groups, changed: 1) }
        } teardown: {
            await stage.end { await $0.end() }
        }
    }

    /// Each client changes a group of its own. A measurement is a thousand writes; beside it stands what SQLite alone takes for a
    /// thousand, with so many of them in each transaction. Of each kind it makes 512, so that both databases grow alike.
    private static func manyClients(_ clients: Int) {
        let stage = Stage<Contest>()
        let numbers = Counter()
        let together = [32, 64].map { ($0, BenchmarkMetric.custom("\($0) together", useScalingFactor: false)) }
        Benchmark(
            "1000 durable writes, \(clients) clients",
            configuration: .init(metrics: metrics + together.map(\.1), warmupIterations: 1)
        ) { benchmark, contest in
            for _ in 0..<100 { benchmark.measurement(bare, try nanoseconds { try contest.database.write() }) }
            for (count, metric) in together {
                let time = try nanoseconds {
                    for _ in 0..<(512 / count) { try contest.database.write(together: count) }
                }
                benchmark.measurement(metric, time * 1000 / 512)
            }
            let rest = Counter()
            benchmark.startMeasurement()
            try await withThrowingDiscardingTaskGroup { tasks in
                for client in 0..<clients {
                    tasks.addTask(executorPreference: LeadingManager.executor) {
                        while rest.next() < 1000 { try await contest.manager.commit(client, numbers.next()) }
                    }
                }
            }
            benchmark.stopMeasurement()
        } setup: {
            try await stage.make { try await Contest(groups: clients, changed: clients) }
        } teardown: {
            await stage.end { await $0.end() }
        }
    }

    private static func nanoseconds(_ body: () throws -> Void) rethrows -> Int {
        let duration = try ContinuousClock().measure(body)
        return Int(duration / .nanoseconds(1))
    }
}
