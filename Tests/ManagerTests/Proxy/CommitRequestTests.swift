import GroupSPI
import Store
import Testing

@testable import Manager

/// What `commit` and `import` leave in the store for the leader.
struct CommitRequestTests {
    private func entry(_ group: Identifier, _ version: Int, plugin: Identifier = "") -> GlobalConfig.Entry {
        GlobalConfig.Entry(spec: .named(group, version), plugin: plugin)
    }

    private func commit(_ entries: GlobalConfig.Entry..., expected: Int? = nil, id: String = "r") -> Request {
        Request(
            id: id,
            kind: .commit(entries, expectedCurrent: expected, confirmWithin: nil),
            author: Author(user: "bob", uid: 8, host: "there"),
            message: "new image"
        )
    }

    @Test func severalGroupsAreOneRevision() async throws {
        try await Replica.withHistory { replica in
            replica.store.submit(commit(entry("d", 1), entry("a", 2), entry("b", 2), entry("c", 1), expected: 4))
            let request = try await replica.end(of: "r")
            #expect(request.state == .done && request.revision == 5 && request.error == nil)
            #expect(replica.store.revisions.count == 5)
            let revision = replica.store.revisions[4]
            #expect(revision.operation == .commit && revision.target == nil && revision.status == .applied)
            #expect(revision.message == "new image" && revision.author == request.author)
            #expect(revision.author.user == "bob")
            // b and c stand so already.
            #expect(revision.groups == ["a", "d"])
            #expect(
                replica.plugin.groups == [
                    "a": .named("a", 2), "b": .named("b", 2), "c": .named("c", 1), "d": .named("d", 1),
                ]
            )
            #expect(replica.plugin.count { $0.groupID == "c" } == 1, "what stands was told again")
        }
    }

    /// Both are judged before either is stored: the store lets only one of them in.
    @Test func ofTwoThatExpectTheSameRevisionOneIsCarriedOut() async throws {
        try await Replica.withHistory { replica in
            for (id, group) in [("one", "d"), ("two", "e"), ("three", "f")] as [(String, Identifier)] {
                replica.store.submit(commit(entry(group, 1), expected: 4, id: id))
            }
            var ends: [Request] = []
            for id in ["one", "two", "three"] { ends.append(try await replica.end(of: id)) }
            #expect(ends.count { $0.state == .done && $0.revision == 5 } == 1, "\(ends)")
            let refused = ends.filter { $0.state == .refused }
            #expect(refused.count == 2 && replica.store.revisions.count == 5, "\(ends)")
            for request in refused {
                #expect(request.error?.hasPrefix("the current revision is 5, not 4") == true, "\(request)")
            }
        }
    }

    @Test func aGroupWithoutAPluginIsTheManagersOwn() async throws {
        try await Replica.withHistory { replica in
            replica.store.submit(commit(entry("a", 2), entry("b", 2, plugin: "other")))
            let request = try await replica.end(of: "r")
            #expect(request.revision == 5)
            let actions = replica.store.revisions[4].changes.map(\.action)
            #expect(
                actions == [
                    .set(GroupSpec.named("a", 2).properties, plugin: "group-stateless"),
                    .set(GroupSpec.named("b", 2).properties, plugin: "other"),
                ]
            )
        }
    }

    /// The plugin has refused something else, and somebody commits what stands: that is a decision. It is in the history, the plugin
    /// has agreed to it, and nobody is warned any more.
    @Test func whatStandsIsCommittedAgainAfterARefusal() async throws {
        try await Replica.withHistory { replica in
            replica.plugin.script {
                $0 == .commit(.named("a", 9), pretend: false) ? .fail(GroupError(.rejected, "no")) : nil
            }
            replica.store.submit(commit(entry("a", 9), entry("b", 2)))
            #expect(try await replica.end(of: "r").revision == 5)
            let summary = try await replica.store.summary(within: .seconds(1))
            #expect(summary.rejected == [5])
            replica.store.submit(commit(entry("a", 1), entry("b", 2), id: "again"))
            #expect(try await replica.end(of: "again").revision == 6)
            #expect(replica.store.revisions[5].groups == ["a"] && replica.store.revisions[5].status == .applied)
            #expect(try await replica.store.summary(within: .seconds(1)).rejected == [])
            // Also when a later leader only reads of the refusal.
            replica.store.submit(commit(entry("a", 9), id: "no"))
            _ = try await replica.end(of: "no")
            try await replica.loseAndLeadAgain()
            replica.store.submit(commit(entry("a", 1), id: "later"))
            #expect(try await replica.end(of: "later").revision == 8)
            replica.store.submit(commit(entry("a", 1), id: "same"))
            #expect(try await replica.end(of: "same").revision == nil)
        }
    }

    @Test func whatStandsAlreadyIsNoRevision() async throws {
        try await Replica.withHistory { replica in
            let calls = replica.plugin.count(\.isCommit)
            replica.store.submit(commit(entry("a", 1), entry("b", 2)))
            let request = try await replica.end(of: "r")
            #expect(request.state == .done && request.revision == nil && request.error == nil)
            #expect(replica.store.revisions.count == 4)
            #expect(replica.plugin.count(\.isCommit) == calls)
        }
    }

    @Test func aRefusedGroupLeavesTheOthers() async throws {
        try await Replica.withHistory { replica in
            replica.plugin.script { request in
                request == .commit(.named("b", 3), pretend: false) ? .fail(GroupError(.rejected, "no room for b")) : nil
            }
            replica.store.submit(commit(entry("a", 3), entry("b", 3), entry("d", 3)))
            let request = try await replica.end(of: "r")
            #expect(request.state == .done && request.revision == 5)
            let revision = replica.store.revisions[4]
            #expect(revision.status == .partial && revision.error == "no room for b")
            #expect(revision.changes.map(\.status) == [.applied, .rejected, .applied])
            #expect(replica.plugin.groups["b"] == .named("b", 2))
            #expect(replica.plugin.groups["a"] == .named("a", 3) && replica.plugin.groups["d"] == .named("d", 3))
            // It keeps what it had: that this is right is told by whoever asks for it again, once.
            replica.plugin.behave()
            replica.store.submit(commit(entry("b", 2), id: "same"))
            #expect(try await replica.end(of: "same").revision == 6)
            replica.store.submit(commit(entry("b", 2), id: "nothing"))
            #expect(try await replica.end(of: "nothing").revision == nil)
            replica.store.submit(commit(entry("b", 3), id: "again"))
            #expect(try await replica.end(of: "again").revision == 7)
        }
    }

    @Test func anotherCurrentRevisionThanExpectedRefusesAllOfIt() async throws {
        try await Replica.withHistory { replica in
            let calls = replica.plugin.count(\.isCommit)
            replica.store.submit(commit(entry("a", 5), entry("d", 1), expected: 3))
            let request = try await replica.end(of: "r")
            #expect(request.state == .refused && request.revision == nil)
            #expect(request.error?.contains("the current revision is 4, not 3") == true, "\(request)")
            #expect(replica.store.revisions.count == 4)
            #expect(replica.plugin.count(\.isCommit) == calls)
        }
    }

    @Test func anEmptyHistoryIsExpectedAsZero() async throws {
        try await withReplica { replica in
            try await replica.leads()
            replica.store.submit(commit(entry("a", 1), expected: 1, id: "wrong"))
            let wrong = try await replica.end(of: "wrong")
            #expect(wrong.state == .refused && wrong.error?.contains("the current revision is 0, not 1") == true)
            replica.store.submit(commit(entry("a", 1), expected: 0))
            let right = try await replica.end(of: "r")
            #expect(right.state == .done && right.revision == 1)
        }
    }

    /// What a write changes while the commit waits for it counts as somebody else's change.
    @Test func theExpectationIsLookedAtWhenNothingCanChangeAnyMore() async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .commit(.named("c", 2), pretend: false) ? .hang(gate) : nil }
            async let write = replica.commit("c", 2)
            try await eventually("a write is under way") { gate.waiting == 1 }
            replica.store.submit(commit(entry("a", 2), entry("c", 3), expected: 4))
            try await eventually("the commit is in line", on: replica.clock, step: .milliseconds(20)) {
                await replica.waiting("c") == 1
            }
            gate.open()
            _ = try await write
            let request = try await replica.end(of: "r")
            #expect(request.state == .refused)
            #expect(request.error?.contains("the current revision is 5, not 4") == true, "\(request)")
            #expect(replica.store.revisions.count == 5 && replica.plugin.groups["a"] == .named("a", 1))
        }
    }

    /// The revision is stored with all of its groups before the plugin hears of any.
    @Test func whenTheStoreFailsNoGroupIsTouched() async throws {
        try await Replica.withHistory { replica in
            let calls = replica.plugin.count(\.isCommit)
            replica.store.trouble(.fail(.busy), at: .append)
            let tries = replica.store.count(.append)
            replica.store.submit(commit(entry("a", 5), entry("b", 5)))
            try await eventually("it was tried twice", on: replica.clock) { replica.store.count(.append) >= tries + 2 }
            #expect(replica.store.request("r")?.state == .waiting)
            #expect(replica.plugin.count(\.isCommit) == calls)
            replica.store.trouble(nil, at: .append)
            let request = try await replica.end(of: "r")
            #expect(request.revision == 5 && replica.store.revisions[4].groups == ["a", "b"])
            #expect(replica.standing.role == .leader && replica.store.lease.epoch == 1)
        }
    }

    @Test func takenBackBeforeItIsStoredItChangesNothing() async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .commit(.named("b", 3), pretend: false) ? .hang(gate) : nil }
            async let write = replica.commit("b", 3)
            try await eventually("a write is under way") { gate.waiting == 1 }
            replica.store.submit(commit(entry("a", 9), entry("b", 9)))
            try await eventually("the commit is in line", on: replica.clock, step: .milliseconds(20)) {
                await replica.waiting("b") == 1
            }
            replica.store.cancel("r")
            gate.open()
            _ = try await write
            try await eventually("nobody looks at it any more") { await replica.requestsUnderWay.isEmpty }
            #expect(replica.store.revisions.count == 5 && replica.store.request("r")?.state == .cancelled)
            #expect(replica.plugin.groups["a"] == .named("a", 1) && replica.plugin.groups["b"] == .named("b", 3))
        }
    }

    /// Stored, and told to one plugin only: the next term tells the rest, in the same revision.
    @Test func theNextTermFinishesWhatIsStored() async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { $0 == .commit(.named("b", 5), pretend: false) ? .hang(gate) : nil }
            replica.store.submit(commit(entry("a", 5), entry("b", 5)))
            try await eventually("b is under way", on: replica.clock, step: .milliseconds(20)) { gate.waiting == 1 }
            #expect(replica.store.request("r")?.revision == 5)
            replica.plugin.behave()
            try await replica.loseAndLeadAgain()
            try await eventually("both stand", on: replica.clock) {
                replica.store.revisions[4].status == .applied
                    && replica.plugin.groups["a"] == .named("a", 5) && replica.plugin.groups["b"] == .named("b", 5)
            }
            #expect(replica.store.revisions.count == 5)
        }
    }

    // MARK: - Import

    @Test func anImportIsOneRevisionOfItsOwnKind() async throws {
        try await Replica.withHistory { replica in
            replica.store.submit(
                Request(
                    id: "i",
                    kind: .import([entry("a", 1), entry("x", 1, plugin: "theirs"), entry("y", 2)]),
                    author: MemoryStore.author,
                    message: "imported from a file"
                )
            )
            let request = try await replica.end(of: "i")
            #expect(request.state == .done && request.revision == 5)
            let revision = replica.store.revisions[4]
            #expect(revision.operation == .import && revision.message == "imported from a file")
            #expect(revision.groups == ["x", "y"])
            #expect(
                revision.changes.first?.action == .set(GroupSpec.named("x", 1).properties, plugin: "theirs")
            )
            // What the file does not name stays.
            #expect(replica.plugin.watched == ["a", "b", "c", "x", "y"])
            replica.store.submit(
                Request(id: "again", kind: .import([entry("y", 2)]), author: MemoryStore.author)
            )
            let again = try await replica.end(of: "again")
            #expect(again.state == .done && again.revision == nil && replica.store.revisions.count == 5)
        }
    }
}
