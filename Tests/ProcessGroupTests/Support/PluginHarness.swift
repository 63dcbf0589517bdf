import Glibc
import GroupSPI
import Logging
import Platform
import Synchronization
import Testing

@testable import ProcessGroup

/// A folder for one test, and a mark in the environment of every process that the test starts, by which all of them
/// are found and ended with it, whether it passes or not.
final class PluginHarness: Sendable {
    let folder: String
    let log = RecordingLog()
    private let mark: String

    private init(folder: String, mark: String) {
        self.folder = folder
        self.mark = mark
    }

    var state: String { "\(folder)/state" }

    /// Makes the folder, runs the test, and clears everything away.
    static func with(_ body: (PluginHarness) async throws -> Void) async throws {
        var template = Array("/tmp/process-group-test-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        let harness = PluginHarness(folder: folder, mark: "PROCESS_GROUP_TEST=\(folder)")
        do {
            try await body(harness)
        } catch {
            await harness.clear()
            throw error
        }
        await harness.clear()
    }

    /// Runs a plugin while `body` runs; the processes outlive it.
    func withPlugin(
        _ options: ProcessGroupOptions = .quick,
        _ body: (ProcessGroupPlugin) async throws -> Void
    ) async throws {
        let plugin = try makePlugin(options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await plugin.run() }
            defer { group.cancelAll() }
            try await body(plugin)
        }
    }

    /// A plugin that nobody runs: it does what it is told, and looks after nothing.
    func makePlugin(_ options: ProcessGroupOptions = .quick) throws -> ProcessGroupPlugin {
        try ProcessGroupPlugin(
            stateDirectory: state,
            options: options,
            environment: ["PATH": "/usr/bin:/bin", "PROCESS_GROUP_TEST": folder],
            logger: Logger(label: "test", factory: { [log] _ in log })
        )
    }

    /// The processes that this test has started and that still run, whichever plugin started them.
    var processes: [ProcessTable.Entry] {
        File.names(in: "/proc").compactMap { Int32($0) }.filter { pid in
            let environment = File.read("/proc/\(pid)/environ") ?? []
            return environment.split(separator: 0).contains { $0.elementsEqual(mark.utf8) }
        }.compactMap { ProcessTable.entry($0) }.filter(\.isAlive)
    }

    /// The numbers of those that lead a session: one per instance.
    var leaders: Set<Int32> { Set(processes.filter { $0.pid == $0.session }.map(\.pid)) }

    /// The only one that leads a session, once there is one. Waits, because in the moment in which a process executes
    /// another program it has no environment, and is not found by its mark.
    func leader() async throws -> Int32 {
        var leader: Int32 = 0
        try await eventually("one process leads a session") {
            let all = leaders
            leader = all.first ?? 0
            return all.count == 1
        }
        return leader
    }

    private func clear() async {
        for _ in 0..<200 {
            let left = processes
            if left.isEmpty { break }
            for process in left { kill(process.pid, SIGKILL) }
            for process in left { _ = waitpid(process.pid, nil, WNOHANG) }
            try? await Task.sleep(for: .milliseconds(10), clock: .suspending)
        }
        remove(folder)
    }

    private func remove(_ path: String) {
        for name in File.names(in: path) { remove("\(path)/\(name)") }
        if rmdir(path) != 0 { unlink(path) }
    }
}

extension ProcessGroupOptions {
    /// Everything a hundred times as fast.
    static let quick = ProcessGroupOptions(
        settleTime: .milliseconds(50),
        stopGrace: .seconds(5),
        pollInterval: .milliseconds(20),
        backoff: RestartBackoff(initial: .milliseconds(20), maximum: .milliseconds(100), longLife: .milliseconds(40))
    )
}

extension ProcessGroupPlugin {
    @discardableResult
    nonisolated func call(_ request: GroupRequest) async throws(GroupError) -> GroupReply {
        try await call(request, from: Caller(user: nil, uid: nil, host: "test"))
    }

    nonisolated func instances(_ id: Identifier) async throws -> [InstanceDescription] {
        try await describe(id).decodedInstances
    }

    nonisolated func describe(_ id: Identifier) async throws -> GroupDescription {
        guard case .description(let description) = try await call(.describe(id: id)) else {
            throw UnexpectedReply()
        }
        return description
    }

    /// Waits until the group is as wanted, and tells its instances.
    @discardableResult
    nonisolated func converged(
        _ id: Identifier,
        count: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [InstanceDescription] {
        var instances: [InstanceDescription] = []
        try await eventually("'\(id)' converges to \(count) instances", sourceLocation: sourceLocation) {
            let description = try await describe(id)
            instances = description.decodedInstances
            return description.isConverged == true && instances.count == count
        }
        return instances
    }
}

struct UnexpectedReply: Error {}

/// Keeps every line that is logged.
final class RecordingLog: LogHandler {
    private let recorded = Mutex<[(message: String, metadata: Logger.Metadata)]>([])

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        recorded.withLock { $0.append(("\(event.message)", event.metadata ?? [:])) }
    }

    var messages: [String] { recorded.withLock { $0.map(\.message) } }

    func count(_ message: String) -> Int { messages.filter { $0 == message }.count }
}
