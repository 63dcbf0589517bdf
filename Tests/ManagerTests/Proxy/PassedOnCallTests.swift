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

    @Test(arguments: [
        commit, .import([GlobalConfig.Entry(spec: .named("a", 9), plugin: "")]), .write(.free(id: "a")),
        .write(.stopUpdate(id: "a")), .rollback(to: 1, group: nil, expectedCurrent: nil), .stepDown,
    ])
    func aStaleRequestIsRefused(_ kind: Request.Kind) async throws {
        try await Replica.withHistory { replica in
            replica.store.submit(
                Request(
                    id: "old",
                    kind: kind,
                    author: Self.bob,
                    time: Store.wallClock() - 100_000,
                    patience: 30_000
                )
            )
            let ended = try await replica.end(of: "old")
            #expect(ended.state == .refused && ended.revision == nil)
            #expect(ended.error?.hasPrefix("nobody led when it was asked, ") == true, "\(ended)")
            #expect(replica.store.revisions.count == 4 && replica.plugin.watched == ["a", "b", "c"])
            #expect(replica.plugin.count { $0 == .stopUpdate(id: "a") } == 0)
            #expect(replica.store.lease.epoch == 1 && replica.standing.role == .leader)
        }
    }

    /// Clocks differ: somebody who waits half a minute may have a clock that is a minute behind. And who has no limit
    /// has not given up.
    @Test(arguments: [(50_000, 30_000), (100_000_000, 0), (-100_000, 30_000)])
    func aRequestThatMayStillBeWantedIsCarriedOut(_ age: Int, _ patience: Int) async throws {
        try await Replica.withHistory { replica in
            replica.store.submit(
                Request(
                    id: "r",
                    kind: Self.commit,
                    author: Self.bob,
                    time: Store.wallClock() - age,
                    patience: patience
                )
            )
            let ended = try await replica.end(of: "r")
            #expect(ended.state == .done && ended.revision == 5)
        }
    }
}
