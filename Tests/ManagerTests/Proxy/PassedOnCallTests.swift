import GroupSPI
import Store
import Testing

@testable import Manager

/// Calls that another replica passes on to the leader, through the store.
struct PassedOnCallTests {
    private static let bob = Author(user: "bob", uid: 8, host: "there")

    private func call(_ call: GroupRequest, id: String = "w") -> Request {
        Request(id: id, kind: .write(call), author: Self.bob, patience: 30_000)
    }

    /// Waits for its answer.
    private func answer(_ id: String = "w", _ replica: Replica) async throws -> Request {
        try await eventually("the call is answered", on: replica.clock) { replica.store.request(id)?.answer != nil }
        return try #require(replica.store.request(id))
    }

    @Test(
        arguments: [
            (.watch(.named("d")), .ok, .watch), (.update(.named("a", 2)), .ok, .update),
            (.commit(.named("a", 2), pretend: false), .details("Managing a"), .commit),
            (.free(id: "b"), .ok, .free), (.unwatch(id: "b"), .ok, .free), (.destroy(id: "c"), .ok, .destroy),
            (.setSize(id: "a", 4), .ok, .commit),
        ] as [(GroupRequest, GroupReply, Operation)]
    )
    func oneThatIsStoredIsAnsweredWithThePluginsWords(
        _ request: GroupRequest,
        _ reply: GroupReply,
        _ operation: Operation
    ) async throws {
        try await Replica.withHistory { replica in
            replica.store.submit(call(request))
            let ended = try await answer("w", replica)
            #expect(ended.answer == .success(reply))
            #expect(ended.state == .done && ended.revision == 5)
            let revision = try #require(replica.store.revisions.last)
            #expect(revision.number == 5 && revision.operation == operation && revision.status == .applied)
            // The history names who asked, not who passed it on.
            #expect(revision.author == Self.bob && revision.groups == [request.groupID])
            try await pass(.seconds(5), on: replica.clock)
            #expect(replica.store.revisions.count == 5)
        }
    }

