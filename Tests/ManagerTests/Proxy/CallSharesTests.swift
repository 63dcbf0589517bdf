import GroupSPI
import Testing

@testable import Manager

/// What users ask the plugin of one group holds up nothing else.
struct CallSharesTests {
    @Test func aGroupThatHangsHoldsUpNobodyElse() async throws {
        let adjust = { (settings: inout TermSettings) in settings.userCalls = 8 }
        try await withReplica(adjust: adjust) { replica in
            try await replica.leads()
            _ = try await replica.commit("slow")
            _ = try await replica.commit("b")
            let gate = Gate()
            replica.plugin.script { $0 == .describe(id: "slow") || $0 == .stopUpdate(id: "slow") ? .hang(gate) : nil }
            let readers = (0..<20).map { number in
                let request = number.isMultiple(of: 2) ? GroupRequest.describe(id: "slow") : .stopUpdate(id: "slow")
                return Task { await replica.outcome(of: request) }
            }
            try await eventually("all of them wait") {
                gate.waiting + replica.proxy.shares.waiting(for: "slow") == 20
            }
            #expect((1...4).contains(gate.waiting))
            // Others are answered, also about all groups, and what changes a group is told: this one too.
            let calls = replica.plugin.count { $0 != .inspect }
            _ = try await replica.call(.describe(id: "b"))
            _ = try await replica.call(.inspect)
            _ = try await replica.commit("b", 2)
            _ = try await replica.commit("slow", 2)
            // The leader asks itself, too, what the plugin watches.
            #expect(replica.plugin.count { $0 != .inspect } == calls + 3)
            gate.open()
            for reader in readers { #expect((try? await reader.value.get()) != nil) }
            #expect(replica.proxy.shares.waiting(for: "slow") == 0)
        }
    }

    @Test func whoWaitsTooLongIsToldAndNothingIsSent() async throws {
        let adjust = { (settings: inout TermSettings) in settings.userCalls = 2 }
        try await withReplica(adjust: adjust) { replica in
            try await replica.leads()
            _ = try await replica.commit("slow")
            let gate = Gate()
            replica.plugin.script { $0 == .describe(id: "slow") ? .hang(gate) : nil }
            async let first = replica.error(.describe(id: "slow"))
            try await eventually("it is sent") { gate.waiting == 1 }
            async let second = replica.error(.describe(id: "slow"))
            try await eventually("it waits") { replica.proxy.shares.waiting(for: "slow") == 1 }
            // One who gives up waits no longer, and keeps nobody from it.
            let third = Task { await replica.error(.describe(id: "slow")) }
            try await eventually("it waits") { replica.proxy.shares.waiting(for: "slow") == 2 }
            third.cancel()
            #expect(await third.value?.code == .unreachable)
            #expect(replica.proxy.shares.waiting(for: "slow") == 1)
            try await pass(.seconds(31), on: replica.clock)
            #expect(await first?.code == .unknownOutcome)
            let error = try #require(await second)
            #expect(
                error.code == .unreachable && error.message.contains("earlier calls about group 'slow'"),
                "\(error)"
            )
            #expect(error.message.contains("was not sent") && replica.plugin.count { $0 == .describe(id: "slow") } == 1)
            replica.plugin.behave()
            _ = try await replica.call(.describe(id: "slow"))
        }
    }

    /// However many come and go: never more than there are, and in the end nothing is taken.
    @Test func noShareIsLost() async throws {
        let clock = TestClock()
        let shares = CallShares(6)
        let counts = Shared((now: 0, most: 0, ran: 0))
        await withTaskGroup(of: Void.self) { tasks in
            for number in 0..<400 {
                tasks.addTask {
                    let never = clock.now() + .seconds(3600)
                    await shares.run(for: Identifier("g\(number % 5)"), until: never, on: clock) {
                        counts.update {
                            $0.now += 1
                            $0.ran += 1
                            $0.most = max($0.most, $0.now)
                        }
                        for _ in 0..<(number % 7) { await Task.yield() }
                        counts.update { $0.now -= 1 }
                    }
                }
                if number == 399 { break }
                if number.isMultiple(of: 50) { await Task.yield() }
            }
        }
        #expect(counts.value.now == 0 && counts.value.most <= 6 && counts.value.ran == 400)
        for group in 0..<5 { #expect(shares.waiting(for: Identifier("g\(group)")) == 0) }
    }
}
