import GroupSPI
import Store
import Testing

@testable import Manager

struct FollowerTests {
    private func withFollower(
        pluginSocket: String = "/plugins/two",
        bootID: String = "boot",
        leader: Candidate? = Replica.candidate("two"),
        left: Identifier? = nil,
        prepare: (MemoryStore, FakePlugin) -> Void = { _, _ in },
        _ body: (Replica) async throws -> Void
    ) async throws {
        let clock = TestClock()
        let (store, plugin) = (MemoryStore(clock: clock), FakePlugin(clock: clock))
        prepare(store, plugin)
        if let left {
            plugin.put(.named(left), .named("another's"))
            let properties = GroupSpec.named(left).properties
            store.put(Change(group: left, action: .set(properties, plugin: "p"), status: .applied))
        }
        if let leader { store.seize(by: leader) }
        let replica = try Replica(store: store, plugin: plugin, pluginSocket: pluginSocket, bootID: bootID)
        try await withReplicas(replica) { try await body(replica) }
    }

    @Test func refusesWritesAndNamesTheLeader() async throws {
        try await withFollower { replica in
            try await eventually("it follows") { replica.standing.role == .follower }
            let requests: [GroupRequest] = [
                .watch(.named("a")), .update(.named("a")), .commit(.named("a"), pretend: false),
                .commit(.named("a"), pretend: true), .free(id: "a"), .unwatch(id: "a"), .destroy(id: "a"),
                .setSize(id: "a", 1), .stopUpdate(id: "a"), .describe(id: "a"), .describeUpdate(.named("a")),
                .size(id: "a"), .destroyInstances(id: "a", ["x"]),
            ]
            for request in requests {
                let error = try #require(await replica.error(request))
                #expect(error.code == .notLeader, "\(request)")
                #expect(error.message.contains("two leads (epoch 1)"), "\(request)")
            }
            #expect(!replica.plugin.calls.contains { $0 != .inspect })
            #expect(replica.store.revisions.isEmpty)
            #expect(await !replica.proxy.isLeader())
            #expect(await replica.proxy.leaderLocation() == "unix://host-two/run/two")
        }
    }