    /// A plugin that lowers the size by what it has destroyed is followed, in the name of whoever asked.
    @Test func instancesThatWereDestroyedAreInTheHistory() async throws {
        try await Replica.withHistory { replica in
            _ = try await replica.call(.commit(.named("a", 5), pretend: false))
            #expect(try await replica.call(.destroyInstances(id: "a", ["i-1", "i-2"])) == .ok)
            try await eventually("it is settled", on: replica.clock) {
                replica.store.revisions.last?.status == .applied
            }
            let revision = try #require(replica.store.revisions.last)
            #expect(revision.number == 6 && revision.operation == .commit && revision.author.user == "ann")
            #expect(revision.message == "destroyed i-1, i-2")
            #expect(
                revision.changes.map(\.action) == [.set(GroupSpec.named("a", 3).properties, plugin: "group-stateless")]
            )
            #expect(replica.plugin.groups["a"] == .named("a", 3))
            // One that starts others in their places keeps its size, and so does the history.
            replica.plugin.script { if case .destroyInstances = $0 { .ignore(.ok) } else { nil } }
            for _ in 0..<2 {
                #expect(try await replica.call(.destroyInstances(id: "a", ["i-3"])) == .ok)
                // That is known only after the first time. What it has not done is not in effect, and warns nobody.
                try await eventually("all is settled", on: replica.clock) {
                    replica.store.revisions.allSatisfy { $0.status != .pending }
                }
                #expect(replica.store.revisions.map(\.status).suffix(3) == [.applied, .rejected, .applied])
                #expect(replica.store.revisions.count == 8)
                #expect(replica.store.revisions.last?.changes.map(\.action) == revision.changes.map(\.action))
                #expect(replica.plugin.groups["a"] == .named("a", 3))
            }
        }
    }

    /// The leader ends when the plugin has destroyed them: the next one has the smaller size, also where another plugin is told.
    @Test func theNextLeaderHasTheSmallerSize() async throws {
        try await Replica.withHistory { replica in
            _ = try await replica.call(.commit(.named("a", 5), pretend: false))
            let gate = Gate()
            replica.plugin.script { if case .size = $0 { .hang(gate) } else { nil } }
            async let answer = replica.error(.destroyInstances(id: "a", ["i-1", "i-2"]))
            try await eventually("they are destroyed", on: replica.clock, step: .milliseconds(20)) { gate.waiting == 1 }
            #expect(replica.store.revisions.count == 6)
            replica.plugin.behave()
            replica.plugin.forget()
            try await replica.loseAndLeadAgain()
            _ = await answer
            try await eventually("the plugin is told", on: replica.clock) {
                replica.plugin.groups["a"] == .named("a", 3)
            }
            try await eventually("it is settled", on: replica.clock) { replica.store.revisions[5].status == .applied }
            #expect(replica.plugin.count { if case .destroyInstances = $0 { true } else { false } } == 1)
        }
    }

    /// Nobody has declared it, and the plugin does not have it: it is mistyped.
    @Test func aGroupThatNobodyKnowsIsNotDestroyed() async throws {
        try await Replica.withHistory { replica in
            #expect(await replica.error(.destroy(id: "catle")) == .notWatched("catle"))
            #expect(replica.store.revisions.count == 4)
            // What the plugin has all the same, can be.
            replica.plugin.put(.named("stray"))
            #expect(await replica.error(.destroy(id: "stray")) == nil)
            #expect(replica.store.revisions.count == 5)
            // Once destroyed, it is not there any more.
            #expect(await replica.error(.destroy(id: "stray")) == .notWatched("stray"))
            #expect(replica.store.revisions.count == 5)
        }
    }

    @Test func thePluginsRefusalIsPassedBackInItsWords() async throws {
        try await Replica.withHistory { replica in
            replica.plugin.script { request in
                request == .commit(.named("a", 9), pretend: false) ? .fail(GroupError(.rejected, "no room")) : nil
            }
            replica.store.submit(call(.commit(.named("a", 9), pretend: false)))
            let ended = try await answer("w", replica)
            #expect(ended.answer == .failure(GroupError(.rejected, "no room")))
            #expect(ended.revision == 5 && replica.store.revisions[4].status == .rejected)
            #expect(replica.plugin.groups["a"] == .named("a", 1))
        }
    }

    @Test(
        arguments: [
            (.watch(.named("")), GroupError(.rejected, "Group ID must not be blank")),
            (.commit(.named(""), pretend: false), GroupError(.rejected, "Group ID must not be blank")),
            (.setSize(id: "nobody", 3), .notWatched("nobody")),
        ] as [(GroupRequest, GroupError)]
    )
    func whatCannotBeIsRefusedBeforeItIsStored(_ request: GroupRequest, _ error: GroupError) async throws {
        try await Replica.withHistory { replica in
            let calls = replica.plugin.calls.count { $0 != .inspect }
            replica.store.submit(call(request))
            let ended = try await answer("w", replica)
            #expect(ended.answer == .failure(error) && ended.state == .done && ended.revision == nil)
            #expect(replica.store.revisions.count == 4)
            #expect(replica.plugin.calls.count { $0 != .inspect } == calls)
        }
    }

    @Test(
        arguments: [
            (.stopUpdate(id: "a"), .ok), (.destroyInstances(id: "a", ["x", "y"]), .ok),
            (.commit(.named("a", 9), pretend: true), .details("Managing a")),
        ] as [(GroupRequest, GroupReply)]
    )
    func oneThatIsNotStoredMakesNoRevision(_ request: GroupRequest, _ reply: GroupReply) async throws {
        try await Replica.withHistory { replica in
            replica.store.submit(call(request))
            let ended = try await answer("w", replica)
            #expect(ended.answer == .success(reply) && ended.state == .done && ended.revision == nil)
            try await pass(.seconds(5), on: replica.clock)
            #expect(replica.plugin.count { $0 == request } == 1)
            #expect(replica.store.revisions.count == 4 && replica.plugin.groups["a"] == .named("a", 1))
        }
    }

    /// Nothing tells the next leader whether it was carried out, so it must not try.
    @Test(
        arguments: [
            .stopUpdate(id: "a"), .destroyInstances(id: "a", ["x"]), .commit(.named("a", 9), pretend: true),
        ] as [GroupRequest]
    )
    func oneThatIsNotStoredIsCarriedOutAtMostOnce(_ request: GroupRequest) async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == request ? .hang(gate) : nil }
            replica.store.submit(call(request))
            try await eventually("it is under way", on: replica.clock, step: .milliseconds(20)) { gate.waiting == 1 }
            #expect(replica.store.request("w")?.state == .done, "it could be taken up again")
            replica.plugin.behave()
            try await replica.leadAgain()
            try await pass(.seconds(10), on: replica.clock)
            #expect(replica.plugin.count { $0 == request } == 1)
        }
    }

    @Test func oneThatIsNotStoredWaitsUntilItCanBeClosed() async throws {
        try await Replica.withHistory { replica in
            replica.store.trouble(.fail(.busy), at: .finish)
            replica.store.submit(call(.stopUpdate(id: "a")))
            try await eventually("it was tried twice", on: replica.clock) { replica.store.count(.finish) >= 2 }
            #expect(replica.plugin.count { $0 == .stopUpdate(id: "a") } == 0)
            replica.store.trouble(nil, at: .finish)
            _ = try await answer("w", replica)
            #expect(replica.plugin.count { $0 == .stopUpdate(id: "a") } == 1)
        }
    }

    /// The leader ends between storing and answering.
    @Test func theNextTermBringsAboutWhatIsStored() async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .commit(.named("a", 5), pretend: false) ? .hang(gate) : nil }
            replica.store.trouble(.fail(.io), at: .answer)
            replica.store.submit(call(.commit(.named("a", 5), pretend: false)))
            try await eventually("it is under way", on: replica.clock, step: .milliseconds(20)) { gate.waiting == 1 }
            #expect(replica.store.request("w")?.revision == 5)
            replica.plugin.behave()
            try await replica.loseAndLeadAgain()
            try await eventually("it is brought about", on: replica.clock) {
                replica.store.revisions[4].status == .applied
            }
            #expect(replica.plugin.groups["a"] == .named("a", 5) && replica.store.revisions.count == 5)
        }
    }

    /// It could not be stored: nothing was changed, and whoever leads next tries again, once.
    @Test func whatCouldNotBeStoredWaits() async throws {
        try await Replica.withHistory { replica in
            replica.store.trouble(.fail(.busy), at: .append)
            let tries = replica.store.count(.append)
            replica.store.submit(call(.free(id: "b")))
            try await eventually("it was tried twice", on: replica.clock) { replica.store.count(.append) >= tries + 2 }
            #expect(replica.store.request("w")?.state == .waiting && replica.store.request("w")?.answer == nil)
            #expect(replica.plugin.watched == ["a", "b", "c"])
            replica.store.trouble(nil, at: .append)
            let ended = try await answer("w", replica)
            #expect(ended.answer == .success(.ok) && ended.revision == 5)
        }
    }

    // MARK: - Requests whose askers have given up

    private static let commit = Request.Kind.commit(
        [GlobalConfig.Entry(spec: .named("a", 9), plugin: "")],
        expectedCurrent: nil,
        confirmWithin: nil
    )

    private static let kinds: [Request.Kind] = [
        commit, .import([GlobalConfig.Entry(spec: .named("a", 9), plugin: "")]), .write(.free(id: "a")),
        .write(.stopUpdate(id: "a")), .rollback(to: 1, group: nil, expectedCurrent: nil), .stepDown,
    ]

    private func isUntouched(_ replica: Replica, epoch: Int) -> Bool {
        replica.store.revisions.count == 4 && replica.plugin.watched == ["a", "b", "c"]
            && replica.plugin.count { $0 == .stopUpdate(id: "a") } == 0
            && replica.store.lease.epoch == epoch && replica.standing.role == .leader
    }

    /// A process asked while another led, or nobody, and has ended since: what it wanted then may be the wrong thing now.
    @Test(arguments: kinds) func whatWasAskedInAnEarlierEpochIsNotCarriedOut(_ kind: Request.Kind) async throws {
        try await Replica.withHistory { replica in
            let released = replica.store.count(.release)
            replica.orphanGuard.inhibit("not now")
            try await eventually("nobody leads", on: replica.clock) { replica.store.count(.release) > released }
            replica.store.submit(Request(id: "old", kind: kind, author: Self.bob, patience: 30_000))
            replica.orphanGuard.inhibit(nil)
            try await eventually("it leads again", on: replica.clock) { replica.store.lease.epoch == 2 }
            let start = replica.clock.now()
            let ended = try await replica.end(of: "old")
            #expect(ended.state == .refused && ended.revision == nil)
            #expect(
                ended.error?.contains("the request was not processed within its timeout of 30s") == true,
                "\(ended)"
            )
            #expect(replica.clock.now() - start >= .seconds(30), "they may still have waited")
            #expect(isUntouched(replica, epoch: 2))
        }
    }

    /// They live, and have told so.
    @Test func whatIsAskedAgainInTheNewEpochIsCarriedOut() async throws {
        try await Replica.withHistory { replica in
            let released = replica.store.count(.release)
            replica.orphanGuard.inhibit("not now")
            try await eventually("nobody leads", on: replica.clock) { replica.store.count(.release) > released }
            replica.store.submit(Request(id: "r", kind: Self.commit, author: Self.bob, patience: 30_000))
            replica.orphanGuard.inhibit(nil)
            try await eventually("it has looked", on: replica.clock) {
                replica.store.lease.epoch == 2 && replica.store.count(.requests) > 3
            }
            #expect(replica.store.request("r")?.state == .waiting)
            replica.store.renew("r")
            let ended = try await replica.end(of: "r")
            #expect(ended.state == .done && ended.revision == 5)
        }
    }

    /// Rule 1: another host's time is compared with nothing. Whatever its clock says, who asks is heard.
    @Test(arguments: [90, -90, 3600, -3600, 315_360_000, -315_360_000])
    func theClockOfWhoAsksDoesNotMatter(_ seconds: Int) async throws {
        try await Replica.withHistory { replica in
            for kind in Self.kinds.filter({ $0 != .stepDown }) {
                replica.store.submit(
                    Request(
                        id: "\(kind)",
                        kind: kind,
                        author: Self.bob,
                        time: Store.wallClock() + seconds * 1000,
                        patience: 30_000
                    )
                )
                let ended = try await replica.end(of: "\(kind)")
                #expect(ended.state == .done, "\(ended)")
            }
            #expect(replica.store.lease.epoch == 1)
        }
    }

    /// In line behind a call that takes long; who asked has died with `kill -9`.
    @Test func whatComesToItsTurnTooLateIsNotCarriedOut() async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .update(.named("b", 3)) ? .hang(gate) : nil }
            async let write = replica.call(.update(.named("b", 3)))
            try await eventually("a write is under way") { gate.waiting == 1 }
            replica.store.submit(
                Request(
                    id: "r",
                    kind: .rollback(to: 2, group: nil, expectedCurrent: nil),
                    author: Self.bob,
                    patience: 10_000
                )
            )
            try await eventually("the rollback is in line", on: replica.clock, step: .milliseconds(20)) {
                await replica.waiting("b") == 1
            }
            // People are told what it waits for.
            try await eventually("it is noted", on: replica.clock) { replica.store.request("r")?.waitsFor != nil }
            #expect(replica.store.request("r")?.waitsFor == "another change of group 'b'")
            try await pass(.seconds(11), on: replica.clock)
            gate.open()
            _ = try await write
            let ended = try await replica.end(of: "r")
            #expect(ended.state == .refused && ended.error?.contains("timeout of 10s") == true, "\(ended)")
            #expect(replica.store.revisions.count == 5)
        }
    }

    /// A rollback of all groups, of which one hangs, holds up nobody who wants another.
    @Test func aSlowGroupHoldsUpNoOther() async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .free(id: "c") ? .hang(gate) : nil }
            replica.store.submit(
                Request(id: "all", kind: .rollback(to: 2, group: nil, expectedCurrent: nil), author: Self.bob)
            )
            try await eventually("one group hangs", on: replica.clock, step: .milliseconds(20)) { gate.waiting == 1 }
            // The same again: it wants b and c, and waits for c without b.
            replica.store.submit(
                Request(
                    id: "again",
                    kind: .commit(
                        ["b", "c"].map { GlobalConfig.Entry(spec: .named($0, 7), plugin: "") },
                        expectedCurrent: nil,
                        confirmWithin: nil
                    ),
                    author: Self.bob
                )
            )
            try await eventually("it is in line", on: replica.clock, step: .milliseconds(20)) {
                await replica.waiting("c") == 1
            }
            #expect(await replica.error(.commit(.named("b", 4), pretend: false)) == nil)
            replica.store.submit(call(.commit(.named("b", 5), pretend: false)))
            #expect(try await answer("w", replica).answer == .success(.details("Managing b")))
            #expect(gate.waiting == 1)
            gate.open()
            let ended = try await replica.end(of: "again")
            #expect(ended.state == .done && replica.plugin.groups["b"] == .named("b", 7))
        }
    }
}
