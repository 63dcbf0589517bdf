internal import ArgumentParser
internal import BenchmarkSupport
internal import GroupSPI

/// Whether anything grows that should not: over many requests, and over many terms of leadership.
struct EnduranceCommand: Scenario {
    static let configuration = CommandConfiguration(
        commandName: "endurance",
        abstract: "Memory and descriptors over a million requests and a thousand changes of leadership"
    )

    @OptionGroup var common: CommonOptions

    @Option(help: "Reads")
    var reads = 1_000_000

    @Option(help: "Writes beside them")
    var writes = 10_000

    @Option(help: "Changes of leadership")
    var changes = 1000

    private static let clients = 8

    func measure(_ programs: Programs) async throws -> Report {
        _ = try Picture.program
        var report = Report("endurance", "Endurance")
        report.add(
            "Private memory over \(Unit.count.text(Double(reads))) reads on \(Self.clients) connections and "
                + "\(Unit.count.text(Double(writes))) writes:"
        )
        let memory = try await Lab.with(programs) { try await requests($0) }
        report.add(
            Table(
                ["reads", "manager", "guard"],
                memory.entries.map { entry in
                    [Unit.count.text(Double(entry.reads))] + [entry.manager, entry.guardian].map(Unit.megabytes.text)
                }
            )
        )
        report.add(
            Picture(
                name: "memory",
                title: "Private memory over requests",
                x: "reads",
                y: Unit.megabytes.name,
                curves: [memory.curve("manager", \.manager), memory.curve("guard", \.guardian)],
                hasLogarithmicWidth: false
            )
        )
        report.add("Before and after \(Unit.count.text(Double(changes))) changes of leadership between two replicas:")
        report.add(try await Lab.with(programs) { try await leaders($0) })
        return report
    }

    // MARK: - Requests

    private func requests(_ lab: Lab) async throws -> MemoryLog {
        let host = try await Host("n1", in: lab)
        try await host.lead()
        try await BlockingThread.run { try Client(host.socket, .stream).commit(Specs.spec(0, 1)) }
        let memory = MemoryLog(of: host)
        try await memory.note(reads: 0)
        let (asked, told) = (Counter(), Counter())
        let (reads, writes) = (reads, writes)
        try await withThrowingDiscardingTaskGroup { tasks in
            for number in 0..<Self.clients {
                let dialect = Dialect.allCases[number % Dialect.allCases.count]
                tasks.addTask {
                    try await BlockingThread.run {
                        let client = try Client(host.socket, dialect)
                        while asked.next() < reads { try client.exchange(dialect.inspect) }
                    }
                }
            }
            tasks.addTask {
                try await BlockingThread.run {
                    let client = try Client(host.socket, .stream)
                    while case let number = told.next(), number < writes { try client.commit(Specs.spec(0, number)) }
                }
            }
            // A task of its own: it is cancelled when a client fails.
            tasks.addTask {
                for goal in (1...9).map({ reads / 10 * $0 }) {
                    while asked.current < goal { try await Task.sleep(for: .milliseconds(20), clock: .suspending) }
                    try await memory.note(reads: goal)
                }
            }
        }
        try await memory.note(reads: reads)
        return memory
    }

    // MARK: - Leaders

    private func leaders(_ lab: Lab) async throws -> [Figure] {
        try await lab.fill(groups: 1)
        let file = "\(lab.path)/leader"
        try Files.write("n0", to: file)
        let settings = [
            "--leader-file", file, "--lease-ttl", "1s", "--renew-deadline", "500ms", "--poll-interval", "100ms",
        ]
        let hosts = [try await Host("n0", in: lab), try await Host("n1", in: lab)]
        try await hosts[0].lead(settings)
        try await hosts[1].follow(settings)
        // What is made once is made by then.
        let early = min(20, changes)
        try await change(early, hosts, file)
        let before = try await state(hosts)
        let start = ContinuousClock.now
        try await change(changes, hosts, file)
        let each = (ContinuousClock.now - start).inMilliseconds / Double(max(1, changes))
        let after = try await state(hosts)
        var figures = [Figure("a change of leadership, mean (poll 100 ms)", each, .milliseconds)]
        for (new, old) in zip(after, before) {
            figures.append(Figure("\(new.name): memory", new.memory, .megabytes, .peer("before", old.memory)))
            figures.append(
                Figure(
                    "\(new.name): descriptors",
                    Double(new.descriptors),
                    .count,
                    .peer("before", Double(old.descriptors))
                )
            )
        }
        return figures
    }

    /// An even number of times, so that the same replica leads again.
    private func change(_ count: Int, _ hosts: [Host], _ file: String) async throws {
        for number in 0..<(count + count % 2) {
            let next = hosts[(number + 1) % 2]
            next.plugin.forgetActs()
            try Files.replace(file, with: next.name)
            try await eventually("\(next.name) leads after \(number) changes") { next.plugin.acts.isEmpty ? nil : true }
        }
    }

    private func state(_ hosts: [Host]) async throws -> [(name: String, memory: Double, descriptors: Int)] {
        // Connections of the last change are closed by then.
        try await Task.sleep(for: .seconds(2), clock: .suspending)
        var states: [(name: String, memory: Double, descriptors: Int)] = []
        for host in hosts {
            for (what, pid) in [("manager", try host.pid), ("guard", try await host.guardPID)] {
                states.append(
                    (
                        "\(what) of \(host.name)", try ProcessTable.memory(pid).privateDirty,
                        ProcessTable.descriptors(pid)
                    )
                )
            }
        }
        return states
    }
}
