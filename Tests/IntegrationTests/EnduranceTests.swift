import GroupSPI
import PluginRPC
import Store
import Synchronization
import Testing

/// What was acknowledged survives: writers go on while leaders are killed under them.
@Suite struct EnduranceTests {
    /// What writers know of their writes: each is a size that no other write uses.
    private struct Ledger {
        var acknowledged: [Int] = []
        /// The manager said that it was stored, though the plugin had not confirmed it.
        var recorded: [Int] = []
        var refused: [Int] = []
        /// The connection broke, or the answer left it open.
        var unknown: [Int] = []
    }

    /// What the parts of a test share.
    private final class Shared: Sendable {
        private let state = Mutex((ledger: Ledger(), isOver: false))

        var ledger: Ledger { state.withLock { $0.ledger } }
        var isOver: Bool { state.withLock { $0.isOver } }

        func note(_ change: (inout Ledger) -> Void) { state.withLock { change(&$0.ledger) } }
        func end() { state.withLock { $0.isOver = true } }
    }

    @Test func acknowledgedWritesSurviveFiveKilledLeaders() async throws {
        try await World.with { world in
            let hosts = [try await world.host("n1"), try await world.host("n2")]
            for host in hosts { try await host.startManager() }
            try await world.leader()
            let shared = Shared()

            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for writer in 0..<3 {
                    tasks.addTask { try await Self.write(writer, hosts, shared) }
                }
                for round in 1...5 {
                    let leader = try await world.leader()
                    let epoch = try await world.lease().epoch
                    let before = shared.ledger.acknowledged.count
                    try await eventually("writes succeed in round \(round)") {
                        shared.ledger.acknowledged.count > before + 5
                    }
                    try await leader.manager.crash()
                    try await leader.startManager()
                    try await world.leader(after: epoch)
                }
                let before = shared.ledger.acknowledged.count
                try await eventually("writes succeed after the last kill") {
                    shared.ledger.acknowledged.count > before + 5
                }
                shared.end()
                try await tasks.waitForAll()
            }

            try await eventually("nothing is pending") {
                try await world.store.summary(within: .seconds(20)).pending.isEmpty
            }
            let history = try await world.history()
            #expect(history.map(\.number) == Array(1...history.count))
            #expect(history.map(\.epoch) == history.map(\.epoch).sorted())
            var counts: [Int: Int] = [:]
            for size in history.flatMap(\.sizes).compactMap({ $0 }) { counts[size, default: 0] += 1 }
            let known = shared.ledger
            #expect(known.acknowledged.allSatisfy { counts[$0] == 1 }, "an acknowledged one is not there once")
            #expect(known.recorded.allSatisfy { counts[$0] == 1 }, "a recorded one is not there once")
            #expect(known.unknown.allSatisfy { counts[$0, default: 0] <= 1 }, "a commit was stored twice")
            #expect(known.refused.allSatisfy { counts[$0] == nil }, "a refused commit was stored")

            try await Self.expectOneLeaderAtATime(world)
            // What stands is what the last leader's plugin has.
            let leader = try await world.leader()
            let states = try await world.store.states(within: .seconds(20))
            try await eventually("the plugin has what stands") {
                states.allSatisfy { leader.plugin.spec(of: $0.group) == $0.spec?.spec }
            }
        }
    }

    private static func write(
        _ writer: Int,
        _ hosts: [Host],
        _ shared: Shared
    ) async throws {
        var size = writer * 1_000_000
        while !shared.isOver {
            for host in hosts where !shared.isOver {
                size += 1
                let spec = GroupSpec.sized("g\(writer)", size)
                do throws(GroupError) {
                    let request = GroupRequest.commit(spec, pretend: false)
                    _ = try await host.call(request, within: .seconds(30))
                    shared.note { $0.acknowledged.append(size) }
                } catch {
                    shared.note { ledger in
                        switch error.code {
                        case .unreachable: ledger.refused.append(size)
                        case .rejected where error.message.contains("not the leader"),
                            .rejected where error.message.contains("nothing was changed"):
                            ledger.refused.append(size)
                        case .rejected where error.message.contains("recorded as revision"):
                            ledger.recorded.append(size)
                        default: ledger.unknown.append(size)
                        }
                    }
                }
                // A client that asks a follower over and over is of no use to anybody.
                try await Task.sleep(for: .milliseconds(5), clock: .suspending)
            }
        }
    }

    /// The plugins' own records: once a new leader has made its plugin act, the old leader's plugin does not act any more
    /// until that one leads again.
    private static func expectOneLeaderAtATime(_ world: World) async throws {
        var terms = try await world.store.terms(within: .seconds(20)).sorted { $0.epoch < $1.epoch }.map(\.manager)[...]
        var actor: String?
        for entry in world.journal.all where entry.request.isAct && entry.host != actor {
            // The next term of the host that acts; those in between did not act at all.
            while let manager = terms.first, manager != entry.host { terms.removeFirst() }
            #expect(!terms.isEmpty, "\(entry.host)'s plugin acted after its term, in call \(entry.number)")
            guard !terms.isEmpty else { return }
            terms.removeFirst()
            actor = entry.host
        }
    }

    @Test func aStoreThatIsReadWhileLeadersDieIsAlwaysReadable() async throws {
        try await World.with { world in
            let hosts = [try await world.host("n1"), try await world.host("n2")]
            for host in hosts { try await host.startManager() }
            try await world.leader()
            let shared = Shared()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    while !shared.isOver {
                        let finished = try await world.manager("history", "-o", "json")
                        #expect(finished.status == 0, "\(finished)")
                        _ = try finished.json()
                    }
                }
                for round in 1...4 {
                    let leader = try await world.leader()
                    let epoch = try await world.lease().epoch
                    let request = GroupRequest.commit(.sized("a", round), pretend: false)
                    // Killed while it commits: the outcome is open, the file is whole.
                    async let answer = try? leader.call(request, within: .seconds(30))
                    try await leader.manager.crash()
                    _ = await answer
                    try await leader.startManager()
                    try await world.leader(after: epoch)
                }
                shared.end()
                try await tasks.waitForAll()
            }
            let leader = try await world.leader()
            try await leader.commit("a", 99)
            let history = try await world.history()
            #expect(history.map(\.number) == Array(1...history.count))
            #expect(history.last?.sizes == [99])
        }
    }
}
