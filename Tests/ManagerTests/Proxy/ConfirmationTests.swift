import GroupSPI
import Store
import Testing

@testable import Manager

/// Revisions that are undone unless somebody confirms them in time.
struct ConfirmationTests {
    /// A hundred seconds by the wall clock, of which the test itself takes a few.
    private static let allowed = 100_000

    private func entry(_ group: Identifier, _ version: Int) -> GlobalConfig.Entry {
        GlobalConfig.Entry(spec: .named(group, version), plugin: "")
    }

    /// Revision 5: a changed, d new. Waits until both stand.
    private func commitUnconfirmed(_ replica: Replica) async throws {
        replica.store.submit(
            Request(
                id: "r",
                kind: .commit([entry("a", 9), entry("d", 9)], expectedCurrent: nil, confirmWithin: Self.allowed),
                author: Author(user: "bob", uid: 8, host: "there")
            )
        )
        let request = try await replica.end(of: "r")
        #expect(request.revision == 5)
        #expect(replica.plugin.groups["a"] == .named("a", 9) && replica.plugin.groups["d"] == .named("d", 9))
        #expect(replica.store.confirmation(of: 5) == .waiting)
    }

    private func letTimePass(_ duration: Duration, _ replica: Replica) async throws {
        try await pass(duration, on: replica.clock, step: .milliseconds(500))
    }

    private func eventuallyLater(_ what: String, _ replica: Replica, _ condition: () async throws -> Bool) async throws
    {
        try await eventually(what, on: replica.clock, step: .milliseconds(500), condition)
    }

