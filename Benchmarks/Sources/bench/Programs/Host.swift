internal import BenchmarkSupport
internal import Glibc
internal import Synchronization

/// One host: its group plugin, and the manager on it.
final class Host: Sendable {
    let name: String
    let directory: String
    let plugin: RecordingPlugin
    private let lab: Lab
    private let running = Mutex<Program?>(nil)
    private let starts = Counter(1)

    init(_ name: String, in lab: Lab) async throws {
        self.name = name
        self.lab = lab
        directory = "\(lab.path)/\(name)"
        try Files.makeDirectory(directory)
        guard directory.utf8.count < 80 else {
            throw BenchmarkError("\(directory) is too long for a socket in it; name a shorter directory as BENCH_DIR")
        }
        plugin = try await RecordingPlugin.start(at: "\(directory)/\(Predecessor.plugin)")
    }

    var socket: String { "\(directory)/group" }
    var pluginSocket: String { "\(directory)/\(Predecessor.plugin)" }

    // MARK: - The manager

    /// Starts the manager and does not wait.
    ///
    /// - Parameters:
    ///   - words: its options.
    ///   - directory: of the database; nil for the lab's own.
    ///   - isElsewhere: whether it runs in a namespace of its own: there it sees no process of the others, as on another
    ///     host. Takes root.
    func launch(_ words: [String] = [], directory store: String? = nil, isElsewhere: Bool = false) throws {
        let apart = ["/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        let program = try lab.start(
            (isElsewhere ? apart : []) + [lab.programs.manager, "os", "--id", name] + words,
            environment: ["INFRAKIT_PLUGINS_DIR": directory, "INFRAKIT_STORE_DIR": store ?? lab.storeDirectory],
            log: "\(name)-\(starts.next())"
        )
        running.withLock { $0 = program }
    }

    /// Starts the manager, and waits until it has looked at the lease.
    func follow(_ words: [String] = [], directory: String? = nil, isElsewhere: Bool = false) async throws {
        try launch(words, directory: directory, isElsewhere: isElsewhere)
        try await waitUntilFollowing()
    }

    /// Waits until it has seen who leads.
    func waitUntilFollowing() async throws { try await waitForLog("role changed", "role=follower") }

    /// Starts the manager, and waits until it takes writes.
    func lead(_ words: [String] = [], directory: String? = nil, within limit: Duration = .seconds(60)) async throws {
        try launch(words, directory: directory)
        try await waitUntilLeading(within: limit)
    }

    /// Waits until it has read what stands in a term of its own.
    func waitUntilLeading(within limit: Duration = .seconds(60)) async throws {
        try await waitForLog("groups loaded", "", within: limit)
    }

    /// Waits for a line of its log.
    func waitForLog(_ message: String, _ words: String, within limit: Duration = .seconds(60)) async throws {
        try await eventually("'\(message) \(words)' in the log of \(name)", within: limit) {
            let program = try manager
            guard program.isRunning else { throw BenchmarkError("the manager of \(name) has ended: \(program.output)") }
            let line = program.output.split(separator: "\n").first { line in
                line.contains("msg=\"\(message)\"") && line.contains(words)
            }
            return line
        }
    }

    /// - Throws: when none was started.
    private var manager: Program {
        get throws {
            guard let program = running.withLock({ $0 }) else { throw BenchmarkError("no manager runs on \(name)") }
            return program
        }
    }

    /// The manager's own process, also behind `unshare`.
    var pid: pid_t {
        get throws {
            let program = try manager
            let name = Files.read("/proc/\(program.pid)/comm") ?? ""
            guard name.hasPrefix("unshare") else { return program.pid }
            guard let child = ProcessTable.children(of: program.pid).first else {
                throw BenchmarkError("unshare has no child: \(program.output)")
            }
            return child
        }
    }

    /// The process that guards the manager's groups.
    var guardPID: pid_t {
        get async throws {
            let pid = try pid
            return try await eventually("the guard of \(name) runs") { ProcessTable.children(of: pid).first }
        }
    }

    func send(_ signal: Int32) throws { kill(try pid, signal) }

    /// Waits until the manager and its guard are gone.
    func waitForEnd() async throws {
        let program = try manager
        try await eventually("the manager of \(name) ends") { program.isRunning ? nil : true }
        // It has the directory among its words.
        try await eventually("the guard of \(name) ends") {
            ProcessTable.processes(of: directory).isEmpty ? true : nil
        }
    }

    /// Has the manager stop in order.
    func stop() async throws {
        try send(SIGTERM)
        try await waitForEnd()
    }

    /// Waits until the plugin was told so many groups.
    func waitForGroups(_ count: Int) async throws {
        try await eventually(
            "the plugin of \(name) has \(count) groups",
            within: .seconds(300),
            pause: .milliseconds(20)
        ) {
            plugin.groupCount == count ? true : nil
        }
    }
}
