import GroupSPI
import PluginRPC
import Synchronization
import Testing

/// Commits one group after the other through a host's socket, until it is told to stop.
final class SteadyWriter: Sendable {
    private struct State {
        var written = 0
        var isOver = false
    }

    private let host: Host
    private let groups: Int
    private let state = Mutex(State())

    /// - Parameter groups: how many groups; their names are `g0`, `g1`, ….
    init(_ host: Host, groups: Int) {
        self.host = host
        self.groups = groups
    }

    /// How many commits were acknowledged.
    var written: Int { state.withLock(\.written) }

    func stop() { state.withLock { $0.isOver = true } }

    /// - Throws: what a commit throws.
    func run() async throws {
        try await host.withClient { client in
            while !state.withLock(\.isOver) {
                let spec = GroupSpec.sized("g\(written % groups)", 1000 + written)
                _ = try await client.call(.commit(spec, pretend: false), within: .seconds(60))
                state.withLock { $0.written += 1 }
            }
        }
    }

    /// Writes while something else is done, and for a while after.
    func write(during body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.run() }
            do {
                try await body()
                let then = written
                try await eventually("more is written") { written > then + 5 }
            } catch {
                stop()
                throw error
            }
            stop()
            try await tasks.waitForAll()
        }
    }
}
