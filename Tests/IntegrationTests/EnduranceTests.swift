import GroupSPI
import Store
import Testing

/// What was acknowledged survives: writers go on while leaders are killed under them.
@Suite struct EnduranceTests {
    @Test func acknowledgedWritesSurviveFiveKilledLeaders() async throws {
        try await World.with { world in
            let hosts = [try await world.host("n1"), try await world.host("n2")]
            for host in hosts { try await host.startManager() }
            try await world.leader()
            let ledger = Ledger()

            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for writer in 0..<3 {
                    tasks.addTask { try await ledger.write(writer, hosts) }
                }
                for round in 1...5 {
                    let leader = try await world.leader()
                    let epoch = try await world.lease().epoch
                    let before = ledger.entries.acknowledged.count
                    try await eventually("writes succeed in round \(round)") {
                        ledger.entries.acknowledged.count > before + 5
                    }
                    try await leader.manager.crash()
                    try await leader.startManager()
                    try await world.leader(after: epoch)
                }
                let before = ledger.entries.acknowledged.count
                try await eventually("writes succeed after the last kill") {
                    ledger.entries.acknowledged.count > before + 5
                }
                ledger.end()
                try await tasks.waitForAll()
            }

            try await eventually("nothing is pending") {
                try await world.store.summary(within: .seconds(20)).pending.isEmpty
            }
            let history = try await world.history()
            #expect(history.map(\.number) == Array(1...history.count))
            #expect(history.map(\.epoch) == history.map(\.epoch).sorted())
            ledger.expectAllOf(history)

            try await Self.expectOneLeaderAtATime(world)
            // What stands is what the last leader's plugin has.
            let leader = try await world.leader()
            let states = try await world.store.states(within: .seconds(20))
            try await eventually("the plugin has what stands") {
                states.allSatisfy { leader.plugin.spec(of: $0.group) == $0.spec?.spec }
            }
        }
    }

    /// The plugins' own records: once a new leader has made its plugin act, the old leader's plugin does not act any more
    /// until that one leads again.
    private static func expectOneLeaderAtATime(_ world: World) async throws {
        var terms = try await world.store.terms(within: .seconds(20)).sorted { $0.epoch < $1.epoch }.map(
            \.manager.text
        )[...]
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
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    while !ledger.isOver {
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
                ledger.end()
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
