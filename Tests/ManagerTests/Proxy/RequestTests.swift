import GroupSPI
import Store
import Testing

@testable import Manager

/// What commands leave in the store for the leader.
struct RequestTests {
    private func rollback(to target: Int, group: Identifier? = nil, expected: Int? = nil, id: String = "r") -> Request {
        Request(
            id: id,
            kind: .rollback(to: target, group: group, expectedCurrent: expected),
            author: MemoryStore.author,
            message: "back"
        )
    }

    /// Revisions 1 to 4: a and b, then b changed, then c.
    private func withHistory(_ body: (Replica) async throws -> Void) async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            _ = try await replica.commit("b", 1)
            _ = try await replica.commit("b", 2)
            _ = try await replica.commit("c", 1)
            try await body(replica)
        }
    }

    /// What the revision of a rollback says to stand does, also when another group's write is being stored at that moment.
    @Test func aRollbackOfAllWaitsForWhatIsBeingStored() async throws {
        try await withHistory { replica in
            let gate = Gate()
            replica.store.trouble(.late(gate), at: .append)
            async let answer = replica.commit("e", 1)
            try await eventually("it is stored, and its leader not told") { replica.store.revisions.count == 5 }
            replica.store.trouble(nil, at: .append)
            replica.store.submit(rollback(to: 2))
            await replica.proxy.supervisor.lookForRequests()
            try await eventually("the rollback is judged, or waits") {
                if await replica.waitingToBeStored == 1 { return true }
                return replica.store.revisions.count > 5
            }
            gate.open()
            _ = try await answer
            let request = try await end(replica)
            #expect(request.state == .done && request.revision == 6, "\(request)")
            func groups(at number: Int) async throws -> [Identifier] {
                try await replica.store.states(at: number, within: .seconds(9)).filter { $0.spec != nil }.map(\.group)
            }
            #expect(try await groups(at: 6) == groups(at: 2))
            #expect(replica.plugin.groups.keys.sorted() == ["a", "b"])
        }
    }

    private func end(of id: String = "r", _ replica: Replica) async throws -> Request {
        try await eventually("the request has ended", on: replica.clock) {
            guard let request = replica.store.request(id), request.state != .waiting else { return false }
            return request.revision.map { replica.store.revisions[$0 - 1].status != .pending } ?? true
        }
        return try #require(replica.store.request(id))
    }

    @Test func rollsEverythingBack() async throws {
        try await withHistory { replica in
            replica.store.submit(rollback(to: 2, expected: 4))
            let request = try await end(replica)
            #expect(request.state == .done && request.revision == 5 && request.error == nil)
            let revision = try #require(replica.store.revisions.last)
            #expect(revision.operation == .rollback && revision.target == 2 && revision.message == "back")
            #expect(revision.author == MemoryStore.author)
            #expect(revision.status == .applied)
            // What the target did not have is let go, never destroyed.
            #expect(revision.groups == ["b", "c"])
            #expect(replica.plugin.groups == ["a": .named("a", 1), "b": .named("b", 1)])
            #expect(replica.plugin.done.contains(.free(id: "c")))
        }
    }

    @Test func aLeaderThatIsToldDoesNotWaitForItsNextLook() async throws {
        try await withHistory { replica in
            let start = replica.clock.now()
            replica.store.submit(rollback(to: 2, group: "b"))
            #expect(await replica.proxy.lookForRequests())
            try await eventually("it is carried out", on: replica.clock, step: .milliseconds(1)) {
                replica.store.request("r")?.state == .done
            }
            #expect(replica.clock.now() - start < .milliseconds(1000))
        }
    }

    @Test func whoeverTellsItAgainAndAgainGetsNoMoreThanALook() async throws {
        try await withHistory { replica in
            try await pass(.milliseconds(20), on: replica.clock, step: .milliseconds(1))
            let before = replica.store.count(.requests)
            await withDiscardingTaskGroup { tasks in
                for _ in 0..<1000 { tasks.addTask { _ = await replica.proxy.lookForRequests() } }
            }
            try await eventually("it has looked") { replica.store.count(.requests) > before }
            for _ in 0..<1000 { _ = await replica.proxy.lookForRequests() }
            // Time stands still, and what was due is done.
            #expect(replica.store.count(.requests) == before + 1)
        }
    }

    @Test func aFollowerHasNothingToLookFor() async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        store.seize(by: Replica.candidate("two"))
        let replica = try Replica(store: store, plugin: FakePlugin(clock: clock))
        try await withReplicas(replica) {
            try await eventually("it follows") { replica.standing.role == .follower }
            #expect(await !replica.proxy.lookForRequests())
            #expect(store.count(.requests) == 0)
        }
    }

    @Test func rollsOneGroupBack() async throws {
        try await withHistory { replica in
            replica.store.submit(rollback(to: 2, group: "b"))
            let ended = try await end(replica)
            #expect(ended.revision == 5)
            #expect(replica.plugin.groups["b"] == .named("b", 1))
            #expect(replica.plugin.watched == ["a", "b", "c"])
        }
    }

    @Test func aRollbackThatChangesNothingStoresNothing() async throws {
        try await withHistory { replica in
            replica.store.submit(rollback(to: 4))
            let request = try await end(replica)
            #expect(request.state == .done && request.revision == nil)
            #expect(replica.store.revisions.count == 4)
        }
    }

    @Test(
        arguments: [
            (0, Identifier?.none, Int?.none, "there is no revision 0"),
            (5, nil, nil, "there is no revision 5"), (2, nil, 3, "the current revision is 4, not 3"),
            (2, "x", nil, "there is no group 'x'; there are: a, b, c"),
        ]
    )
    func aRollbackThatCannotBeIsRefused(_ target: Int, _ group: Identifier?, _ expected: Int?, _ words: String)
        async throws
    {
        try await withHistory { replica in
            replica.store.submit(rollback(to: target, group: group, expected: expected))
            let request = try await end(replica)
            #expect(request.state == .refused)
            #expect(request.error?.contains(words) == true, "\(request.error ?? "")")
            #expect(replica.store.revisions.count == 4)
        }
    }

    @Test func anEmptyHistoryHasNothingToGoBackTo() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.submit(rollback(to: 1))
            let ended = try await end(replica)
            #expect(ended.error == "there is no revision 1")
        }
    }

    @Test func aGroupThatRefusesDoesNotKeepTheOthers() async throws {
        try await withHistory { replica in
            replica.plugin.script { request in
                request == .commit(.named("b", 1), pretend: false) ? .fail(GroupError(.rejected, "no")) : nil
            }
            replica.store.submit(rollback(to: 2))
            let request = try await end(replica)
            #expect(request.state == .done && request.revision == 5)
            #expect(replica.store.revisions[4].status == .partial)
            #expect(replica.plugin.groups == ["a": .named("a", 1), "b": .named("b", 2)])
        }
    }

    /// The lanes: a write that is under way is waited for, and seen.
    @Test func waitsForAWriteThatIsUnderWay() async throws {
        try await withHistory { replica in
            let gate = Gate()
            replica.plugin.script { request in
                request == .commit(.named("c", 2), pretend: false) ? .hang(gate) : nil
            }
            async let write = replica.commit("c", 2)
            try await eventually("the write is under way") { gate.waiting == 1 }
            replica.store.submit(rollback(to: 4))
            // It waits for c's lane, which the pending write holds.
            try await eventually("the rollback is in line", on: replica.clock, step: .milliseconds(20)) {
                await replica.waiting("c") == 1
            }
            gate.open()
            _ = try await write
            let ended = try await end(replica)
            #expect(ended.revision == 6)
            #expect(replica.plugin.groups["c"] == .named("c", 1))
        }
    }

    /// Somebody was faster: what was expected is checked when nothing can change any more, not when the request is read.
    @Test func theExpectationIsCheckedUnderTheLanes() async throws {
        try await withHistory { replica in
            let gate = Gate()
            replica.plugin.script { request in
                request == .commit(.named("b", 3), pretend: false) ? .hang(gate) : nil
            }
            let store = Gate()
            replica.store.trouble(.hang(store), at: .append)
            async let write = replica.commit("b", 3)
            try await eventually("the write is being stored") { store.waiting == 1 }
            replica.store.submit(rollback(to: 2, expected: 4))
            try await eventually("the rollback is in line", on: replica.clock, step: .milliseconds(20)) {
                await replica.waiting("b") == 1
            }
            replica.store.trouble(nil, at: .append)
            store.open()
            gate.open()
            _ = try await write
            let request = try await end(replica)
            #expect(request.state == .refused)
            #expect(request.error?.contains("the current revision is 5, not 4") == true)
            #expect(replica.plugin.groups["b"] == .named("b", 3))
        }
    }

    @Test func isCarriedOutOnceAlsoWhenTheLeaderChanges() async throws {
        try await withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .free(id: "c") ? .hang(gate) : nil }
            replica.store.submit(rollback(to: 2))
            try await eventually("it is under way", on: replica.clock, step: .milliseconds(20)) { gate.waiting == 1 }
            #expect(replica.store.request("r")?.state == .done)
            replica.plugin.behave()
            try await replica.loseAndLeadAgain()
            try await eventually("the next term finishes it", on: replica.clock) {
                replica.store.revisions[4].status == .applied
            }
            try await pass(.seconds(5), on: replica.clock)
            #expect(replica.store.revisions.count == 5)
            #expect(replica.plugin.groups == ["a": .named("a", 1), "b": .named("b", 1)])
        }
    }

    /// A leader whose term has ended knows no groups: from that it must not conclude that there is nothing to do.
    @Test func aLeaderThatLosesTheLeaseMeanwhileDecidesNothing() async throws {
        try await withHistory { replica in
            let gate = Gate()
            replica.store.trouble(.late(gate), at: .states)
            replica.store.submit(rollback(to: 2, group: "b"))
            try await eventually("it is looked at", on: replica.clock, step: .milliseconds(20)) { gate.waiting == 1 }
            // The groups are not free for a while, and until then the row names this replica.
            let free = Gate()
            replica.plugin.script { $0.isFree ? .hang(free) : nil }
            replica.orphanGuard.inhibit("not now")
            try await eventually("it lets its groups go") { free.waiting == 3 }
            replica.store.trouble(nil, at: .states)
            gate.open()
            try await eventually("nobody looks at it any more") { await replica.requestsUnderWay.isEmpty }
            #expect(replica.store.request("r")?.state == .waiting)
            free.open()
            replica.orphanGuard.inhibit(nil)
            try await eventually("it leads again", on: replica.clock) { replica.store.lease.epoch == 2 }
            replica.store.renew("r")
            let ended = try await end(replica)
            #expect(ended.revision == 5)
        }
    }

    @Test func aStoreThatFailsLeavesTheRequestWaiting() async throws {
        try await withHistory { replica in
            replica.store.trouble(.fail(.busy), at: .append)
            replica.store.submit(rollback(to: 2))
            try await eventually("it was tried", on: replica.clock) { replica.store.count(.append) >= 6 }
            #expect(replica.store.request("r")?.state == .waiting)
            replica.store.trouble(nil, at: .append)
            let ended = try await end(replica)
            #expect(ended.revision == 5)
        }
    }

    /// The one who asked has waited long enough. That is no trouble at the store.
    @Test func aRequestThatIsTakenBackIsNotCarriedOut() async throws {
        try await withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .update(.named("b", 3)) ? .hang(gate) : nil }
            async let write = replica.call(.update(.named("b", 3)))
            try await eventually("a write is under way") { gate.waiting == 1 }
            replica.store.submit(rollback(to: 2))
            try await eventually("the rollback is in line", on: replica.clock, step: .milliseconds(20)) {
                await replica.waiting("b") == 1
            }
            replica.store.cancel("r")
            gate.open()
            _ = try await write
            try await eventually("nobody looks at it any more") { await replica.requestsUnderWay.isEmpty }
            try await pass(.seconds(5), on: replica.clock)
            #expect(replica.store.revisions.count == 5)
            #expect(replica.store.request("r")?.state == .cancelled)
            #expect(replica.standing.role == .leader && replica.store.lease.epoch == 1)
        }
    }

    // MARK: - Stepping down

    private let stepDown = Request(id: "s", kind: .stepDown, author: MemoryStore.author, message: "")

    @Test func stepsDownAndLetsAnotherLead() async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        let one = try Replica("one", store: store, plugin: FakePlugin(clock: clock))
        let two = try Replica("two", store: store, plugin: FakePlugin(clock: clock))
        try await withReplicas(one, two) {
            try await eventually("one of them leads", on: clock) { store.lease.isHeld }
            let (first, second) = store.lease.holder == "one" ? (one, two) : (two, one)
            try await first.leads()
            _ = try await first.commit("a")
            try await eventually("the other follows", on: clock) { second.standing.role == .follower }
            store.submit(stepDown)
            try await eventually("the other leads", on: clock) { second.plugin.watched == ["a"] }
            #expect(first.plugin.watched.isEmpty)
            #expect(store.request("s")?.state == .done)
            #expect(store.lease.epoch == 2)
            try await pass(.seconds(10), on: clock)
            #expect(store.lease.epoch == 2 && store.lease.holder == second.candidate.id.name)
            #expect(await first.error(.watch(.named("b")))?.message.contains("\(second.candidate.id) leads") == true)
        }
    }

    @Test func aLoneReplicaLeadsAgainAfterAWhile() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.submit(stepDown)
            try await eventually("it steps down", on: replica.clock) { replica.store.count(.release) == 1 }
            let start = replica.clock.now()
            try await eventually("it leads again", on: replica.clock, step: .milliseconds(500)) {
                replica.store.lease.epoch == 2
            }
            #expect(replica.clock.now() - start > .seconds(80))
        }
    }

    /// A request that is still open would make the next leader step down, and the one after it.
    @Test func doesNotStepDownUnlessTheRequestIsClosed() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.trouble(.fail(.busy), at: .finish)
            replica.store.submit(stepDown)
            try await eventually("it was tried twice", on: replica.clock) { replica.store.count(.finish) >= 2 }
            #expect(replica.standing.role == .leader)
            #expect(replica.store.count(.release) == 0)
            replica.store.trouble(nil, at: .finish)
            try await eventually("it steps down", on: replica.clock) { replica.store.count(.release) == 1 }
        }
    }
}