    @Test func whatNobodyConfirmsIsUndone() async throws {
        try await Replica.withHistory { replica in
            let start = replica.clock.now()
            try await commitUnconfirmed(replica)
            try await eventuallyLater("it is undone", replica) {
                replica.store.revisions.count == 6 && replica.store.revisions[5].status == .applied
            }
            #expect(replica.clock.now() - start > .seconds(60), "too early")
            #expect(replica.clock.now() - start < .seconds(110), "too late")
            let revision = replica.store.revisions[5]
            #expect(revision.operation == .rollback && revision.target == 4)
            #expect(revision.message == "revision 5 was not confirmed within 1m40s")
            #expect(revision.author.user == "bob")
            #expect(
                revision.changes.map(\.action) == [
                    .set(GroupSpec.named("a", 1).properties, plugin: "group-stateless"), .free,
                ]
            )
            // d was not there before: let go, never destroyed.
            #expect(replica.plugin.groups == ["a": .named("a", 1), "b": .named("b", 2), "c": .named("c", 1)])
            #expect(replica.plugin.done.contains(.free(id: "d")) && !replica.plugin.done.contains(.destroy(id: "d")))
            #expect(replica.store.confirmation(of: 5) == .reverted)
            try await letTimePass(.seconds(120), replica)
            #expect(replica.store.revisions.count == 6)
        }
    }

    @Test func whatIsConfirmedStays() async throws {
        try await Replica.withHistory { replica in
            try await commitUnconfirmed(replica)
            try await letTimePass(.seconds(40), replica)
            try replica.store.confirm(5)
            try await letTimePass(.seconds(120), replica)
            #expect(replica.store.revisions.count == 5 && replica.store.confirmation(of: 5) == .confirmed)
            #expect(replica.plugin.groups["a"] == .named("a", 9) && replica.plugin.groups["d"] == .named("d", 9))
        }
    }

    /// Between the leader's look and its revision.
    @Test func whatIsConfirmedAtTheLastMomentStays() async throws {
        try await Replica.withHistory { replica in
            try await commitUnconfirmed(replica)
            let gate = Gate()
            replica.store.trouble(.late(gate), at: .states)
            try await eventuallyLater("the leader sets about undoing it", replica) { gate.waiting >= 1 }
            try replica.store.confirm(5)
            replica.store.trouble(nil, at: .states)
            gate.open()
            try await letTimePass(.seconds(30), replica)
            #expect(replica.store.revisions.count == 5 && replica.store.confirmation(of: 5) == .confirmed)
            #expect(replica.plugin.groups["a"] == .named("a", 9))
            #expect(replica.store.lease.epoch == 1 && replica.standing.role == .leader)
        }
    }

    /// It was asked while the other was being stored: what stands is looked at when it is decided.
    @Test func whatIsBeingStoredToBeConfirmedDoesNotStandForGood() async throws {
        try await Replica.withHistory { replica in
            let author = Author(user: "bob", uid: 8, host: "there")
            func submit(_ id: String, _ allowed: Int?) {
                let kind = Request.Kind.commit([entry("a", 9)], expectedCurrent: nil, confirmWithin: allowed)
                replica.store.submit(Request(id: id, kind: kind, author: author))
            }
            let gate = Gate()
            replica.store.trouble(.hang(gate), at: .append)
            submit("first", Self.allowed)
            try await eventuallyLater("the first is being stored", replica) { gate.waiting == 1 }
            submit("second", nil)
            try await eventuallyLater("the second waits for it", replica) {
                replica.store.request("second")?.waitsFor != nil
            }
            replica.store.trouble(nil, at: .append)
            gate.open()
            #expect(try await replica.end(of: "first").revision == 5)
            #expect(try await replica.end(of: "second").revision == 6)
            try await letTimePass(.seconds(120), replica)
            #expect(replica.plugin.groups["a"] == .named("a", 9))
        }
    }

    private func commit(_ replica: Replica, _ version: Int, confirmWithin allowed: Int, as id: String) async throws {
        let kind = Request.Kind.commit([entry("a", version)], expectedCurrent: nil, confirmWithin: allowed)
        replica.store.submit(Request(id: id, kind: kind, author: Author(user: "bob", uid: 8, host: "there")))
        _ = try await replica.end(of: id)
        #expect(replica.plugin.groups["a"] == .named("a", version))
    }

    /// One follows the other: neither stands in the end, whichever has more time.
    @Test(arguments: [(100_000, 200_000), (200_000, 100_000)])
    func whatNobodyConfirmsIsNotRestoredEither(_ first: Int, _ second: Int) async throws {
        try await Replica.withHistory { replica in
            try await commit(replica, 8, confirmWithin: first, as: "r5")
            try await commit(replica, 9, confirmWithin: second, as: "r6")
            try await eventuallyLater("the time of the first is over", replica) {
                replica.store.confirmation(of: 5) != .waiting || replica.store.confirmation(of: 6) != .waiting
            }
            try await eventuallyLater("what has more time still stands", replica) {
                replica.plugin.groups["a"] == .named("a", first > second ? 8 : 9)
            }
            try await eventuallyLater("the time of both is over", replica) {
                replica.store.confirmation(of: 5) != .waiting && replica.store.confirmation(of: 6) != .waiting
            }
            try await eventuallyLater("what stood before them stands", replica) {
                replica.plugin.groups["a"] == .named("a", 1)
            }
            try await letTimePass(.seconds(30), replica)
            #expect(replica.plugin.groups["a"] == .named("a", 1))
        }
    }

    /// What was confirmed is gone back to.
    @Test func whatWasConfirmedIsRestored() async throws {
        try await Replica.withHistory { replica in
            try await commit(replica, 8, confirmWithin: 200_000, as: "r5")
            try await commit(replica, 9, confirmWithin: 100_000, as: "r6")
            try replica.store.confirm(5)
            try await eventuallyLater("the other is undone", replica) { replica.store.confirmation(of: 6) == .reverted }
            try await letTimePass(.seconds(150), replica)
            #expect(replica.plugin.groups["a"] == .named("a", 8))
        }
    }

    @Test func whatLaterRevisionsHaveChangedStays() async throws {
        try await Replica.withHistory { replica in
            try await commitUnconfirmed(replica)
            _ = try await replica.commit("a", 10)
            try await eventuallyLater("the rest is undone", replica) {
                replica.store.revisions.count == 7 && replica.store.revisions[6].status == .applied
            }
            #expect(replica.store.revisions[6].changes.map(\.group) == ["d"])
            #expect(replica.plugin.groups["a"] == .named("a", 10) && replica.plugin.groups["d"] == nil)
            #expect(replica.store.confirmation(of: 5) == .reverted)
        }
    }

    @Test func whenLaterRevisionsHaveChangedAllOfItThereIsNothingToUndo() async throws {
        try await Replica.withHistory { replica in
            try await commitUnconfirmed(replica)
            _ = try await replica.commit("a", 10)
            _ = try await replica.call(.free(id: "d"))
            try await eventuallyLater("it is over", replica) { replica.store.confirmation(of: 5) != .waiting }
            #expect(replica.store.confirmation(of: 5) == .overtaken)
            try await letTimePass(.seconds(20), replica)
            #expect(replica.store.revisions.count == 7)
            #expect(replica.plugin.groups["a"] == .named("a", 10))
        }
    }

    @Test func itIsUndoneOnceAlthoughTheLeaderChanges() async throws {
        try await Replica.withHistory { replica in
            try await commitUnconfirmed(replica)
            let gate = Gate()
            replica.plugin.script { $0 == .commit(.named("a", 1), pretend: false) ? .hang(gate) : nil }
            try await eventuallyLater("the leader is undoing it", replica) { gate.waiting == 1 }
            #expect(replica.store.revisions.count == 6 && replica.store.confirmation(of: 5) == .reverted)
            replica.plugin.behave()
            try await replica.loseAndLeadAgain()
            try await eventually("the next term finishes it", on: replica.clock) {
                replica.store.revisions[5].status == .applied
                    && replica.plugin.groups == ["a": .named("a", 1), "b": .named("b", 2), "c": .named("c", 1)]
            }
            try await letTimePass(.seconds(120), replica)
            #expect(replica.store.revisions.count == 6)
        }
    }

    /// The store fails while it is undone: the next look tries again.
    @Test func itIsUndoneWhenTheStoreCan() async throws {
        try await Replica.withHistory { replica in
            try await commitUnconfirmed(replica)
            let tries = replica.store.count(.append)
            replica.store.trouble(.fail(.busy), at: .append)
            try await eventuallyLater("it was tried twice", replica) { replica.store.count(.append) >= tries + 2 }
            #expect(replica.store.revisions.count == 5 && replica.store.confirmation(of: 5) == .waiting)
            replica.store.trouble(nil, at: .append)
            try await eventuallyLater("it is undone", replica) { replica.store.revisions.count == 6 }
            #expect(replica.store.lease.epoch == 1)
        }
    }

    /// The plugin cannot undo it now. Nobody would ask again, so this leader does, and the next one, until it can.
    @Test(arguments: [false, true]) func aPluginThatRefusesToUndoItIsAskedUntilItAgrees(_ hasNextLeader: Bool)
        async throws
    {
        try await Replica.withHistory { replica in
            try await commitUnconfirmed(replica)
            let notNow = GroupError(.rejected, "not now")
            replica.plugin.script { $0.isCommit || $0 == .free(id: "d") ? .fail(notNow) : nil }
            let calls = replica.plugin.calls.count
            try await eventuallyLater("it is to be undone", replica) { replica.store.revisions.count == 6 }
            try await eventuallyLater("the plugin is asked again", replica) {
                replica.plugin.calls.dropFirst(calls).count { $0 == .commit(.named("a", 1), pretend: false) } > 2
            }
            if hasNextLeader {
                // What is let go at that is let go; to undo is what it refuses.
                replica.plugin.script { $0.isCommit ? .fail(notNow) : nil }
                try await replica.leadAgain()
                // This one does not answer, which changes nothing for the one after it.
                replica.plugin.script { $0.isCommit ? .fail(GroupError(.unknownOutcome, "no answer")) : nil }
                try await letTimePass(.seconds(20), replica)
                // What the plugin has done is not known: so its lease runs out.
                try await replica.loseAndLeadAgain()
                replica.plugin.script { $0.isCommit ? .fail(notNow) : nil }
                try await letTimePass(.seconds(20), replica)
            }
            #expect(replica.store.revisions[5].status == .pending)
            replica.plugin.behave()
            try await eventuallyLater("it is undone", replica) { replica.store.revisions[5].status == .applied }
            #expect(replica.plugin.groups["a"] == .named("a", 1) && replica.plugin.groups["d"] == nil)
            // The next leader's plugin gets the others when their turn comes, which nothing orders after that.
            let groups: [Identifier: GroupSpec] = ["a": .named("a", 1), "b": .named("b", 2), "c": .named("c", 1)]
            try await eventuallyLater("its plugin has the other groups", replica) { replica.plugin.groups == groups }
            #expect(replica.store.revisions.count == 6)
        }
    }

    // MARK: - Clocks

    /// The leader's clock is set an hour ahead, and then a day back.
    @Test func aClockThatIsSetChangesNothing() async throws {
        try await Replica.withHistory { replica in
            let start = replica.clock.now()
            try await commitUnconfirmed(replica)
            replica.clock.setWall(3_600_000)
            try await letTimePass(.seconds(80), replica)
            #expect(replica.store.revisions.count == 5, "undone before its time")
            replica.clock.setWall(-86_400_000)
            try await eventuallyLater("it is undone", replica) { replica.store.revisions.count == 6 }
            #expect(replica.clock.now() - start >= .milliseconds(Self.allowed), "too early")
            #expect(replica.clock.now() - start < .seconds(112), "too late")
        }
    }

    /// On the way another leads for a while, whose clock is an hour ahead.
    @Test func aHandOverChangesNothing() async throws {
        try await Replica.withHistory { replica in
            let start = replica.clock.now()
            try await commitUnconfirmed(replica)
            try await letTimePass(.seconds(40), replica)
            replica.clock.setWall(3_600_000)
            try await replica.leadAgain()
            try await letTimePass(.seconds(30), replica)
            #expect(replica.store.revisions.count == 5, "undone before its time")
            try await eventuallyLater("it is undone", replica) { replica.store.revisions.count == 6 }
            #expect(replica.clock.now() - start >= .milliseconds(Self.allowed), "too early")
            // Twice two looks: until it counts, and until it is seen to be over; and those before the lease was had again.
            #expect(replica.clock.now() - start < .seconds(130), "the time began anew")
        }
    }

    // MARK: - What the leader before has left

    /// Revisions 1 and 2: a, then a changed, to be confirmed.
    ///
    /// - Parameters:
    ///   - used: how much of the time was seen to pass, in milliseconds.
    ///   - deadline: from now, by the wall clock.
    private func withUnconfirmed(
        used: Int?,
        deadline: Int,
        _ body: (Replica) async throws -> Void
    ) async throws {
        let prepare = { (store: MemoryStore, _: FakePlugin) in
            for version in [1, 2] {
                let properties = GroupSpec.named("a", version).properties
                store.put(Change(group: "a", action: .set(properties, plugin: "group-stateless"), status: .applied))
            }
            let deadline = store.clock.wallTime() + deadline
            store.leaveUnconfirmed(2, allowed: 600_000, deadline: deadline, used: used)
        }
        try await withReplica(prepare: prepare) { replica in
            try await replica.leads()
            try await body(replica)
        }
    }

    /// Whatever the deadline says that was stored for people.
    @Test(arguments: [-10_000_000, 0, 100_000, 10_000_000])
    func theNextLeaderWaitsForTheRestOfTheTime(_ deadline: Int) async throws {
        try await withUnconfirmed(used: 500_000, deadline: deadline) { replica in
            let start = replica.clock.now()
            try await eventuallyLater("it is undone", replica) { replica.store.revisions.count == 3 }
            #expect(replica.clock.now() - start > .seconds(60), "too early")
            #expect(replica.clock.now() - start < .seconds(110), "the time began anew")
            try await eventually("the plugin is told", on: replica.clock) {
                replica.plugin.groups["a"] == .named("a", 1)
            }
        }
    }

    @Test func whatIsOverdueIsUndoneAtOnce() async throws {
        try await withUnconfirmed(used: 600_000, deadline: 10_000_000) { replica in
            let start = replica.clock.now()
            try await eventually("it is undone", on: replica.clock) { replica.store.revisions.count == 3 }
            #expect(replica.clock.now() - start < .seconds(20))
        }
    }

    /// The leader that stored it has not come to its next renewal.
    @Test func whatNobodyHasSeenYetHasAllOfItsTime() async throws {
        try await withUnconfirmed(used: nil, deadline: -10_000_000) { replica in
            let start = replica.clock.now()
            try await eventuallyLater("it is undone", replica) { replica.store.revisions.count == 3 }
            #expect(replica.clock.now() - start > .seconds(600) && replica.clock.now() - start < .seconds(620))
        }
    }
}
