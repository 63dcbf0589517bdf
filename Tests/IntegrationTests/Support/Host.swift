import Glibc
import GroupSPI
import Logging
import PluginRPC
import Store
import Synchronization
import Testing

/// One host: its plugins, and the manager on it.
final class Host: Sendable {
    let name: String
    let directory: String
    let plugin: FakePlugin
    /// The Engine of this host; nil for a host that shares the world's store.
    let engine: String?
    private unowned let world: World
    private let running = Mutex<RunningProgram?>(nil)

    /// Leases that outlive a busy machine; replicas look often, so nothing waits for them.
    static let patient = ["--lease-ttl", "9s", "--renew-deadline", "6s", "--poll-interval", "250ms"]
    /// For tests in which a lease has to run out.
    static let quick = ["--lease-ttl", "2s", "--poll-interval", "250ms"]

    init(_ name: String, in world: World, engine: String? = nil) throws {
        self.name = name
        self.engine = engine
        self.world = world
        directory = "\(world.path)/\(name)"
        try Files.makeDirectory(directory)
        plugin = FakePlugin(host: name, socketPath: "\(directory)/group-stateless", journal: world.journal)
    }

    var environment: [String: String] {
        ["INFRAKIT_PLUGINS_DIR": directory, "INFRAKIT_STORE_DIR": storeDirectory]
    }

    /// In swarm mode its own.
    var storeDirectory: String { engine == nil ? world.storeDirectory : directory }

    /// The database, as any program may read it.
    var store: Store {
        Store.openForCommand(StoreConfiguration(path: StoreConfiguration.path(in: storeDirectory), busyTimeout: 5000))
    }

    // MARK: - The manager

    /// Starts the manager, and waits until its socket is there.
    @discardableResult
    func startManager(
        _ words: [String] = Host.patient,
        environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> RunningProgram {
        let program = try launchManager(words, environment: environment)
        try await eventually("the manager of \(name) serves its socket", sourceLocation: sourceLocation) {
            if let ending = program.ending {
                throw Trouble("the manager of \(self.name) ended with \(ending): \(program.errors)")
            }
            return program.errors.contains("msg=\"listening\"")
        }
        return program
    }

    /// Starts the manager and does not wait.
    func launchManager(
        _ words: [String] = Host.patient,
        environment more: [String: String] = [:],
        files: ClosedRange<Int>? = nil
    ) throws -> RunningProgram {
        let mode = engine.map { ["swarm", "--host", "unix://\($0)"] } ?? ["os"]
        let known = mode + ["--id", name, "--reconcile-interval", "400ms", "--store-dir", storeDirectory]
        let program = try world.start(
            .manager,
            known + words,
            environment: environment.merging(more) { _, new in new },
            files: files,
            log: "\(name)-manager-"
        )
        running.withLock { $0 = program }
        return program
    }

    /// - Throws: when none was started.
    var manager: RunningProgram {
        get throws {
            guard let program = running.withLock({ $0 }) else { throw Trouble("no manager was started on \(name)") }
            return program
        }
    }

    /// True when the manager has read what stands in that term: from then on it takes writes.
    func hasLoaded(epoch: Int) -> Bool {
        guard let manager = running.withLock({ $0 }), manager.isRunning else { return false }
        return manager.errors.split(separator: "\n").contains {
            $0.contains("msg=\"groups loaded\"") && $0.split(separator: " ").contains("lease.epoch=\(epoch)")
        }
    }

    /// Whether the manager has logged that.
    func logs(_ words: String) -> Bool { running.withLock { $0 }?.errors.contains(words) == true }

    /// The process that guards the manager's groups.
    var guards: [pid_t] {
        World.processes(of: directory).filter { pid in
            let words = (Files.read("/proc/\(pid)/cmdline") ?? "").split(separator: "\0")
            return words.dropFirst().first == "guard"
        }
    }

    // MARK: - Commands

    func infrakit(
        _ words: String...,
        input: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Finished {
        try await world.run(
            .infrakit,
            words,
            environment: environment,
            input: input,
            sourceLocation: sourceLocation
        )
    }

    func command(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> Finished {
        try await world.run(.manager, words, environment: environment, sourceLocation: sourceLocation)
    }

    /// `infrakit group commit` of a group of that size, which has to succeed.
    @discardableResult
    func commit(
        _ group: Identifier,
        _ size: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Finished {
        let spec = GroupSpec.sized(group, size).json.raw.text
        let finished = try await infrakit("group", "commit", "-", input: spec, sourceLocation: sourceLocation)
        try #require(finished.status == 0, "\(finished)", sourceLocation: sourceLocation)
        return finished
    }

    // MARK: - The socket, without a program in between

    /// Calls the manager as a client does, over one connection.
    func withClient<Result>(
        of name: Identifier = "group",
        _ body: (PluginClient) async throws -> Result
    ) async throws -> Result {
        let client = PluginClient(
            name: name,
            endpoint: .named(name, PluginDirectory(path: directory)),
            logger: Logger(label: "test client") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            let result = try await body(client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// One call to the manager, over a connection of its own.
    func call(_ request: GroupRequest, within limit: Duration) async throws(GroupError) -> GroupReply {
        let client = PluginClient(
            name: "group",
            endpoint: .named("group", PluginDirectory(path: directory)),
            logger: Logger(label: "test client") { _ in SwiftLogNoOpLogHandler() }
        )
        do throws(GroupError) {
            let reply = try await client.call(request, within: limit)
            await client.shutdown()
            return reply
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Waits until this follower names that leader.
    func waitUntilFollowing(_ leader: Host, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("\(name) follows \(leader.name)", sourceLocation: sourceLocation) {
            do throws(GroupError) {
                // Refused by a follower before anything is looked at.
                _ = try await call(.free(id: "nothing"), within: .seconds(30))
                return false
            } catch {
                return error.message.contains("\(leader.name) leads")
            }
        }
    }
}
