import GroupSPI
import Store
import Testing

@testable import Manager

/// A new leader brings its plugin to where the history stands.
struct TakeoverTests {
    private func set(
        _ group: Identifier,
        _ version: Int = 1,
        _ status: Status = .applied,
        saying words: String? = nil
    ) -> Change {
        Change(
            group: group,
            action: .set(GroupSpec.named(group, version).properties, plugin: "group-stateless"),
            status: status,
            error: words
        )
    }

    @Test func whatStandsIsWatchedAndWhatEndedStaysEnded() async throws {
        let prepare = { (store: MemoryStore, _: FakePlugin) in
            store.put(set("a"), set("b"), set("freed"), set("destroyed"))
            store.put(set("a", 2), Change(group: "freed", action: .free, status: .applied))
            store.put(Change(group: "destroyed", action: .destroy, status: .applied), set("b", 9, .rejected))
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("they are watched") { replica.plugin.watched == ["a", "b"] }
            try await pass(.seconds(60), on: replica.clock)
            #expect(replica.plugin.groups == ["a": .named("a", 2), "b": .named("b", 1)])
            #expect(!replica.plugin.calls.contains { ["freed", "destroyed"].contains($0.groupID) })
            #expect(replica.store.revisions.count == 3)
        }
    }

    /// A leader that died in the middle of a destroy: it is finished, also by a plugin that has to be told the group first.
    @Test(arguments: [true, false])
    func aPendingDestroyIsFinished(_ isKnown: Bool) async throws {
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            store.put(set("a"))
            store.put(Change(group: "a", action: .destroy))
            if isKnown { plugin.put(.named("a")) }
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("it is applied") { replica.store.revisions[1].status == .applied }
            #expect(replica.plugin.watched.isEmpty)
            let calls = replica.plugin.done.filter { $0.groupID == "a" }
            #expect(
                calls
                    == (isKnown
                        ? [.destroy(id: "a")]
                        : [.destroy(id: "a"), .commit(.named("a"), pretend: false), .destroy(id: "a")])
            )
            try await pass(.seconds(30), on: replica.clock)
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    @Test func pendingChangesAreSettled() async throws {
        let prepare = { (store: MemoryStore, _: FakePlugin) in
            store.put(set("a", 1, .pending), set("b"))
            store.put(Change(group: "b", action: .free))
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("they are applied") { replica.store.revisions.allSatisfy { $0.status == .applied } }
            #expect(replica.plugin.watched == ["a"])
        }
    }

