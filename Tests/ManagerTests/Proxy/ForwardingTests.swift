import GroupSPI
import Store
import Testing

@testable import Manager

/// A follower that passes users' writes on to the leader.
struct ForwardingTests {
    /// Two replicas, of which the second passes writes on; the first leads, with the group a.
    private func withPair(
        forwards: Bool = true,
        patience: Duration? = nil,
        _ body: (Replica, Replica) async throws -> Void
    ) async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        let leader = try Replica("one", store: store, plugin: FakePlugin(clock: clock))
        let follower = try Replica("two", store: store, plugin: FakePlugin(clock: clock)) {
            $0.forwardsWrites = forwards
            if let patience { $0.rpcTimeout = patience }
        }
        follower.orphanGuard.inhibit("it is the second")
        try await withReplicas(leader, follower) {
            try await leader.leads()
            _ = try await leader.commit("a")
            try await eventually("the other follows", on: clock) { follower.standing.role == .follower }
            try await body(leader, follower)
        }
    }

    /// Makes a call, and lets time pass until it ends.
    private func outcome(
        of request: GroupRequest,
        at replica: Replica
    ) async throws -> Result<GroupReply, GroupError> {
        let ended = Shared(false)
        async let outcome = {
            let outcome = await replica.outcome(of: request)
            ended.update { $0 = true }
            return outcome
        }()
        try await eventually("the call ends", on: replica.clock) { ended.value }
        return await outcome
    }

    @Test func theLeaderCarriesItOutAndItsWordsComeBack() async throws {
        try await withPair { leader, follower in
            let committed = try await outcome(of: .commit(.named("a", 2), pretend: false), at: follower)
            #expect(committed == .success(.details("Managing a")))
            #expect(leader.plugin.groups["a"] == .named("a", 2))
            #expect(leader.store.revisions.count == 2)
            #expect(leader.store.revisions[1].author == Author(user: "ann", uid: 7, host: "here"))
            #expect(leader.store.revisions[1].manager == "one")
            let resized = try await outcome(of: .setSize(id: "a", 3), at: follower)
            #expect(resized == .success(.ok) && leader.plugin.groups["a"] == .named("a", 3))
            let stopped = try await outcome(of: .stopUpdate(id: "a"), at: follower)
            #expect(stopped == .success(.ok) && leader.plugin.done.last { $0 != .inspect } == .stopUpdate(id: "a"))
            let freed = try await outcome(of: .free(id: "a"), at: follower)
            #expect(freed == .success(.ok) && leader.plugin.watched.isEmpty)
            #expect(leader.store.revisions.count == 4)
            #expect(follower.plugin.calls.allSatisfy { $0 == .inspect }, "the follower's own plugin was told")
        }
    }

    @Test func theLeadersRefusalComesBackInItsWords() async throws {
        try await withPair { leader, follower in
            leader.plugin.script { $0.isCommit ? .fail(GroupError(.rejected, "no room")) : nil }
            let refused = try await outcome(of: .commit(.named("a", 2), pretend: false), at: follower)
            #expect(refused == .failure(GroupError(.rejected, "no room")))
            let unknown = try await outcome(of: .setSize(id: "x", 2), at: follower)
            #expect(unknown == .failure(.notWatched("x")))
            leader.plugin.script { $0.isCommit ? .fail(GroupError(.unreachable, "nobody there")) : nil }
            let pending = try await outcome(of: .commit(.named("a", 3), pretend: false), at: follower)
            guard case .failure(let error) = pending else { throw NeverCame(description: "\(pending)") }
            #expect(error.code == .pending && error.message.contains("recorded as revision 3"), "\(error)")
            leader.plugin.behave()
            try await eventually("it is brought about", on: leader.clock) {
                leader.plugin.groups["a"] == .named("a", 3)
            }
        }
    }

    /// The leader stored it and could not answer: the history tells.
    @Test(arguments: [true, false])
    func whenTheLeaderDiesAfterStoringTheRevisionTells(_ succeeds: Bool) async throws {
        // Longer than it takes until the lease has run out.
        try await withPair(patience: .seconds(300)) { leader, follower in
            let gate = Gate()
            leader.plugin.script { $0 == .commit(.named("a", 2), pretend: false) ? .hang(gate) : nil }
            leader.store.trouble(.fail(.io), at: .answer)
            async let outcome = outcome(of: .commit(.named("a", 2), pretend: false), at: follower)
            try await eventually("it is under way") { gate.waiting == 1 }
            leader.plugin.script { request in
                !succeeds && request == .commit(.named("a", 2), pretend: false)
                    ? .fail(GroupError(.rejected, "no room")) : nil
            }
            try await leader.loseAndLeadAgain()
            let learnt = try await outcome
            #expect(leader.store.lease.epoch == 2)
            if succeeds {
                #expect(learnt == .success(.details("recorded as revision 2")))
            } else {
                #expect(learnt == .failure(GroupError(.rejected, "no room")))
            }
            #expect(leader.store.revisions.count == 2)
        }
    }

    /// A busy machine: between the outcome and the answer passes more than a moment.
    @Test func anAnswerThatComesLateIsWaitedFor() async throws {
        try await withPair { leader, follower in
            let gate = Gate()
            leader.store.trouble(.hang(gate), at: .answer)
            let ended = Shared<Result<GroupReply, GroupError>?>(nil)
            try await withThrowingDiscardingTaskGroup { tasks in
                tasks.addTask {
                    let outcome = await follower.outcome(of: .commit(.named("a", 2), pretend: false))
                    ended.update { $0 = outcome }
                }
                try await eventually("it is being answered", on: leader.clock) { gate.waiting == 1 }
                try await pass(.seconds(3), on: leader.clock)
                #expect(ended.value == nil)
                gate.open()
                try await eventually("the call ends", on: leader.clock) { ended.value != nil }
            }
            #expect(ended.value == .success(.details("Managing a")))
        }
    }

    /// Brought about just before the caller's patience ends, and not answered: what is known then is told.
    @Test func whatIsSettledInTheLastSecondIsNoLongerPending() async throws {
        try await withPair { leader, follower in
            let gate = Gate()
            leader.plugin.script { $0 == .commit(.named("a", 2), pretend: false) ? .hang(gate) : nil }
            leader.store.trouble(.fail(.io), at: .answer)
            let start = leader.clock.now()
            let ended = Shared<Result<GroupReply, GroupError>?>(nil)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    let outcome = await follower.outcome(of: .commit(.named("a", 2), pretend: false))
                    ended.update { $0 = outcome }
                }
                try await eventually("it is under way", on: leader.clock) { gate.waiting == 1 }
                while leader.clock.now() - start < .milliseconds(29_200) {
                    try await pass(.milliseconds(100), on: leader.clock)
                }
                gate.open()
                try await eventually("it is applied") { leader.store.revisions[1].status == .applied }
                try await eventually("the call ends", on: leader.clock) { ended.value != nil }
            }
            #expect(ended.value == .success(.details("recorded as revision 2")))
        }
    }

    private static func forward(_ settings: inout TermSettings) { settings.forwardsWrites = true }

    private func withLoneFollower(_ body: (Replica) async throws -> Void) async throws {
        let prepare = { (store: MemoryStore, _: FakePlugin) in
            store.put(Change(group: "a", action: .set(GroupSpec.named("a").properties, plugin: "p"), status: .applied))
            // Somebody who leads by the row, and is dead.
            store.seize(by: Replica.candidate("two"))
        }
        try await withReplica(adjust: Self.forward, prepare: prepare) { replica in
            try await eventually("it follows", on: replica.clock) { replica.standing.role == .follower }
            try await body(replica)
        }
    }

    @Test func whenNobodyTakesItUpItIsTakenBack() async throws {
        try await withLoneFollower { replica in
            let start = replica.clock.now()
            let refused = try await outcome(of: .free(id: "a"), at: replica)
            guard case .failure(let error) = refused else { throw NeverCame(description: "\(refused)") }
            #expect(error.code == .notLeader)
            #expect(
                error.message
                    == "no leader accepted the request within 30s; two holds the lease (epoch 1); the request was "
                    + "cancelled and nothing was changed"
            )
            #expect(replica.clock.now() - start >= .seconds(30) && replica.clock.now() - start < .seconds(40))
            let requests = replica.store.requests
            #expect(requests.map(\.state) == [.cancelled])
            #expect(requests.first?.kind == .write(.free(id: "a")) && requests.first?.patience == 30_000)
        }
    }

    @Test func aCallerThatGivesUpTakesItBack() async throws {
        try await withLoneFollower { replica in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { _ = await replica.outcome(of: .free(id: "a")) }
                try await eventually("it is asked") { replica.store.requests.count == 1 }
                tasks.cancelAll()
            }
            #expect(replica.store.requests.map(\.state) == [.cancelled])
        }
    }

    @Test func whenTheStoreFailsNothingIsAsked() async throws {
        try await withLoneFollower { replica in
            replica.store.trouble(.fail(.io), at: .submit)
            let refused = try await outcome(of: .free(id: "a"), at: replica)
            guard case .failure(let error) = refused else { throw NeverCame(description: "\(refused)") }
            #expect(error.code == .storeUnavailable && error.message.contains("nothing was changed"))
            #expect(replica.store.requests.isEmpty)
        }
    }

    /// A lock that another has is waited for, for as long as whoever asks waits.
    @Test func aLockedStoreIsWaitedFor() async throws {
        try await withPair { leader, follower in
            leader.store.trouble(.fail(.busy), at: .submit)
            async let outcome = outcome(of: .commit(.named("a", 2), pretend: false), at: follower)
            try await eventually("it was tried often", on: leader.clock) { leader.store.count(.submit) > 20 }
            leader.store.trouble(nil, at: .submit)
            #expect(try await outcome == .success(.details("Managing a")))
        }
    }

    /// It is in the store: that it cannot be looked at says nothing about what becomes of it.
    @Test(arguments: [MemoryStore.Trouble.fail(.busy), .fail(.io), .fail(.corrupt)])
    func troubleWhileWaitingIsNoRefusal(_ trouble: MemoryStore.Trouble) async throws {
        try await withPair { leader, follower in
            leader.store.trouble(trouble, at: .sight)
            async let outcome = outcome(of: .commit(.named("a", 2), pretend: false), at: follower)
            try await eventually("the leader has carried it out", on: leader.clock) {
                leader.plugin.groups["a"] == .named("a", 2) && leader.store.count(.sight) > 3
            }
            leader.store.trouble(nil, at: .sight)
            #expect(try await outcome == .success(.details("Managing a")))
        }
    }

    /// Nothing tells what became of it: then nothing is said of it, but that.
    @Test func whatCannotBeLookedAtNorTakenBackMayStillComeTrue() async throws {
        try await withLoneFollower { replica in
            replica.store.trouble(.fail(.busy), at: .sight, .cancel)
            let open = try await outcome(of: .free(id: "a"), at: replica)
            guard case .failure(let error) = open else { throw NeverCame(description: "\(open)") }
            #expect(error.code == .unknownOutcome && error.message.contains("may still be applied"), "\(error)")
            #expect(!error.message.contains("nothing was changed."))
            #expect(replica.store.requests.map(\.state) == [.waiting])
        }
    }

    /// Whether it was stored was not told; it was, and it is found.
    @Test func aSubmissionOfWhichNobodyKnowsIsLookedFor() async throws {
        try await withPair { leader, follower in
            leader.store.trouble(.ambiguous, at: .submit)
            let outcome = try await outcome(of: .commit(.named("a", 2), pretend: false), at: follower)
            #expect(outcome == .success(.details("Managing a")))
            #expect(leader.store.requests.count == 1 && leader.store.revisions.count == 2)
        }
    }

    @Test func readsArePassedOnToNobody() async throws {
        try await withPair { leader, follower in
            guard case .success(.storedGroups([.named("a")], _)) = await follower.outcome(of: .inspect) else {
                throw NeverCame(description: "the groups from the store")
            }
            for request in [
                GroupRequest.describe(id: "a"), .size(id: "a"), .describeUpdate(.named("a", 2)),
                .commit(.named("a", 2), pretend: true),
            ] {
                let error = try #require(await follower.error(request))
                #expect(error.code == .notLeader && error.message.contains("one leads"), "\(request): \(error)")
            }
            #expect(leader.store.requests.isEmpty)
        }
    }

    @Test func writesAreRefusedUnlessSomebodyAskedForIt() async throws {
        #expect(try TermSettings(election: ElectionSettings(), pluginName: "p").forwardsWrites == false)
        try await withPair(forwards: false) { leader, follower in
            let refused = try await outcome(of: .free(id: "a"), at: follower)
            guard case .failure(let error) = refused else { throw NeverCame(description: "\(refused)") }
            #expect(error.code == .notLeader && error.message.contains("one leads"))
            #expect(leader.store.requests.isEmpty && leader.plugin.watched == ["a"])
        }
    }

    /// The leader carries its own callers' writes out itself.
    @Test func theLeaderPassesNothingOn() async throws {
        try await withReplica(adjust: Self.forward) { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            #expect(replica.store.requests.isEmpty && replica.plugin.watched == ["a"])
        }
    }
}