    @Test func answersInspectFromTheStore() async throws {
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            store.put(
                Change(group: "a", action: .set(GroupSpec.named("a").properties, plugin: "p"), status: .applied),
                Change(group: "b", action: .free, status: .applied)
            )
        }
        try await withFollower(prepare: prepare) { replica in
            try await eventually("it follows") { replica.standing.role == .follower }
            let answer = try await replica.call(.inspect)
            guard case .storedGroups([.named("a")], let stamp) = answer else {
                Issue.record("\(answer)")
                return
            }
            #expect(stamp.revision == 1 && stamp.epoch == 1)
            // By its own clock, which began with the test: the times of the row are from 1970.
            #expect((0..<3_600_000).contains(stamp.age))
            replica.store.trouble(.fail(.io), at: .states)
            #expect(await replica.error(.inspect)?.code == .storeUnavailable)
        }
    }

    /// Left over from a crash of this manager, whose place another has taken.
    @Test func letsLeftoversGoWhenAnotherLeads() async throws {
        try await withFollower(left: "left") { replica in
            // Only what the store names: the other is somebody else's.
            try await eventually("it is free", on: replica.clock) { replica.plugin.watched == ["another's"] }
            #expect(!replica.plugin.calls.contains { if case .destroy = $0 { true } else { false } })
            // Again and again: the plugin may carry out late what it was told.
            for _ in 0..<3 {
                replica.plugin.put(.named("left"))
                try await eventually("it is free again", on: replica.clock) { replica.plugin.watched == ["another's"] }
            }
        }
    }

    @Test func theLeadersOwnGroupsAreNoLeftovers() async throws {
        try await withFollower(
            pluginSocket: "/plugins/shared",
            leader: Replica.candidate("two", pluginSocket: "/plugins/shared"),
            left: "kept"
        ) { replica in
            try await eventually("it follows") { replica.standing.role == .follower }
            try await pass(.seconds(20), on: replica.clock)
            #expect(replica.plugin.watched == ["another's", "kept"])
        }
    }

    /// The same path on another host is another plugin.
    @Test func theSamePathElsewhereIsAnotherPlugin() async throws {
        try await withFollower(
            pluginSocket: "/plugins/shared",
            bootID: "another",
            leader: Replica.candidate("two", pluginSocket: "/plugins/shared"),
            left: "left"
        ) { replica in
            try await eventually("it is free", on: replica.clock) { replica.plugin.watched == ["another's"] }
        }
    }

    /// The row still names the predecessor of this process, with the same plugin; then another host takes over.
    @Test func leftoversOfAPredecessorGoAsSoonAsAnotherLeads() async throws {
        let predecessor = Candidate(
            id: ReplicaID("one")!,
            instance: "an earlier start",
            process: ProcessIdentity(host: "host-one", bootID: "boot", pidNamespace: "1", pid: 9, startTime: 9),
            socket: "/run/one",
            pluginSocket: "/plugins/one",
            guardLock: ""
        )
        try await withFollower(
            pluginSocket: "/plugins/one",
            leader: predecessor,
            left: "left"
        ) { replica in
            try await eventually("it follows") { replica.standing.role == .follower }
            #expect(replica.plugin.watched == ["another's", "left"])
            replica.store.seize(by: Replica.candidate("two"))
            try await eventually("it is free", on: replica.clock) { replica.plugin.watched == ["another's"] }
        }
    }

    @Test func leftoversAreNotLetGoWhileItMayLeadItself() async throws {
        try await withFollower(leader: nil, left: "left") { replica in
            try await replica.leads()
            try await pass(.seconds(20), on: replica.clock)
            #expect(replica.plugin.watched == ["another's", "left"])
        }
    }

    /// It holds the lease, and its guard is not ready, so that no term has begun: nobody is told to send it anything.
    @Test func nobodyIsToldThatAReplicaLeadsWhichTakesNoWrites() async throws {
        try await withReplica(orphanGuard: FakeGuard(isReady: false)) { replica in
            try await eventually("it takes leadership up") { replica.orphanGuard.waiting == 1 }
            let refusal = try #require(await replica.error(.watch(.named("a"))))
            #expect(refusal.message == "this replica is starting or ending its leadership; try again")
            #expect(await !replica.proxy.isLeader())
            #expect(await !replica.proxy.lookForRequests())
            #expect(await replica.proxy.leaderLocation() == nil)
            let status = JSONView(await replica.proxy.status().raw)
            #expect(status.member("role")?.string == "candidate")
            replica.orphanGuard.becomeReady()
            try await eventually("it leads") { await replica.proxy.isLeader() }
            #expect(replica.standing.role == .leader)
            #expect(await replica.error(.watch(.named("a"))) == nil)
            // What the store has done is not known: it refuses writes from now on, and says so, before the election hears of it.
            replica.store.trouble(.fail(.io), at: .append)
            #expect(await replica.error(.watch(.named("b")))?.code == .storeUnavailable)
            #expect(await !replica.proxy.isLeader())
            #expect(replica.standing.role != .leader)
        }
    }

    @Test func theLeaderKnowsItselfAtOnceAndNobodyElseNamesItLater() async throws {
        try await withFollower(leader: nil) { replica in
            try await replica.leads()
            #expect(await replica.proxy.isLeader())
            #expect(await replica.proxy.leaderLocation() == "unix://host-one/run/one")
            let gate = Gate()
            replica.plugin.script { $0 == .inspect ? .hang(gate) : nil }
            replica.orphanGuard.inhibit("its guard has ended")
            try await eventually("it does not lead") { replica.standing.role == .follower }
            // Its own row is still there; a user must not be sent back to this replica.
            #expect(await replica.proxy.leaderLocation() == nil)
            let error = try #require(await replica.error(.watch(.named("a"))))
            #expect(error.message.contains("nobody else leads"))
            #expect(error.message.contains("its guard has ended"))
            gate.open()
        }
    }

    @Test func theLeaderFileDecides() async throws {
        try await withScratchDirectory { folder in
            write("two\n", to: "\(folder)/leader")
            try await withReplica(leaderFile: "\(folder)/leader") { replica in
                try await eventually("it reads the file", on: replica.clock) {
                    replica.standing.reason.contains("names 'two'")
                }
                #expect(replica.store.count(.acquire) == 0)
                write("one\n", to: "\(folder)/leader")
                try await eventually("it leads", on: replica.clock) { replica.standing.role == .leader }
                try await replica.leads()
                _ = try await replica.commit("a")
                write("two\n", to: "\(folder)/leader")
                try await eventually("it gives the lease back", on: replica.clock) { !replica.store.lease.isHeld }
                #expect(replica.plugin.watched.isEmpty)
            }
        }
    }

    /// The store is away: whoever led is named for as long as their lease lasts, and not a moment longer.
    @Test func aFollowerWhoseStoreIsAwayNamesNoLeaderThatMayBeGone() async throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        store.seize(by: Replica.candidate("two"))
        let replica = try Replica(store: store, plugin: FakePlugin(clock: clock))
        try await withReplicas(replica) {
            try await eventually("it follows") { replica.standing.role == .follower }
            let known = try #require(await replica.error(.free(id: "a")))
            #expect(known.message.contains("two leads (epoch 1); send the change to it"))
            #expect(
                try #require(await replica.error(.describe(id: "a"))).message.contains("two leads (epoch 1); ask it")
            )
            store.trouble(.fail(.io), at: .lease)
            try await pass(.seconds(95), on: clock, step: .seconds(1))
            let error = try #require(await replica.error(.free(id: "a")))
            #expect(error.code == .notLeader && !error.message.contains("two leads"), "\(error)")
            #expect(error.message.contains("the leader is not known: it cannot read the lease"), "\(error)")
            #expect(error.message.contains("two led in epoch 1, and its lease was last seen renewed"), "\(error)")
        }
    }

    /// It has stood still for longer than its lease, and is asked before it has looked again: it asks the row who leads.
    @Test func whoStoodStillNamesTheLeaderThatIsThereNow() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.trouble(.fail(.busy), at: .renew)
            replica.proxy.supervisor.suspend()
            replica.store.seize(by: Replica.candidate("two"))
            for request: GroupRequest in [.free(id: "a"), .describe(id: "a")] {
                let error = try #require(await replica.error(request))
                #expect(error.code == .notLeader && error.message.contains("two leads (epoch 2)"), "\(error)")
            }
        }
    }

    /// Its own name in the row says nothing: it is no leader any more, and it knows why.
    @Test func whoseTermHasEndedSaysSoAndNotThatItLeads() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.trouble(.fail(.full), at: .renew, .release)
            try await eventually("its term ends", on: replica.clock) { replica.standing.role != .leader }
            try await eventually("it has read the row", on: replica.clock) {
                replica.standing.reason.contains("its lease has not run out yet")
            }
            let error = try #require(await replica.error(.free(id: "a")))
            let reason = "its term in epoch 1 has ended: the lease could not be renewed in time"
            #expect(error.message.contains("nobody else leads: \(reason)"), "\(error)")
            #expect(!error.message.contains("one leads"), "\(error)")
            #expect(replica.standing.role == .candidate)
        }
    }
}
