import BenchmarkSupport
import GroupSPI
import Logging
import Manager
import NIOPosix
import PluginRPC
import Store

/// A manager that leads, over a database of its own, with a plugin in this process that agrees to everything.
final class LeadingManager: Sendable {
    private let scratch: Scratch
    private let runtime: ManagerRuntime
    private let running: Task<Void, Never>

    /// - Parameter groups: how many stand in the history before it starts.
    init(groups: Int) async throws {
        scratch = try Scratch()
        let path = StoreConfiguration.path(in: scratch.path)
        let predecessor = try await Predecessor(leading: path)
        try await predecessor.declare(groups: groups)
        try await predecessor.release()
        let settings = try ElectionSettings(
            ttl: .seconds(9),
            renewDeadline: .seconds(6),
            pollInterval: .milliseconds(1500)
        )
        runtime = try ManagerRuntime(
            ManagerConfiguration(
                candidate: try Predecessor.candidate("manager"),
                election: settings,
                term: TermSettings(election: settings, pluginName: Predecessor.plugin)
            ),
            store: try await Store.openForManager(StoreConfiguration(path: path)),
            plugin: AgreeablePlugin(),
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() },
            takeoverReason: { $0.isHeld ? nil : "released" },
            makeGuard: { _ in NoGuard() }
        )
        let standings = runtime.board.standings
        running = Task { [runtime] in await runtime.run() }
        for await standing in standings where standing.role == .leader { break }
        try await firstCommit()
    }

    /// The board may say that it leads a moment before the groups are read.
    private func firstCommit() async throws {
        for _ in 0..<1000 {
            do {
                return try await commit(0, -1)
            } catch let error as GroupError where error.code == .notLeader {
                try await Task.sleep(for: .milliseconds(10), clock: .suspending)
            }
        }
        throw BenchmarkError("the manager does not begin to lead")
    }

    /// Where calls run: on an event loop, as those do that come over a socket.
    static let executor = EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())

    /// One user's write: stored, told to the plugin, answered.
    func commit(_ group: Int, _ number: Int) async throws {
        _ = try await runtime.proxy.call(.commit(Specs.spec(group, number), pretend: false), from: Predecessor.author)
    }

    func end() async {
        runtime.stop()
        await running.value
        scratch.remove()
    }
}
