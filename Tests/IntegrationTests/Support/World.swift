import Glibc
import GroupSPI
import Store
import Synchronization
import Testing

/// A few hosts that share a store directory, as far as one machine can play them: each has its own directory of plugins.
///
/// Everything is in one directory with a short path, for the sake of sockets. With the test it ends: every process that
/// was started from here is killed, and the directory removed.
final class World: Sendable {
    let path: String
    let storeDirectory: String
    let journal = Journal()
    private let state = Mutex(State())

    private struct State {
        var hosts: [Host] = []
        var programs: [RunningProgram] = []
        var files = 0
    }

    private init(path: String) throws {
        self.path = path
        storeDirectory = "\(path)/store"
        try Files.makeDirectory(storeDirectory)
    }

    /// Makes a world for a test, waits for its turn, and takes everything away afterwards.
    ///
    /// - Parameter isOne: whether all its managers share their groups, so that no two plugins may have one at once.
    static func with(isOne: Bool = true, _ body: (World) async throws -> Void) async throws {
        await Turnstile.tests.enter()
        defer { Turnstile.tests.leave() }
        var template = Array("/tmp/ik-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        do {
            let world = try World(path: path)
            do {
                try await body(world)
                let overlaps = world.journal.overlaps
                #expect(!isOne || overlaps.isEmpty, "two plugins had the same group at once: \(overlaps)")
            } catch {
                world.printLogs(error)
                await world.end()
                throw error
            }
            await world.end()
        } catch {
            Files.remove(path)
            throw error
        }
    }

    // MARK: - Hosts

    /// A host with a fake group plugin that runs.
    func host(_ name: String) async throws -> Host {
        let host = try bareHost(name)
        try await host.plugin.start()
        return host
    }

    /// A host with a Docker Engine, and a fake group plugin that runs.
    func host(_ name: String, engine: String) async throws -> Host {
        let host = try bareHost(name, engine: engine)
        try await host.plugin.start()
        return host
    }

    /// A host without any plugin.
    func bareHost(_ name: String, engine: String? = nil) throws -> Host {
        let host = try Host(name, in: self, engine: engine)
        state.withLock { $0.hosts.append(host) }
        return host
    }

    // MARK: - Programs

    /// Starts a program that stays.
    func start(
        _ program: BuiltProgram,
        _ words: [String],
        environment: [String: String] = [:],
        input: String? = nil,
        user: uid_t? = nil,
        files limit: ClosedRange<Int>? = nil,
        log: String? = nil
    ) throws -> RunningProgram {
        let number = state.withLock { state in
            state.files += 1
            return state.files
        }
        let files = "\(path)/\(log ?? "p")\(number)"
        if let input { try Files.write(input, to: files + ".in") }
        let base = ["HOME": "\(path)/home", "PATH": "/usr/bin:/bin", "USER": "tester", "TZ": "UTC"]
        let running = try RunningProgram(
            Self.becoming(user) + Self.limiting(limit) + [program.path()] + words,
            environment: base.merging(environment) { _, new in new },
            input: input == nil ? "/dev/null" : files + ".in",
            files: files
        )
        state.withLock { $0.programs.append(running) }
        return running
    }

    /// The words before a program that run it as another user.
    private static func becoming(_ user: uid_t?) -> [String] {
        user.map { ["/usr/bin/setpriv", "--reuid=\($0)", "--regid=\($0)", "--clear-groups"] } ?? []
    }

    /// The words before a program that may have so many files open: the soft limit, and the hard one.
    private static func limiting(_ files: ClosedRange<Int>?) -> [String] {
        files.map { ["/usr/bin/prlimit", "--nofile=\($0.lowerBound):\($0.upperBound)"] } ?? []
    }