    @Test func aSpecThatThePluginRefusesBlocksNoOther() async throws {
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            for group: Identifier in ["a", "b", "c"] { store.put(set(group)) }
            plugin.script { $0.groupID == "a" ? .fail(GroupError(.rejected, "no such flavor")) : nil }
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("the others are watched") { replica.plugin.watched == ["b", "c"] }
            // It was accepted once, and is asked for again; perhaps the plugin can do it later.
            #expect(replica.store.revisions[0].status == .applied)
            #expect(replica.standing.role == .leader)
            replica.plugin.behave()
            try await eventually("it is watched", on: replica.clock) { replica.plugin.watched == ["a", "b", "c"] }
        }
    }

    @Test func aGroupThatHangsBlocksNoOther() async throws {
        let gate = Gate()
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            for group: Identifier in ["a", "b", "c"] { store.put(set(group)) }
            plugin.script { $0.groupID == "a" ? .hang(gate) : nil }
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("the others are watched") { replica.plugin.watched == ["b", "c"] }
            #expect(try await replica.commit("d") == .details("Managing d"))
            gate.open()
            try await eventually("it is watched") { replica.plugin.watched == ["a", "b", "c", "d"] }
        }
    }

    /// Its user may have been told that the plugin agreed, just before the predecessor ended.
    @Test func aPendingChangeThatMayHaveBeenAcknowledgedIsNotRejected() async throws {
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            store.put(set("a", 1))
            store.put(set("a", 2, .pending))
            plugin.script { request in
                request == .commit(.named("a", 2), pretend: false) ? .fail(GroupError(.rejected, "no")) : nil
            }
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("the plugin is asked again and again", on: replica.clock) {
                replica.plugin.calls.count { $0 == .commit(.named("a", 2), pretend: false) } > 3
            }
            #expect(replica.store.revisions.map(\.status) == [.applied, .pending])
            #expect(!replica.plugin.calls.contains(.commit(.named("a", 1), pretend: false)))
            replica.plugin.behave()
            try await eventually("it is applied", on: replica.clock) { replica.store.revisions[1].status == .applied }
            #expect(replica.plugin.groups["a"] == .named("a", 2))
        }
    }

    /// The same, and the next change of the group comes before the plugin has answered: it is not called rejected, and its
    /// revision can be gone back to.
    @Test func whatMayHaveBeenAcknowledgedAndIsOvertakenIsSuperseded() async throws {
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            store.put(set("a", 1))
            store.put(set("a", 2, .pending))
            plugin.script { request in
                request == .commit(.named("a", 2), pretend: false) ? .fail(GroupError(.unknownOutcome, "lost")) : nil
            }
        }
        try await withReplica(prepare: prepare) { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 3)
            try await eventually("its outcome is stored") { replica.store.revisions[2].status == .applied }
            try await eventually("the outcomes are stored", on: replica.clock) {
                replica.store.revisions.map(\.status) == [.applied, .superseded, .applied]
            }
            replica.plugin.behave()
            let kind = Request.Kind.rollback(to: 2, group: nil, expectedCurrent: nil)
            replica.store.submit(Request(id: "r", kind: kind, author: MemoryStore.author))
            #expect(try await replica.end(of: "r").revision == 4)
            #expect(replica.plugin.groups["a"] == .named("a", 2))
        }
    }

    /// What a predecessor left pending, whose user knows that, and the plugin refuses is rejected; what stood before stands,
    /// and the new plugin is told it.
    @Test(arguments: [Change.unanswered, "the connection was lost"])
    func aRefusedPendingChangeBringsBackWhatStoodBefore(_ words: String) async throws {
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            store.put(set("a", 1))
            store.put(set("a", 2, .pending, saying: words))
            plugin.script { request in
                request == .commit(.named("a", 2), pretend: false) ? .fail(GroupError(.rejected, "no")) : nil
            }
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("it is rejected") { replica.store.revisions[1].status == .rejected }
            // At once, and not at the next comparison.
            try await eventually("the plugin has the old spec") { replica.plugin.groups["a"] == .named("a", 1) }
            #expect(replica.store.revisions[1].error == "no")
        }
    }

    /// A read error is never an empty state.
    @Test func whatStoodBeforeIsNotForgottenBecauseItCannotBeRead() async throws {
        let prepare = { (store: MemoryStore, plugin: FakePlugin) in
            store.put(set("a", 1))
            store.put(set("a", 2, .pending, saying: Change.unanswered))
            store.trouble(.fail(.busy), at: .state)
            plugin.script { request in
                request == .commit(.named("a", 2), pretend: false) ? .fail(GroupError(.rejected, "no")) : nil
            }
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("it is read") { replica.store.count(.state) == 1 }
            try await pass(.seconds(2), on: replica.clock)
            // With backoff, not in a hot loop.
            #expect((2...8).contains(replica.store.count(.state)))
            // Otherwise the plugin would be asked about what is rejected, and might do it.
            #expect(replica.store.revisions[1].status == .pending)
            replica.store.trouble(nil, at: .state)
            try await eventually("the plugin has the old spec", on: replica.clock) {
                replica.plugin.groups["a"] == .named("a", 1)
            }
            #expect(try await replica.call(.update(.named("a", 3))) == .ok)
            #expect(replica.store.lease.epoch == 1)
        }
    }

    @Test func twoHundredGroups() async throws {
        let prepare = { (store: MemoryStore, _: FakePlugin) in
            for number in 0..<200 { store.put(set("g\(number)")) }
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("they are watched") { replica.plugin.watched.count == 200 }
            #expect(replica.plugin.count(\.isCommit) == 200)
            // And let go again.
            replica.runtime.stop()
            try await eventually("it has ended", on: replica.clock) { replica.isOver }
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    @Test func tellsOnlySoManyAtOnce() async throws {
        let clock = TestClock()
        let (store, plugin) = (MemoryStore(clock: clock), FakePlugin(clock: clock))
        for number in 0..<20 { store.put(set("g\(number)")) }
        let gate = Gate()
        plugin.script { $0.isCommit ? .hang(gate) : nil }
        let replica = try Replica(store: store, plugin: plugin, concurrency: 4)
        try await withReplicas(replica) {
            try await eventually("four are under way") { gate.waiting == 4 }
            try await pass(.seconds(3), on: clock)
            #expect(gate.waiting == 4)
            gate.open()
            try await eventually("all are watched") { plugin.watched.count == 20 }
        }
    }

    @Test func aPluginThatRestartsIsToldAgain() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group: Identifier in ["a", "b", "c"] { _ = try await replica.commit(group) }
            _ = try await replica.call(.free(id: "c"))
            replica.plugin.forget()
            try await eventually("it is told again", on: replica.clock) { replica.plugin.watched == ["a", "b"] }
            #expect(replica.store.revisions.count == 4)
            // It may also be gone for a while.
            replica.plugin.stop()
            try await pass(.seconds(25), on: replica.clock)
            replica.plugin.start()
            try await eventually("it is told again", on: replica.clock) { replica.plugin.watched == ["a", "b"] }
            #expect(replica.store.lease.epoch == 1)
        }
    }

    /// A call that was not answered in time is carried out after a later one, which was acknowledged.
    @Test func aLateCallDoesNotStand() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            replica.plugin.script { $0.isCommit ? .fail(GroupError(.unknownOutcome, "no answer in time")) : nil }
            #expect(await replica.error(.commit(.named("a", 2), pretend: false))?.code == .pending)
            replica.plugin.behave()
            _ = try await replica.commit("a", 3)
            replica.plugin.put(.named("a", 2))
            try await eventually("it is told again what stands", on: replica.clock) {
                replica.plugin.groups["a"] == .named("a", 3)
            }
            try await eventually("the outcomes are stored", on: replica.clock) {
                replica.store.revisions.map(\.status) == [.applied, .superseded, .applied]
            }
            // What it was never told by this manager may be its own way to say what stands.
            replica.plugin.put(.named("a", 7))
            let told = replica.plugin.count(\.isCommit)
            try await pass(.seconds(60), on: replica.clock)
            #expect(replica.plugin.count(\.isCommit) == told)
        }
    }

    @Test func tellsThePluginNothingBeforeItsGuardHasObeyed() async throws {
        let guardian = FakeGuard(isReady: false)
        let prepare = { (store: MemoryStore, _: FakePlugin) in store.put(set("a")) }
        try await withReplica(orphanGuard: guardian, prepare: prepare) { replica in
            try await eventually("it holds the lease") { replica.holdsLease }
            try await eventually("the guard is asked") { guardian.waiting == 1 }
            #expect(replica.plugin.calls.isEmpty)
            let error = try #require(await replica.error(.watch(.named("b"))))
            #expect(error.code == .notLeader && error.message.contains("try again"))
            guardian.becomeReady()
            try await eventually("it is watched") { replica.plugin.watched == ["a"] }
        }
    }

    @Test func writesThatComeDuringTheLoadingWaitForIt() async throws {
        let gate = Gate()
        let prepare = { (store: MemoryStore, _: FakePlugin) in
            store.put(set("a"))
            store.trouble(.hang(gate), at: .states)
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("it is loading") { gate.waiting == 1 }
            async let answer = replica.call(.update(.named("a", 2)))
            try await eventually("the write is in line") { await replica.proxy.supervisor.waitingCount == 1 }
            #expect(replica.store.revisions.count == 1)
            gate.open()
            #expect(try await answer == .ok)
            #expect(replica.plugin.groups["a"] == .named("a", 2))
        }
    }

    @Test(arguments: [MemoryStore.Call.states, .summary])
    func aLeaderThatCannotReadItsGroupsStepsDown(_ call: MemoryStore.Call) async throws {
        let prepare = { (store: MemoryStore, _: FakePlugin) in
            store.put(set("a"))
            store.trouble(.fail(.io), at: call)
        }
        try await withReplica(prepare: prepare) { replica in
            try await eventually("it gives the lease back") { replica.store.count(.release) == 1 }
            #expect(replica.plugin.groups.isEmpty)
            replica.store.trouble(nil, at: call)
            try await eventually("it leads and watches", on: replica.clock) { replica.plugin.watched == ["a"] }
        }
    }

    // MARK: - The Go manager's file

    @Test func theGoManagersGroupsAreImportedOnceAsRevisionOne() async throws {
        try await withScratchDirectory { folder in
            let properties = #"{"Allocation": {"Size": 1.0}}"#
            write(
                #"{"Groups":{"a":{"Plugin":"group-x","Properties":{"ID":"a","Properties":"# + properties + #"}}}}"#,
                to: "\(folder)/global.config"
            )
            try await withReplica(legacyConfigDirectory: folder) { replica in
                try await eventually("it is watched") { replica.plugin.watched == ["a"] }
                let revision = try #require(replica.store.revisions.first)
                #expect(revision.operation == .import)
                #expect(revision.changes[0].action == .set(RawJSON(checked: Array(properties.utf8)), plugin: "group-x"))
                try await eventually("it is applied") { replica.store.revisions[0].status == .applied }
                // Freed groups do not come back with the next term.
                _ = try await replica.call(.free(id: "a"))
                replica.orphanGuard.inhibit("not now")
                try await eventually("it does not lead") { replica.store.count(.release) == 1 }
                replica.orphanGuard.inhibit(nil)
                try await eventually("it leads", on: replica.clock) { replica.standing.role == .leader }
                try await pass(.seconds(5), on: replica.clock)
                #expect(replica.store.revisions.count == 2)
                #expect(replica.plugin.watched.isEmpty)
            }
        }
    }

    @Test func aHistoryIsNotImportedOver() async throws {
        try await withScratchDirectory { folder in
            write(
                #"{"Groups":{"a":{"Plugin":"x","Properties":{"ID":"a","Properties":{}}}}}"#,
                to: "\(folder)/global.config"
            )
            let prepare = { (store: MemoryStore, _: FakePlugin) in store.put(set("b")) }
            try await withReplica(legacyConfigDirectory: folder, prepare: prepare) { replica in
                try await eventually("it is watched") { replica.plugin.watched == ["b"] }
                #expect(replica.store.revisions.count == 1)
            }
        }
    }

    /// No groups is one thing; groups that cannot be read are another.
    @Test func aFileThatCannotBeReadIsNoEmptyFile() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/global.config"
            write("{ not JSON", to: path)
            try await withReplica(legacyConfigDirectory: folder) { replica in
                try await eventually("it gives the lease back", on: replica.clock) { replica.store.count(.release) > 0 }
                #expect(replica.store.revisions.isEmpty)
                write(#"{"Groups":{"a":{"Plugin":"x","Properties":{"ID":"a","Properties":{}}}}}"#, to: path)
                try await eventually("it is watched", on: replica.clock) { replica.plugin.watched == ["a"] }
            }
        }
    }
}
