import GroupSPI
import Store
import Testing

@testable import Manager

/// What a replica does when it ceases to lead.
struct LossTests {
    @Test func cancelsWhatIsUnderWayAndLetsEverythingGo() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group: Identifier in ["a", "b"] { _ = try await replica.commit(group) }
            replica.plugin.put(.named("unknown"))
            let gate = Gate()
            replica.plugin.script { $0.isCommit ? .hang(gate) : nil }
            async let write = replica.error(.commit(.named("c"), pretend: false))
            try await eventually("the plugin is being told") { gate.waiting == 1 }
            replica.store.seize(by: Replica.candidate("two"))
            try await eventually("they are free", on: replica.clock) { replica.plugin.watched == ["unknown"] }
            let error = try #require(await write)
            #expect(error.code == .pending && error.message.contains("revision 3"))
            #expect(gate.waiting == 0)
            // Its groups go; the revision is the next leader's.
            #expect(replica.store.revisions.map(\.status) == [.applied, .applied, .pending])
            // Not its lease to give back.
            #expect(replica.store.lease.holder == "two")
            try await eventually("it names the leader", on: replica.clock) {
                await replica.error(.watch(.named("d")))?.message.contains("two leads (epoch 2)") == true
            }
        }
    }

    @Test func doesNotGiveUpUntilAllAreFree() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group: Identifier in ["a", "b", "c"] { _ = try await replica.commit(group) }
            replica.plugin.script {
                $0 == .free(id: "b") || $0 == .inspect ? .fail(GroupError(.unknownOutcome, "lost")) : nil
            }
            replica.orphanGuard.inhibit("not now")
            try await eventually("it has tried often", on: replica.clock) {
                replica.plugin.calls.count { $0 == .free(id: "b") } > 10
            }
            #expect(replica.plugin.watched == ["b"])
            #expect(replica.store.count(.release) == 0)
            #expect(!replica.orphanGuard.orders.contains(.disarm))
            replica.plugin.behave()
            try await eventually("it gives the lease back", on: replica.clock) { replica.store.count(.release) == 1 }
            #expect(replica.plugin.watched.isEmpty)
            #expect(replica.orphanGuard.orders.last == .disarm)
        }
    }

    /// Somebody puts another file, or the newer one, in its place: for a moment there is none, and nothing was stored meanwhile.
    @Test(
        arguments: [
            StoreError.Code.missing, .directoryMissing, .empty, .foreign, .notADatabase, .busy, .full, .corrupt,
        ],
        [[MemoryStore.Call.renew], [.outcomes], [.finish, .requests]]
    )
    func whatIsAwayForAMomentEndsNoTerm(_ code: StoreError.Code, _ calls: [MemoryStore.Call]) async throws {
        try await withReplica { replica in
            try await replica.leads()
            for call in calls { replica.store.trouble(.fail(code), at: call) }
            let before = replica.store.count(.renew)
            _ = await replica.error(.commit(.named("a"), pretend: false))
            try await eventually("it has renewed, or tried to", on: replica.clock) {
                replica.store.count(.renew) > before + 1
            }
            for call in calls { replica.store.trouble(nil, at: call) }
            try await eventually("all is stored", on: replica.clock) {
                replica.store.revisions.map(\.status) == [.applied]
            }
            #expect(replica.standing.role == .leader && replica.store.lease.epoch == 1)
            #expect(replica.store.count(.release) == 0 && replica.plugin.watched == ["a"])
        }
    }

    /// The store hangs in the kernel; the groups must be free all the same before anybody else may lead.
    @Test func aStoreThatHangsDoesNotHoldTheGroupsBack() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group: Identifier in ["a", "b"] { _ = try await replica.commit(group) }
            let gate = Gate()
            replica.store.trouble(
                .hang(gate),
                at: .lease,
                .acquire,
                .renew,
                .release,
                .append,
                .outcomes,
                .states,
                .summary,
                .requests,
                .finish
            )
            let start = replica.clock.now()
            try await eventually("they are free", on: replica.clock) { replica.plugin.watched.isEmpty }
            // The ttl counts from the last renewal, which was before the store began to hang.
            #expect(replica.clock.now() - start < .seconds(88))
            #expect(replica.clock.now() - start > .seconds(55))
            // Who leads is asked of the store, for a short while.
            let refusal = Shared<GroupError.Code?>(nil)
            async let refused: Void = {
                let error = await replica.error(.watch(.named("c")))
                refusal.update { $0 = error?.code }
            }()
            try await eventually("it is refused", on: replica.clock) { refusal.value != nil }
            await refused
            #expect(refusal.value == .notLeader)
            gate.open()
            replica.store.trouble(
                nil,
                at: .lease,
                .acquire,
                .renew,
                .release,
                .append,
                .outcomes,
                .states,
                .summary,
                .requests,
                .finish
            )
            try await eventually("it leads again", on: replica.clock) { replica.plugin.watched == ["a", "b"] }
        }
    }

    @Test func nothingIsToldToThePluginAfterTheDeadline() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            let gate = Gate()
            replica.store.trouble(.late(gate), at: .append)
            async let write = replica.error(.commit(.named("b"), pretend: false))
            try await eventually("it is being stored") { gate.waiting == 1 }
            // As if the process had been stopped: nobody has told anybody that the lease is over.
            let epoch = replica.runtime.actingEpoch
            replica.clock.advance(by: .seconds(61))
            #expect(epoch == 1 && replica.runtime.actingEpoch == nil)
            gate.open()
            #expect(await write?.code != nil)
            // Letting it go, which the end of the term does, is all that may be said of it.
            #expect(!replica.plugin.calls.contains { $0.groupID == "b" && !$0.isFree })
        }
    }

    /// A call that was cancelled may be carried out all the same, after the groups were let go.
    @Test func whatLandsLateIsLetGoToo() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            let gate = Gate()
            replica.plugin.script { $0.isCommit ? .hangStubbornly(gate) : nil }
            async let write = replica.error(.commit(.named("late"), pretend: false))
            try await eventually("the plugin is being told") { gate.waiting == 1 }
            replica.orphanGuard.inhibit("not now")
            // It does not wait for the call...
            try await eventually("the first is free") { replica.plugin.watched.isEmpty }
            #expect(replica.store.count(.release) == 0)
            gate.open()
            // ... and comes back for what it has done.
            try await eventually("it gives the lease back") { replica.store.count(.release) == 1 }
            #expect(replica.plugin.done.contains(.commit(.named("late"), pretend: false)))
            #expect(replica.plugin.watched.isEmpty)
            _ = await write
        }
    }

    /// The plugin tells what it watches, and to let go goes unanswered: that is no refusal, and the lease is not given away.
    @Test func whatIsNotKnownToBeFreeIsNotReleased() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            replica.plugin.script { $0.isFree ? .fail(GroupError(.unknownOutcome, "no answer")) : nil }
            replica.orphanGuard.inhibit("not now")
            try await pass(.seconds(300), on: replica.clock)
            #expect(replica.store.count(.release) == 0 && replica.plugin.watched == ["a"])
            replica.plugin.behave()
            try await eventually("it is free", on: replica.clock) { replica.plugin.watched.isEmpty }
        }
    }

    @Test func aFreeNeverLandsAfterAWatchOfTheNextTerm() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group: Identifier in ["a", "b", "c"] { _ = try await replica.commit(group) }
            let gate = Gate()
            replica.plugin.script { $0.isFree ? .hangForEver(gate) : nil }
            replica.orphanGuard.inhibit("not now")
            try await eventually("it frees") { gate.waiting == 3 }
            replica.orphanGuard.inhibit(nil)
            // The lease runs out meanwhile, and is taken anew.
            try await eventually("it leads again", on: replica.clock, step: .milliseconds(500)) {
                replica.holdsLease && replica.store.lease.epoch == 2
            }
            try await pass(.seconds(5), on: replica.clock)
            #expect(gate.waiting == 3)
            #expect(replica.plugin.count(\.isCommit) == 3)
            gate.open()
            try await eventually("the new term watches") { replica.plugin.count(\.isCommit) == 6 }
            try await eventually("all calls have ended") { replica.plugin.inFlight == 0 }
            #expect(replica.plugin.watched == ["a", "b", "c"])
            let firstCommit = replica.plugin.done.lastIndex { !$0.isCommit && $0 != .inspect } ?? 0
            #expect(replica.plugin.done[firstCommit...].count(where: \.isCommit) == 3)
        }
    }

    /// A term that was over before it could begin leaves nothing of the one before it behind.
    @Test func aTermThatNeverBeganStillLetsGoWhatTheOneBeforeItHad() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group: Identifier in ["a", "b"] { _ = try await replica.commit(group) }
            let gate = Gate()
            replica.plugin.script { $0.isFree ? .hangForEver(gate) : nil }
            replica.orphanGuard.inhibit("not now")
            try await eventually("it frees") { gate.waiting == 2 }
            replica.orphanGuard.inhibit(nil)
            try await eventually("it leads again", on: replica.clock, step: .milliseconds(500)) {
                replica.holdsLease && replica.store.lease.epoch == 2
            }
            // The beginning of the second term ends the letting go of the first, and waits for that; then it is over too.
            replica.orphanGuard.inhibit("not now")
            try await eventually("it does not lead") { replica.standing.role == .follower }
            try await pass(.seconds(10), on: replica.clock)
            #expect(replica.store.count(.release) == 0)
            #expect(replica.plugin.watched == ["a", "b"])
            replica.plugin.behave()
            gate.open()
            try await eventually("it gives the lease back", on: replica.clock) { replica.store.count(.release) == 1 }
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    @Test func aFencedWriteStoresNothingAndNamesTheLeader() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.seize(by: Replica.candidate("two"))
            let error = try #require(await replica.error(.watch(.named("a"))))
            #expect(error.code == .notLeader)
            #expect(error.message.contains("two leads in epoch 2"))
            #expect(replica.store.revisions.isEmpty)
            #expect(!replica.plugin.calls.contains { $0.groupID == "a" })
            try await eventually("it steps down") { replica.standing.role != .leader }
        }
    }

    /// Stored in one term, answered in the next: nobody in this term knows of it, so nobody may tell the plugin.
    @Test func aWriteThatOutlivesItsTermIsLeftToTheNext() async throws {
        try await withReplica { replica in
            try await replica.leads()
            let gate = Gate()
            replica.store.trouble(.late(gate), at: .append)
            async let write = replica.error(.watch(.named("a")))
            try await eventually("it is stored") { gate.waiting == 1 }
            replica.store.trouble(nil, at: .append)
            replica.orphanGuard.inhibit("not now")
            try await eventually("it does not lead") { replica.store.count(.release) == 1 }
            replica.orphanGuard.inhibit(nil)
            try await eventually("the next term carries it out", on: replica.clock) {
                replica.store.revisions[0].status == .applied
            }
            let commits = replica.plugin.calls.filter { $0.groupID == "a" && !$0.isFree }
            gate.open()
            let error = try #require(await write)
            #expect(error.code == .pending && error.message.contains("revision 1"))
            #expect(replica.plugin.calls.filter { $0.groupID == "a" && !$0.isFree } == commits)
            // And the next term still knows what it is doing.
            replica.plugin.forget()
            try await eventually("it is watched again", on: replica.clock) { replica.plugin.watched == ["a"] }
        }
    }

    @Test func callsThatChangeSomethingEndWithTheTerm() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            let gate = Gate()
            replica.plugin.script { if case .destroyInstances = $0 { .hang(gate) } else { nil } }
            async let error = replica.error(.destroyInstances(id: "a", ["x"]))
            try await eventually("the plugin is being told") { gate.waiting == 1 }
            replica.orphanGuard.inhibit("not now")
            // The smaller size was stored before: the next leader has it.
            let ended = try #require(await error)
            #expect(ended.code == .pending && ended.message.contains("revision 2"), "\(ended)")
        }
    }

    @Test func armsItsGuardWithEachDeadline() async throws {
        try await withReplica { replica in
            let start = replica.clock.now()
            try await replica.leads()
            let guardian = replica.orphanGuard
            try await eventually("the guard is armed") { guardian.orders.first == .arm(start + .seconds(60)) }
            try await eventually("the guard's deadline moves", on: replica.clock, step: .milliseconds(20)) {
                guardian.orders.count > 3
            }
            let deadlines = guardian.orders.compactMap { order -> BootInstant? in
                if case .arm(let deadline) = order { deadline } else { nil }
            }
            #expect(deadlines == deadlines.sorted() && Set(deadlines).count == deadlines.count)
        }
    }
}