    /// Runs a command to its end.
    func run(
        _ program: BuiltProgram,
        _ words: [String],
        environment: [String: String] = [:],
        input: String? = nil,
        user: uid_t? = nil,
        within limit: Duration = .seconds(60),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Finished {
        let running = try start(program, words, environment: environment, input: input, user: user)
        let status: Int32 =
            switch try await running.end(within: limit, sourceLocation: sourceLocation) {
            case .exit(let status): status
            case .signal(let signal): -signal
            }
        return Finished(
            words: [program.rawValue] + words,
            status: status,
            output: running.output,
            errors: running.errors
        )
    }

    /// `infrakit-manager …` on a host that has nothing but the database: no manager, no plugins.
    func manager(
        _ words: String...,
        input: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Finished {
        try await run(
            .manager,
            words,
            environment: ["INFRAKIT_STORE_DIR": storeDirectory, "INFRAKIT_PLUGINS_DIR": "\(path)/none"],
            input: input,
            sourceLocation: sourceLocation
        )
    }

    /// A host whose manager leads.
    func leadingHost(_ name: String = "n1") async throws -> Host {
        let host = try await host(name)
        try await host.startManager()
        try await leader(is: host)
        return host
    }

    // MARK: - The database, as any program may read it

    var store: Store {
        Store.openForCommand(StoreConfiguration(path: StoreConfiguration.path(in: storeDirectory), busyTimeout: 5000))
    }

    func lease() async throws -> Lease { try await store.lease(within: .seconds(20)) }

    /// Oldest first.
    func history() async throws -> [Revision] {
        try await store.history(HistoryQuery(), within: .seconds(20)).revisions.reversed()
    }

    /// Stops a host's manager (SIGSTOP) while it holds no lock of the database: amid a write it would keep all others out
    /// until it goes on (docs/lease.md).
    func standStill(_ host: Host) async throws {
        try await eventually("\(host.name) stands still outside a write") {
            try host.manager.send(SIGSTOP)
            try await eventually("it stands still") { try host.manager.isStopped }
            do {
                let probe = try ForeignConnection(StoreConfiguration.path(in: self.storeDirectory), isSealed: true)
                defer { probe.close() }
                try probe.execute("BEGIN IMMEDIATE; ROLLBACK")
                return true
            } catch {
                try host.manager.send(SIGCONT)
                return false
            }
        }
    }

    /// Waits until the outcome of every change is stored, and each was applied: the answers come before.
    func everythingIsApplied(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("every change is applied", sourceLocation: sourceLocation) {
            try await self.history().allSatisfy { $0.status == .applied }
        }
    }

    /// Waits for a leader that has read what stands, and so takes writes.
    @discardableResult
    func leader(
        otherThan old: Host? = nil,
        is wanted: Host? = nil,
        after epoch: Int = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Host {
        let hosts = state.withLock { $0.hosts }
        return try await eventually("\(wanted?.name ?? "somebody") leads", sourceLocation: sourceLocation) {
            guard let lease = try? await lease(), lease.isHeld, lease.epoch > epoch, lease.holder.text != old?.name,
                wanted == nil || lease.holder.text == wanted?.name,
                let host = hosts.first(where: { $0.name == lease.holder.text }), host.hasLoaded(epoch: lease.epoch)
            else { return nil }
            return host
        }
    }

    // MARK: - The end

    private func end() async {
        let (hosts, programs) = state.withLock { ($0.hosts, $0.programs) }
        // In a task of its own, because the test's may be cancelled. When it fails so does the test, and its files are removed all
        // the same.
        _ = await Task { [path] in
            try await eventually("every process that the test has started is gone") {
                let left = World.processes(of: path)
                for program in programs { program.send(SIGKILL) }
                for pid in left { kill(pid, SIGKILL) }
                return left.isEmpty && !programs.contains(where: \.isRunning)
            }
        }.result
        for host in hosts { await host.plugin.die() }
        Files.remove(path)
    }

    /// Every process that was started from a directory, or by such a process: they have it in their environment or among
    /// their words.
    static func processes(of directory: String) -> [pid_t] {
        Files.names(in: "/proc").compactMap { pid_t($0) }.filter { pid in
            guard pid != getpid(), let stat = Files.read("/proc/\(pid)/stat"), !stat.contains(") Z ") else {
                return false
            }
            return ["environ", "cmdline"].contains { file in
                (Files.read("/proc/\(pid)/\(file)") ?? "").contains("\(directory)/")
            }
        }
    }

    private func printLogs(_ error: any Error) {
        var text = "\(path): \(error)\n"
        for name in Files.names(in: path) where name.hasSuffix(".err") {
            let lines = (Files.read("\(path)/\(name)") ?? "").split(separator: "\n")
            if lines.isEmpty { continue }
            text += (["--- \(name)"] + lines.suffix(40).map(String.init)).joined(separator: "\n") + "\n"
        }
        printError(text)
    }
}
