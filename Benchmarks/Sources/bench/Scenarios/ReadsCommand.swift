internal import ArgumentParser
internal import BenchmarkSupport
internal import GroupSPI

/// What a read through the manager costs more than one from the plugin itself, and how many there are in a second.
struct ReadsCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "reads",
        abstract: "InspectGroups through the manager, beside the plugin itself"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Reads of one client, at the manager and at the plugin each")
    var reads = 20_000

    @Option(help: "Clients at one time")
    var clients = 8

    @Option(help: "Seconds for which they ask")
    var seconds = 5

    private static let slowWrite = Duration.seconds(3)

    func measure(_ programs: Programs) async throws -> Report {
        try await Lab.with(programs) { lab in
            let host = try await Host("n1", in: lab)
            try await host.lead()
            try await BlockingThread.run { try Client(host.socket, .stream).commit(Specs.spec(0, 1)) }
            var report = Report("reads", "Reads")
            report.add(
                "`InspectGroups` of one group, whose specification has \(Specs.properties(1).bytes.count) bytes."
            )
            for dialect in Dialect.allCases { report.add(try await oneClient(host, dialect)) }
            for dialect in Dialect.allCases { report.add(try await manyClients(host, dialect)) }
            report.add("Reads at the manager while the plugin takes \(Self.slowWrite.inSeconds) s for a commit:")
            report.add(try await besideSlowWrite(host))
            return report
        }
    }

    /// Manager and plugin take turns, so that whatever else the machine does meets both.
    private func oneClient(_ host: Host, _ dialect: Dialect) async throws -> [Figure] {
        let (managed, direct) = try await BlockingThread.run { [reads] in
            let managed = try Client(host.socket, dialect)
            let direct = try Client(host.pluginSocket, dialect)
            guard try managed.inspect(), try direct.inspect() else { throw BenchmarkError("no leader answers") }
            _ = try (Self.times(managed, dialect, 500), Self.times(direct, dialect, 500))
            var times: (managed: [Double], direct: [Double]) = ([], [])
            for _ in 0..<reads {
                times.direct += try Self.times(direct, dialect, 1)
                times.managed += try Self.times(managed, dialect, 1)
            }
            return (Sample(times.managed), Sample(times.direct))
        }
        let name = dialect.rawValue
        return [
            Figure("\(name), 1 client, p50", managed.p50, .milliseconds, .peer("plugin itself", direct.p50)),
            Figure("\(name), 1 client, p99", managed.p99, .milliseconds, .peer("plugin itself", direct.p99)),
            Figure("\(name), added at p50", managed.p50 - direct.p50, .milliseconds, .atMost(0.12)),
        ]
    }

    private func manyClients(_ host: Host, _ dialect: Dialect) async throws -> [Figure] {
        let direct = try await rate(host.pluginSocket, dialect)
        let managed = try await rate(host.socket, dialect)
        let what = "\(dialect.rawValue), \(clients) clients"
        return [
            Figure(what, managed, .perSecond, .atLeast(8500)),
            Figure("\(what), the same", managed, .perSecond, .peer("plugin itself", direct)),
        ]
    }

    private func rate(_ socket: String, _ dialect: Dialect) async throws -> Double {
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let count = try await withThrowingTaskGroup { tasks in
            for _ in 0..<clients {
                tasks.addTask {
                    try await BlockingThread.run {
                        let client = try Client(socket, dialect)
                        let length = try client.exchange(dialect.inspect)
                        var count = 0
                        while ContinuousClock.now < end {
                            guard try client.exchange(dialect.inspect) == length else {
                                throw BenchmarkError("\(socket) gives different answers to the same question")
                            }
                            count += 1
                        }
                        return count
                    }
                }
            }
            return try await tasks.reduce(0, +)
        }
        return Double(count) / (ContinuousClock.now - start).inSeconds
    }

    private func besideSlowWrite(_ host: Host) async throws -> [Figure] {
        let quiet = try await reads(host, until: .now + .seconds(2))
        host.plugin.delay(Self.slowWrite)
        host.plugin.forgetActs()
        async let write = BlockingThread.run {
            let start = ContinuousClock.now
            try Client(host.socket, .stream).commit(Specs.spec(0, 2))
            return (start, ContinuousClock.now)
        }
        let began = try await eventually("the plugin is told of the write") { host.plugin.acts.first?.time }
        let (from, until) = (ContinuousClock.now, began + Self.slowWrite - .milliseconds(200))
        let beside = try await reads(host, until: until)
        let (start, end) = try await write
        host.plugin.delay(.zero)
        guard start < from, until < end else { throw BenchmarkError("the write was not in flight all the time") }
        return [
            Figure("a read, p50", beside.p50, .milliseconds, .peer("without the write", quiet.p50)),
            Figure("a read, p99", beside.p99, .milliseconds, .peer("without the write", quiet.p99)),
            Figure("a read, longest", beside.max, .milliseconds, .peer("without the write", quiet.max)),
        ]
    }

    private func reads(_ host: Host, until end: ContinuousClock.Instant) async throws -> Sample {
        try await BlockingThread.run {
            let client = try Client(host.socket, .stream)
            var times: [Double] = []
            while ContinuousClock.now < end { times += try Self.times(client, .stream, 1) }
            return Sample(times)
        }
    }

    private static func times(_ client: Client, _ dialect: Dialect, _ count: Int) throws -> [Double] {
        let request = dialect.inspect
        return try (0..<count).map { _ in
            let start = ContinuousClock.now
            try client.exchange(request)
            return (ContinuousClock.now - start).inMilliseconds
        }
    }
}
