import Benchmark
import BenchmarkSupport

/// The cost of a user's write, beside what the disk and SQLite cost alone.
///
/// `bench in-process` finds these by their names.
enum DurableWrites {
    static func register() {
        bare("bare SQLite transaction") { try $0.write() }
        // What a write of ours is to the disk: the revision, and later its outcome.
        bare("two bare SQLite transactions") { database in
            try database.write()
            try database.settle()
        }
        for groups in [1, 100, 10_000] { oneClient(groups: groups) }
        manyClients(64)
        // What SQLite alone makes of as many writes in a transaction as wait together, and of the half of them.
        for together in [32, 64] {
            bare("1000 bare writes, \(together) together", groups: 64, warmup: 1) { database in
                for start in stride(from: 0, to: 1000, by: together) {
                    try database.write(together: min(together, 1000 - start))
                }
            }
        }
        // Again, for how far the disk has drifted meanwhile.
        bare("bare SQLite transaction, again") { try $0.write() }
    }

    private static func bare(
        _ name: String,
        groups: Int = 1,
        warmup: Int = 20,
        _ body: @escaping @Sendable (BareDatabase) throws -> Void
    ) {
        let stage = Stage<BareDatabase>()
        Benchmark(name, configuration: .init(warmupIterations: warmup)) { benchmark, database in
            for _ in benchmark.scaledIterations { try body(database) }
        } setup: {
            try await stage.make { try await BareDatabase(groups: groups) }
        } teardown: {
            await stage.end { $0.end() }
        }
    }

    private static func oneClient(groups: Int) {
        let stage = Stage<LeadingManager>()
        let numbers = Counter()
        Benchmark("durable write, 1 client, \(groups) groups stored") { benchmark, manager in
            for _ in benchmark.scaledIterations { try await manager.commit(0, numbers.next()) }
        } setup: {
            try await stage.make { try await LeadingManager(groups: groups) }
        } teardown: {
            await stage.end { await $0.end() }
        }
    }

    /// Each client changes a group of its own. A measurement is a thousand writes.
    private static func manyClients(_ clients: Int) {
        let stage = Stage<LeadingManager>()
        let numbers = Counter()
        Benchmark("1000 durable writes, \(clients) clients", configuration: .init(warmupIterations: 1)) { _, manager in
            let rest = Counter()
            try await withThrowingDiscardingTaskGroup { tasks in
                for client in 0..<clients {
                    tasks.addTask {
                        while rest.next() < 1000 { try await manager.commit(client, numbers.next()) }
                    }
                }
            }
        } setup: {
            try await stage.make { try await LeadingManager(groups: clients) }
        } teardown: {
            await stage.end { await $0.end() }
        }
    }
}
