import GroupSPI
import Store
import Testing

@testable import Manager

/// What a write means: stored, told to the plugin, its outcome stored.
struct WriteTests {
    @Test func isStoredBeforeThePluginIsTold() async throws {
        try await withReplica { replica in
            try await replica.leads()
            let gate = Gate()
            replica.plugin.script { $0.isCommit ? .hang(gate) : nil }
            async let answer = replica.commit("a")
            try await eventually("the plugin is being told") { gate.waiting == 1 }
            let revision = try #require(replica.store.revisions.first)
            #expect(revision.number == 1)
            #expect(revision.status == .pending)
            #expect(revision.author == Author(user: "ann", uid: 7, host: "here"))
            #expect(revision.operation == .commit)
            #expect(revision.epoch == 1 && revision.manager == "one")
            gate.open()
            // The plugin's own words are passed on.
            #expect(try await answer == .details("Managing a"))
            try await eventually("the outcome is stored") { replica.store.revisions.map(\.status) == [.applied] }
            #expect(replica.plugin.groups["a"] == .named("a"))
        }
    }

    @Test(arguments: [StoreError.Code.io, .full, .corrupt, .unknownOutcome, .busy, .missing, .directoryMissing])
    func isNotToldToThePluginWhenItCannotBeStored(_ code: StoreError.Code) async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.trouble(.fail(code), at: .append)
            let error = try #require(await replica.error(.watch(.named("a"))))
            #expect(error.code == .storeUnavailable)
            #expect(error.message.contains("store unreachable"))
            #expect(!replica.plugin.calls.contains { $0.groupID == "a" })
            if [.busy, .full, .corrupt, .missing, .directoryMissing].contains(code) {
                #expect(error.message.contains("nothing was changed"))
                // Known not to be stored: no reason to doubt the lease.
                #expect(replica.standing.role == .leader)
                #expect(replica.store.count(.release) == 0)
            } else {
                // Unknown is not the same as failed: step down, look again, decide.
                try await eventually("the lease is given back") { replica.store.count(.release) == 1 }
                replica.store.trouble(nil, at: .append)
                try await eventually("it leads again", on: replica.clock) {
                    replica.store.lease.epoch == 2 && replica.standing.role == .leader
                }
                try await replica.leads()
                #expect(try await replica.commit("a") == .details("Managing a"))
            }
        }
    }

    /// Who reads the history has stored first what users were told; not what comes meanwhile.
    @Test func whatWasAcknowledgedReadsAsApplied() async throws {
        try await withReplica { replica in
            try await replica.leads()
            let (first, second) = (Gate(), Gate())
            replica.store.trouble(.hang(first), at: .outcomes)
            _ = try await replica.commit("a")
            #expect(replica.store.revisions.map(\.status) == [.pending])
            async let isStored = replica.proxy.storeOutcomes()
            try await eventually("it is being stored") { first.waiting == 1 }
            // One that is acknowledged after the question is somebody else's.
            replica.store.trouble(.hang(second), at: .outcomes)
            _ = try await replica.commit("b")
            first.open()
            #expect(await isStored)
            #expect(replica.store.revisions.map(\.status) == [.applied, .pending])
            second.open()
            #expect(await replica.proxy.storeOutcomes())
            #expect(replica.store.revisions.map(\.status) == [.applied, .applied])
        }
    }

    @Test func whatCannotBeStoredIsSaidNotToBe() async throws {
        try await withReplica { replica in
            #expect(await !replica.proxy.storeOutcomes())
            try await replica.leads()
            #expect(await replica.proxy.storeOutcomes())
            replica.store.trouble(.fail(.busy), at: .outcomes)
            _ = try await replica.commit("a")
            #expect(await !replica.proxy.storeOutcomes())
            replica.store.trouble(nil, at: .outcomes)
            #expect(await replica.proxy.storeOutcomes())
            #expect(replica.store.revisions.map(\.status) == [.applied])
        }
    }

    /// The answer to a change was lost, and the next one comes before the plugin was asked again: the plugin has it, so it is
    /// not superseded; and it stands, should the next one be refused.
    @Test(arguments: [false, true])
    func whatWasCarriedOutIsAppliedAlsoWhenALaterChangeFollows(_ isRefused: Bool) async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            replica.plugin.script { $0 == .commit(.named("a", 2), pretend: false) ? .loseAnswer : nil }
            #expect(await replica.error(.commit(.named("a", 2), pretend: false))?.code == .pending)
            replica.plugin.script { request in
                isRefused && request == .commit(.named("a", 3), pretend: false)
                    ? .fail(GroupError(.rejected, "no")) : nil
            }
            let error = await replica.error(.commit(.named("a", 3), pretend: false))
            #expect(error?.code == (isRefused ? .rejected : nil))
            #expect(await replica.proxy.storeOutcomes())
            #expect(replica.store.revisions.map(\.status) == [.applied, .applied, isRefused ? .rejected : .applied])
            let done = replica.plugin.done.filter(\.isCommit)
            try await pass(.seconds(30), on: replica.clock)
            if !isRefused { #expect(replica.plugin.done.filter(\.isCommit) == done) }
            #expect(replica.plugin.groups["a"] == .named("a", isRefused ? 2 : 3))
        }
    }

    /// A plugin that holds something else, or does not say, has not carried it out as far as anybody knows.
    @Test(arguments: [false, true])
    func whatIsNotKnownToBeCarriedOutIsSuperseded(_ isSilent: Bool) async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            replica.plugin.script { request in
                request == .commit(.named("a", 2), pretend: false) ? .fail(GroupError(.unknownOutcome, "lost")) : nil
            }
            #expect(await replica.error(.commit(.named("a", 2), pretend: false))?.code == .pending)
            replica.plugin.script { request in
                isSilent && request == .inspect ? .fail(GroupError(.unreachable, "away")) : nil
            }
            _ = try await replica.commit("a", 3)
            #expect(await replica.proxy.storeOutcomes())
            #expect(replica.store.revisions.map(\.status) == [.applied, .superseded, .applied])
        }
    }

    /// The store was too busy to take the plugin's word. Asked again, the plugin could say something else of what it has done.
    @Test func whatThePluginHasAgreedToIsNotAskedAgain() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            try await eventually("it is applied", on: replica.clock) { replica.store.revisions[0].status == .applied }
            replica.store.trouble(.fail(.busy), at: .outcomes)
            #expect(await replica.error(.destroy(id: "a"))?.code == .pending)
            replica.plugin.script { _ in .fail(GroupError(.rejected, "no")) }
            let calls = replica.plugin.count { $0.groupID == "a" }
            try await pass(.seconds(20), on: replica.clock)
            #expect(replica.store.revisions[1].status == .pending)
            replica.store.trouble(nil, at: .outcomes)
            try await eventually("it is applied", on: replica.clock) { replica.store.revisions[1].status == .applied }
            try await pass(.seconds(60), on: replica.clock)
            #expect(replica.plugin.count { $0.groupID == "a" } == calls)
            #expect(replica.plugin.groups["a"] == nil)
            #expect(replica.store.revisions.map(\.status) == [.applied, .applied])
        }
    }

    /// It was stored although nobody said so: the next term carries it out.
    @Test func anAmbiguousCommitIsCarriedOutByTheNextTerm() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.trouble(.ambiguous, at: .append)
            #expect(await replica.error(.watch(.named("a")))?.code == .storeUnavailable)
            replica.store.trouble(nil, at: .append)
            try await eventually("it is carried out", on: replica.clock) {
                replica.store.revisions.first?.status == .applied
            }
            #expect(replica.plugin.watched == ["a"])
            #expect(replica.store.revisions.count == 1)
        }
    }

    @Test func aRefusalLeavesEverythingAsItWas() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            replica.plugin.script { $0.isCommit ? .fail(GroupError(.rejected, "no such flavor")) : nil }
            #expect(
                await replica.error(.commit(.named("a", 2), pretend: false)) == GroupError(.rejected, "no such flavor")
            )
            // The revision stays in the history, and does not become current.
            #expect(replica.store.revisions.map(\.status) == [.applied, .rejected])
            #expect(replica.store.revisions[1].error == "no such flavor")
            #expect(try await replica.proxy.specs(within: nil) == [.named("a", 1)])
            replica.plugin.behave()
            let calls = replica.plugin.count(\.isCommit)
            try await pass(.seconds(60), on: replica.clock)
            #expect(replica.plugin.groups["a"] == .named("a", 1))
            #expect(replica.plugin.count(\.isCommit) == calls)
            // The next write builds on what stands.
            #expect(try await replica.call(.update(.named("a", 3))) == .ok)
            #expect(replica.plugin.groups["a"] == .named("a", 3))
        }
    }

    @Test func aPluginThatDoesNotAnswerIsAskedUntilItDoes() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.plugin.stop()
            let error = try #require(await replica.error(.commit(.named("a"), pretend: false)))
            #expect(error.code == .pending)
            #expect(error.message.contains("revision 1"))
            try await pass(.seconds(20), on: replica.clock)
            #expect(replica.store.revisions.map(\.status) == [.pending])
            replica.plugin.start()
            try await eventually("it is applied", on: replica.clock) { replica.store.revisions[0].status == .applied }
            #expect(replica.plugin.watched == ["a"])
        }
    }

    @Test func aLostAnswerIsNoRefusal() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.plugin.script { if case .destroy = $0 { .loseAnswer } else { nil } }
            _ = try await replica.commit("a")
            #expect(await replica.error(.destroy(id: "a"))?.code == .pending)
            replica.plugin.behave()
            try await eventually("it is applied", on: replica.clock) { replica.store.revisions[1].status == .applied }
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    /// The plugin is at work on an earlier change: that is not a no.
    @Test func aBusyPluginIsAskedAgain() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            replica.plugin.script { request in
                if case .update = request { .fail(GroupError(.rejected, "Update already in progress")) } else { nil }
            }
            #expect(await replica.error(.update(.named("a", 2)))?.code == .pending)
            replica.plugin.behave()
            try await eventually("it is applied", on: replica.clock) { replica.store.revisions[1].status == .applied }
            #expect(replica.plugin.groups["a"] == .named("a", 2))
        }
    }

    @Test func aSlowPluginBlocksNothingElse() async throws {
        try await withReplica { replica in
            try await replica.leads()
            let gate = Gate()
            replica.plugin.script { $0.isCommit && $0.groupID == "slow" ? .hang(gate) : nil }
            async let slow = replica.commit("slow")
            try await eventually("the plugin is being told") { gate.waiting == 1 }
            #expect(try await replica.commit("b") == .details("Managing b"))
            #expect(try await replica.call(.inspect) == .groups([.named("b")]))
            #expect(try await replica.call(.describe(id: "b")) == .description(GroupDescription([], isConverged: true)))
            let renewals = replica.store.count(.renew)
            try await eventually("the lease is renewed", on: replica.clock, step: .milliseconds(20)) {
                replica.store.count(.renew) > renewals + 1
            }
            #expect(gate.waiting == 1)
            gate.open()
            _ = try await slow
        }
    }

    @Test func writesOfOneGroupGoInOrder() async throws {
        try await withReplica { replica in
            try await replica.leads()
            let gate = Gate()
            replica.plugin.script { $0 == .commit(.named("a", 0), pretend: false) ? .hang(gate) : nil }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for version in 0..<12 {
                    tasks.addTask { _ = try await replica.commit("a", version) }
                    try await eventually("\(version) is in line") {
                        version == 0 ? gate.waiting == 1 : await replica.waiting("a") == version
                    }
                }
                // One after the other: the second is not even stored yet.
                #expect(replica.store.revisions.count == 1)
                gate.open()
                try await tasks.waitForAll()
            }
            let expected = (0..<12).map { GroupRequest.commit(.named("a", $0), pretend: false) }
            #expect(replica.plugin.done.filter(\.isCommit) == expected)
            #expect(
                replica.store.revisions.map { $0.changes[0].action }
                    == (0..<12).map { .set(GroupSpec.named("a", $0).properties, plugin: "group-stateless") }
            )
            try await eventually("the outcomes are stored") {
                replica.store.revisions.allSatisfy { $0.status == .applied }
            }
        }
    }

    @Test func manyWritersAtOnce() async throws {
        try await withReplica { replica in
            try await replica.leads()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 0..<200 { tasks.addTask { _ = try await replica.commit("g\(number % 20)", number) } }
                try await tasks.waitForAll()
            }
            #expect(replica.store.revisions.map(\.number) == Array(1...200))
            try await eventually("the outcomes are stored") {
                replica.store.revisions.allSatisfy { $0.status == .applied }
            }
            #expect(replica.plugin.groups.count == 20)
            let specs = try await replica.proxy.specs(within: nil)
            #expect(Dictionary(uniqueKeysWithValues: specs.map { ($0.id, $0) }) == replica.plugin.groups)
        }
    }

    @Test func anUpdateCanBeStopped() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            let gate = Gate()
            replica.plugin.script { if case .update = $0 { .hang(gate) } else { nil } }
            async let update = replica.call(.update(.named("a", 2)))
            try await eventually("the update is under way") { gate.waiting == 1 }
            #expect(try await replica.call(.stopUpdate(id: "a")) == .ok)
            gate.open()
            _ = try await update
        }
    }

    // MARK: - A plugin that has forgotten, or knows too much

    @Test func anUpdateOfAForgottenGroupTellsItTheNewSpec() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            replica.plugin.forget()
            #expect(try await replica.call(.update(.named("a", 2))) == .ok)
            #expect(replica.plugin.groups["a"] == .named("a", 2))
            try await eventually("the outcome is stored") {
                replica.store.revisions.map(\.status) == [.applied, .applied]
            }
            // Nobody declared this one.
            #expect(await replica.error(.update(.named("b"))) == .notWatched("b"))
            #expect(replica.store.revisions[2].status == .rejected)
        }
    }

    @Test(arguments: [GroupRequest.free(id: "a"), .unwatch(id: "a")])
    func lettingAForgottenGroupGoIsDone(_ request: GroupRequest) async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            replica.plugin.forget()
            #expect(try await replica.call(request) == .ok)
            try await eventually("the outcome is stored") {
                replica.store.revisions.map(\.status) == [.applied, .applied]
            }
            try await pass(.seconds(30), on: replica.clock)
            #expect(replica.plugin.watched.isEmpty)
            // Once more, and it is nobody's.
            #expect(await replica.error(request) == .notWatched("a"))
        }
    }

    @Test func aForgottenGroupIsToldAgainBeforeItIsDestroyed() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            replica.plugin.forget()
            #expect(try await replica.call(.destroy(id: "a")) == .ok)
            // The leader's own question, which groups there are, may come between.
            #expect(
                replica.plugin.done.filter { $0 != .inspect }.suffix(3) == [
                    .destroy(id: "a"), .commit(.named("a"), pretend: false), .destroy(id: "a"),
                ]
            )
            try await eventually("the outcome is stored") {
                replica.store.revisions.map(\.status) == [.applied, .applied]
            }
        }
    }

    @Test func aLeftoverCanBeDeclared() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.plugin.put(.named("a", 9))
            #expect(try await replica.call(.watch(.named("a", 1))) == .ok)
            #expect(replica.plugin.groups["a"] == .named("a", 1))
            // One that was declared is watched already, in the words that clients compare.
            #expect(await replica.error(.watch(.named("a", 2))) == .alreadyWatched("a"))
        }
    }

    // MARK: - Other calls

    @Test func aBlankGroupIsRefusedAndNotStored() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for request in [GroupRequest.watch(.named("")), .update(.named("")), .commit(.named(""), pretend: false)] {
                #expect(await replica.error(request)?.code == .rejected)
            }
            #expect(replica.store.revisions.isEmpty)
        }
    }

    @Test func aPretendedCommitIsNotStored() async throws {
        try await withReplica { replica in
            try await replica.leads()
            #expect(try await replica.call(.commit(.named("a"), pretend: true)) == .details("Managing a"))
            #expect(replica.store.revisions.isEmpty)
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    private func spec(_ size: Int, _ version: String) -> GroupSpec {
        GroupSpec(
            id: "a",
            properties: RawJSON(checked: Array(#"{"Allocation":{"Size":\#(size)},"V":"\#(version)"}"#.utf8))
        )
    }

    @Test func aNewSizeIsACommitOfThePresentSpec() async throws {
        try await withReplica { replica in
            try await replica.leads()
            #expect(await replica.error(.setSize(id: "a", 3)) == .notWatched("a"))
            _ = try await replica.call(.commit(spec(1, "old"), pretend: false))
            #expect(await replica.error(.setSize(id: "a", -1))?.code == .badRequest)
            #expect(replica.store.revisions.count == 1)
            #expect(try await replica.call(.setSize(id: "a", 3)) == .ok)
            #expect(replica.plugin.groups["a"] == spec(3, "old"))
        }
    }

    /// The size is changed of the spec that stands when its turn comes, not of the one that stood when it was asked for.
    @Test func aNewSizeUndoesNoWriteBeforeIt() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.call(.commit(spec(1, "old"), pretend: false))
            let gate = Gate()
            replica.store.trouble(.hang(gate), at: .append)
            async let commit = replica.call(.commit(spec(1, "new"), pretend: false))
            try await eventually("the commit is being stored") { gate.waiting == 1 }
            async let resize = replica.call(.setSize(id: "a", 3))
            try await eventually("the new size is in line") { await replica.waiting("a") == 1 }
            replica.store.trouble(nil, at: .append)
            gate.open()
            _ = try await (commit, resize)
            #expect(replica.plugin.groups["a"] == spec(3, "new"))
        }
    }

    @Test func aNewSizeIsNotThatOfARefusedSpec() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.call(.commit(spec(1, "old"), pretend: false))
            replica.plugin.script { [request = GroupRequest.commit(spec(1, "new"), pretend: false)] in
                $0 == request ? .fail(GroupError(.rejected, "no such flavor")) : nil
            }
            #expect(await replica.error(.commit(spec(1, "new"), pretend: false))?.code == .rejected)
            #expect(try await replica.call(.setSize(id: "a", 3)) == .ok)
            #expect(replica.plugin.groups["a"] == spec(3, "old"))
        }
    }

    /// A user who is told of a refusal may take it that the change never takes effect. Here it does, in the next term.
    @Test func aRefusalThatIsNotStoredIsNotTold() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            try await eventually("the outcome is stored") { replica.store.revisions.map(\.status) == [.applied] }
            replica.plugin.script { $0.isCommit ? .fail(GroupError(.rejected, "no such flavor")) : nil }
            replica.store.trouble(.fail(.io), at: .outcomes)
            let error = try #require(await replica.error(.commit(.named("a", 2), pretend: false)))
            #expect(error.code == .pending && error.message.contains("revision 2"), "\(error)")
            #expect(error.message.hasSuffix("it may still be tried again: no such flavor"), "\(error)")
            // A refusal from before that could be stored now would stand.
            replica.plugin.behave()
            try await eventually("the plugin has it", on: replica.clock) {
                replica.plugin.groups["a"] == .named("a", 2)
            }
            replica.store.trouble(nil, at: .outcomes)
            try await eventually("it takes effect", on: replica.clock) {
                replica.store.revisions[1].status == .applied
            }
            // In a later term. As long as no outcome could be stored, each of them ended.
            #expect(replica.store.lease.epoch > 1 && replica.plugin.groups["a"] == .named("a", 2))
        }
    }

    /// The same for a change of several groups: whoever asks for it reads the history, which says what is so.
    @Test func aRefusalInABatchThatIsNotStoredIsPending() async throws {
        try await Replica.withHistory { replica in
            replica.plugin.script { $0.isCommit ? .fail(GroupError(.rejected, "no such flavor")) : nil }
            replica.store.trouble(.fail(.io), at: .outcomes)
            let entries = ["a", "b"].map { GlobalConfig.Entry(spec: .named($0, 7), plugin: "") }
            let kind = Request.Kind.commit(entries, expectedCurrent: nil, confirmWithin: nil)
            replica.store.submit(Request(id: "r", kind: kind, author: MemoryStore.author))
            try await eventually("it is stored", on: replica.clock) { replica.store.revisions.count == 5 }
            try await eventually("the term ends", on: replica.clock) { replica.store.count(.release) == 1 }
            #expect(replica.store.revisions[4].status == .pending)
            // A refusal from before that could be stored now would stand.
            replica.plugin.behave()
            try await eventually("the plugin has it", on: replica.clock) {
                replica.plugin.groups["a"] == .named("a", 7) && replica.plugin.groups["b"] == .named("b", 7)
            }
            replica.store.trouble(nil, at: .outcomes)
            try await eventually("it takes effect", on: replica.clock) {
                replica.store.revisions[4].status == .applied
            }
        }
    }

    // MARK: - An update that was stopped, or has failed on its way

    @Test func whatThePluginKeepsOfAFailedUpdateIsBooked() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            replica.plugin.script { request in
                if case .update = request { .failHalfway(GroupError(.rejected, "Update halted by user")) } else { nil }
            }
            let error = try #require(await replica.error(.update(.named("a", 2))))
            #expect(error.code == .pending, "\(error)")
            #expect(
                error.message
                    == "Update halted by user: recorded as revision 2 and applied nevertheless, because the group plugin "
                    + "'group-stateless' keeps it"
            )
            #expect(replica.store.revisions.map(\.status) == [.applied, .applied])
            replica.plugin.behave()
            // It is not begun anew, and after a restart of the plugin it is what is told.
            let calls = replica.plugin.calls.count { $0 != .inspect }
            try await pass(.seconds(60), on: replica.clock)
            #expect(replica.plugin.calls.count { $0 != .inspect } == calls)
            replica.plugin.forget()
            try await eventually("it is told again", on: replica.clock) { replica.plugin.groups["a"] == .named("a", 2) }
        }
    }

    @Test func aRefusalOfAPluginThatDoesNotTellWhatItHoldsIsPending() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            replica.plugin.script { request in
                switch request {
                case .update: .fail(GroupError(.rejected, "no room"))
                case .inspect: .fail(GroupError(.unknownOutcome, "lost"))
                default: nil
                }
            }
            let error = try #require(await replica.error(.update(.named("a", 2))))
            #expect(error.code == .pending && error.message.hasSuffix(": no room"), "\(error)")
            try await eventually("its words are stored") { replica.store.revisions[1].error == "no room" }
            #expect(replica.store.revisions[1].status == .pending)
            replica.plugin.script { $0.isCommit ? .fail(GroupError(.rejected, "no room")) : nil }
            try await eventually("it is rejected", on: replica.clock) {
                replica.store.revisions[1].status == .rejected
            }
        }
    }

    /// The plugin lost the answer to the update, or takes longer than a call; then somebody stops it.
    @Test func anUpdateThatWasStoppedIsNotBegunAnew() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            replica.plugin.script { if case .update = $0 { .loseAnswer } else { nil } }
            #expect(await replica.error(.update(.named("a", 2)))?.code == .pending)
            #expect(try await replica.call(.stopUpdate(id: "a")) == .ok)
            try await eventually("what it keeps is booked", on: replica.clock) {
                replica.store.revisions[1].status == .applied
            }
            #expect(replica.plugin.count(\.isCommit) == 1)
        }
    }

    /// Of a new spec the answer comes first; an end that is told twice would be one too many.
    @Test func anEndThatIsNotKnownToBeStoredIsNotAcknowledged() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit("a")
            try await eventually("the outcome is stored") { replica.store.revisions.map(\.status) == [.applied] }
            replica.store.trouble(.fail(.io), at: .outcomes)
            let error = await replica.error(.destroy(id: "a"))
            #expect(error?.code == .pending && error?.message.contains("not known to be stored") == true, "\(error)")
            #expect(replica.store.revisions[1].status == .pending)
            #expect(replica.plugin.watched.isEmpty)
        }
    }

    /// The history tells how a change came out also when the store was busy at that moment.
    @Test(arguments: [true, false])
    func anOutcomeThatABusyStoreDidNotTakeIsStoredLater(_ isRefused: Bool) async throws {
        try await withReplica { replica in
            try await replica.leads()
            if isRefused {
                replica.plugin.script { $0.isCommit ? .fail(GroupError(.rejected, "no such flavor")) : nil }
            }
            replica.store.trouble(.fail(.busy), at: .outcomes)
            let error = await replica.error(.commit(.named("a"), pretend: false))
            // A refusal that is not stored may still take effect, under another leader.
            #expect(error?.code == (isRefused ? .pending : nil))
            if isRefused { #expect(error?.message.contains("not stored: it may still be tried again") == true) }
            #expect(replica.store.revisions[0].status == .pending)
            let attempts = replica.store.count(.outcomes)
            try await eventually("it is tried again", on: replica.clock) { replica.store.count(.outcomes) > attempts }
            replica.store.trouble(nil, at: .outcomes)
            let expected: Status = isRefused ? .rejected : .applied
            try await eventually("it is stored", on: replica.clock) { replica.store.revisions[0].status == expected }
            #expect(replica.store.lease.epoch == 1)
        }
    }
}
