import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

/// A database that is brought up to date from snapshots.
@Suite struct ReplicaTests {
    private static let limits = [
        Snapshot.Limits(records: 1, bytes: 0, terms: 20), Snapshot.Limits(records: 8, terms: 20),
    ]

    private func withTwoStores(_ body: (Store, Store) async throws -> Void) async throws {
        try await withStore { first in try await withStore { second in try await body(first, second) } }
    }

    // MARK: - Every revision seen

    @Test(arguments: [2, UInt64.random(in: 0 ... .max)])
    func aCopyThatFollowsIsTheHistory(_ seed: UInt64) async throws {
        try await withTwoStores { history, copy in
            var script = LeaderScript(seed: seed, trimmingTo: Self.limits)
            for number in 1...150 {
                let step = try script.step()
                try await history.take(step, time: script.time)
                let expected = if case .appended = step { 1 } else { 0 }
                #expect(
                    try await copy.apply(script.snapshot, at: number) == .done(revisions: expected),
                    "seed \(seed), step \(number)"
                )
            }
            #expect(try await copy.everything() == history.everything(), "seed \(seed)")
            #expect(try await copy.tags(within: patience) == history.tags(within: patience), "seed \(seed)")
            for number in 0...script.snapshot.newest {
                let states = try await history.states(at: number, within: patience)
                #expect(try await copy.states(at: number, within: patience) == states, "seed \(seed), \(number)")
            }
            #expect(try await copy.summary(within: patience) == history.summary(within: patience), "seed \(seed)")
            let terms = try await history.terms(within: patience)
            #expect(try await copy.terms(within: patience) == terms, "seed \(seed)")
            let lease = try await copy.lease(within: patience)
            let expected = try await history.lease(within: patience)
            #expect(lease.holder == expected.holder && lease.epoch == expected.epoch, "seed \(seed)")
            #expect(lease.instance == expected.instance && lease.process == expected.process, "seed \(seed)")
            let snapshot = try #require(try await copy.snapshot(of: 64, within: patience))
            #expect(snapshot.hash == script.snapshot.hash && snapshot.groups == script.snapshot.groups, "seed \(seed)")
            #expect(snapshot.isSound && snapshot.records.count == min(64, script.snapshot.newest), "seed \(seed)")
            let newest = script.snapshot.newest
            let sound = Verification(newest: newest, revisions: newest, problems: [])
            #expect(try await copy.verify(within: patience) == sound, "seed \(seed)")
            #expect(try await copy.verifyFile(within: patience) == [], "seed \(seed)")
        }
    }

    // MARK: - Some not seen

    /// Whatever was missed: what stands is right, and the chain is sound, also when retention takes some of it away.
    @Test(arguments: [3, 4, 5, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func aCopyThatMissesSomeStandsRight(_ seed: UInt64) async throws {
        try await withStore { copy in
            var script = LeaderScript(seed: seed, trimmingTo: Self.limits)
            for number in 1...40 {
                let most = script.generator.isHit(perThousand: 500) ? 4 : 25
                for _ in 0..<Int.random(in: 1...most, using: &script.generator) { _ = try script.step() }
                let snapshot = script.snapshot
                guard case .done = try await copy.apply(snapshot, at: number) else {
                    throw Unexpected("seed \(seed), look \(number): not taken")
                }
                let place = Comment(rawValue: "seed \(seed), look \(number)")
                #expect(try await copy.groups() == snapshot.groups, place)
                let summary = try await copy.summary(within: patience)
                #expect(summary.newest == snapshot.newest, place)
                let pending = snapshot.records.map(\.revision).filter { revision in
                    revision.changes.contains { $0.status == .pending }
                }
                #expect(summary.pending == pending.map(\.number), place)
                let waiting = snapshot.records.map(\.revision).filter { $0.confirmation?.state == .waiting }
                #expect(summary.unconfirmed.map(\.revision) == waiting.map(\.number), place)
                let seen = try await copy.everything()
                for record in snapshot.records where seen.contains(where: { $0.number == record.revision.number }) {
                    let revision = seen.first { $0.number == record.revision.number }
                    #expect(revision?.hash == record.revision.hash, place)
                }
                if let fence = script.fence, script.generator.isHit(perThousand: 300) {
                    let policy = RetentionPolicy(limit: Int.random(in: 1...30, using: &script.generator))
                    _ = try await copy.prune(policy, after: 0, fence: fence, within: patience)
                    #expect(try await copy.groups() == snapshot.groups, place)
                }
                #expect(try await copy.verify(within: patience).problems == [], place)
                #expect(try await copy.verifyFile(within: patience) == [], place)
            }
        }
    }

    /// A script's leader with a history of that many settled revisions.
    private struct Bench {
        var snapshot = Snapshot()
        let fence: Fence

        init() throws {
            let candidate = candidate("n1/group")
            let lease = snapshot.acquire(
                candidate,
                watched: .none,
                at: "node1",
                floor: 0,
                ttl: 9000,
                reason: "",
                time: 1
            )
            fence = Fence(
                instance: candidate.instance,
                epoch: try lease?.epoch ?? { throw Unexpected("no lease") }(),
                manager: "n1/group"
            )
        }

        mutating func append(_ changes: [Change], confirmWithin: Int? = nil) throws {
            let draft = RevisionDraft(
                author: .tester,
                operation: .commit,
                changes: changes,
                confirmWithin: confirmWithin
            )
            _ = try snapshot.append(draft, fence: fence, time: 1000)
        }

        mutating func settle(_ number: Int, _ group: Identifier, _ status: Status) throws {
            try snapshot.record(Outcome(revision: number, group: group, status: status), fence: fence)
        }

        /// Appends settled revisions, and forgets all but the newest.
        mutating func goOn(to number: Int, _ group: Identifier = "other") throws {
            while snapshot.newest < number {
                try append([.set(group, snapshot.newest)])
                try settle(snapshot.newest, group, .applied)
            }
            snapshot.trim(to: Snapshot.Limits(records: 1), time: 0)
        }
    }

    @Test func whatWasNotSeenIsAGap() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.append([.set("web", 1), .set("db", 1)])
            try bench.settle(1, "web", .applied)
            try bench.settle(1, "db", .applied)
            #expect(try await copy.apply(bench.snapshot, at: 1) == .done(revisions: 1))
            try bench.append([.free("db")])
            try bench.settle(2, "db", .applied)
            try bench.goOn(to: 8)
            #expect(bench.snapshot.base.revision == 7)
            #expect(try await copy.apply(bench.snapshot, at: 2) == .done(revisions: 1))
            #expect(try await copy.everything().map(\.number) == [8, 7, 1])
            let adopted = try #require(try await copy.revision(7, within: patience))
            #expect(adopted.operation == .adopt && adopted.status == .applied)
            #expect(adopted.message == "revisions 2 to 7 were made while this node was disconnected")
            #expect(adopted.hash == bench.snapshot.base.hash && adopted.author.user == nil)
            #expect(adopted.changes == [.applied(.free("db")), .applied(.set("other", 6))])
            let error = try await failure { try await copy.wholeStates(at: 3, within: patience) }
            #expect(error.code == .notFound)
            #expect(
                error.message
                    == "revision 3 was made while this node was disconnected, and its copy of the history lacks it; "
                    + "there are revisions 1 to 8, without 2 to 6"
            )
            #expect(try await copy.wholeStates(at: 7, within: patience).count == 3)
            let sound = Verification(newest: 8, revisions: 3, problems: [])
            #expect(try await copy.verify(within: patience) == sound)
            let page = try await copy.history(HistoryQuery(), within: patience)
            #expect(page.total == 3 && page.current == 8)
        }
    }

    @Test func aNewCopyBeginsWithWhatItFinds() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.goOn(to: 5)
            #expect(try await copy.apply(bench.snapshot, at: 1) == .done(revisions: 1))
            #expect(try await copy.everything().map(\.operation) == [.commit, .adopt])
            #expect(try await copy.groups() == bench.snapshot.groups)
            #expect(try await copy.verify(within: patience).problems == [])
            try bench.append([.free("other")])
            #expect(try await copy.apply(bench.snapshot, at: 2) == .done(revisions: 1))
            #expect(try await copy.verify(within: patience) == Verification(newest: 6, revisions: 3, problems: []))
        }
    }

    @Test func aDamagedAdoptedRevisionIsFound() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.goOn(to: 5)
            _ = try await copy.apply(bench.snapshot, at: 1)
            let raw = try rawConnection(copy.path)
            try raw.execute("UPDATE revision SET message = 'else' WHERE number = 4")
            let problems = try await copy.verify(within: patience).problems
            #expect(problems.count == 1 && problems.first?.sentence.contains("revision 4") == true)
        }
    }

    @Test func retentionOverWhatWasNotSeen() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.goOn(to: 3, "a")
            _ = try await copy.apply(bench.snapshot, at: 1)
            try bench.goOn(to: 9, "a")
            _ = try await copy.apply(bench.snapshot, at: 2)
            for number in 10...12 {
                try bench.append([.set("a", number)])
                try bench.settle(number, "a", .applied)
            }
            _ = try await copy.apply(bench.snapshot, at: 3)
            #expect(try await copy.everything().map(\.number) == [12, 11, 10, 9, 8, 3, 2])
            for limit in [5, 3, 2] {
                let policy = RetentionPolicy(limit: limit)
                _ = try await copy.prune(policy, after: 0, fence: bench.fence, within: patience)
                #expect(try await copy.verify(within: patience).problems == [])
                #expect(try await copy.groups() == bench.snapshot.groups)
            }
            #expect(try await copy.everything().map(\.number) == [12, 11, 10])
            let error = try await failure { try await copy.wholeStates(at: 5, within: patience) }
            #expect(error.message.contains("revision 5 was removed by retention"))
        }
    }

    // MARK: - Settled without being told

    /// A change that its user was told is applied is never called rejected by a node that was not told.
    @Test(arguments: [true, false])
    func howAnOpenChangeCameOutIsLearnedLaterOrStaysUnknown(_ isTold: Bool) async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.append([.set("yes", 1), .set("no", 1), .free("gone"), .set("later", 1)])
            try bench.append([.set("back", 1)])
            try bench.append([.set("back", 2)])
            _ = try await copy.apply(bench.snapshot, at: 1)
            try bench.settle(3, "back", .rejected)
            try bench.settle(2, "back", .applied)
            for group: Identifier in ["yes", "gone", "later"] { try bench.settle(1, group, .applied) }
            try bench.snapshot.record(
                Outcome(revision: 1, group: "no", status: .rejected, error: "no such snapshot"),
                fence: bench.fence
            )
            try bench.append([.set("later", 2)])
            try bench.settle(4, "later", .applied)
            try bench.goOn(to: 300)
            #expect(bench.snapshot.base.revision == 299)
            if !isTold { bench.snapshot.outcomes = PastOutcomes(from: 300) }
            _ = try await copy.apply(bench.snapshot, at: 2)
            let first = try #require(try await copy.revision(1, within: patience)).changes
            #expect(first.map(\.group) == ["gone", "later", "no", "yes"])
            let statuses: [Status] =
                isTold ? [.applied, .applied, .rejected, .applied] : [.applied, .superseded, .superseded, .applied]
            #expect(first.map(\.status) == statuses)
            #expect(
                first[2].error
                    == (isTold
                        ? "no such snapshot"
                        : "this node did not learn its outcome in time; it may have been applied")
            )
            #expect(try await copy.revision(2, within: patience)?.status == .applied)
            #expect(try await copy.revision(3, within: patience)?.status == (isTold ? .rejected : .superseded))
            #expect(try await copy.groups() == bench.snapshot.groups)
            #expect(try await copy.summary(within: patience).pending == [])
        }
    }

    @Test func howMuchOfTheOutcomesIsKept() throws {
        var bench = try Bench()
        for number in 1...400 {
            try bench.append([.set("a", number)])
            try bench.settle(number, "a", number % 2 == 0 ? .rejected : .applied)
        }
        bench.snapshot.trim(to: Snapshot.Limits(records: 1, outcomes: 10), time: 0)
        let outcomes = bench.snapshot.outcomes
        #expect(
            outcomes.from == 379 && outcomes.exceptions.map(\.revision) == Array(stride(from: 380, through: 398, by: 2))
        )
        #expect(outcomes.outcome(of: 379, "a", through: 399)?.status == .applied)
        #expect(outcomes.outcome(of: 398, "a", through: 399)?.status == .rejected)
        #expect(
            outcomes.outcome(of: 378, "a", through: 399) == nil && outcomes.outcome(of: 400, "a", through: 399) == nil
        )
        bench.snapshot.trim(to: Snapshot.Limits(records: 1, outcomes: 0), time: 0)
        #expect(bench.snapshot.outcomes == PastOutcomes(from: 400))
    }

    @Test func anOlderStateOfTheSameHistoryIsNotTaken() async throws {
        try await withStore { copy in
            var bench = try Bench()
            var snapshots = [Snapshot(lease: bench.snapshot.lease)]
            for size in 1...4 {
                try bench.append([.set("a", size)])
                snapshots.append(bench.snapshot)
            }
            _ = try await copy.apply(bench.snapshot, at: 1)
            let before = try await copy.everything()
            for snapshot in snapshots.dropLast() { #expect(try await copy.apply(snapshot, at: 9) == .behind) }
            #expect(try await copy.everything() == before)
            let left = try #require(try await copy.snapshot(of: 2, within: patience))
            #expect(
                left.hash == bench.snapshot.hash && left.groups == bench.snapshot.groups
                    && left.lease == bench.snapshot.lease
            )
            // The changes are pending, so all of them are there.
            #expect(left.records == bench.snapshot.records && left.isSound)
        }
    }

    /// One state of a term after the other, and what else may be found.
    @Test func howTwoStatesStandToEachOther() throws {
        var bench = try Bench()
        func write(_ body: () throws -> Void) throws -> Snapshot {
            try body()
            bench.snapshot.sequence += 1
            return bench.snapshot
        }
        var states = [try write {}]
        states.append(try write { try bench.append([.set("a", 1)]) })
        states.append(try write { try bench.settle(1, "a", .applied) })
        states.append(try write { try bench.append([.set("a", 2)]) })
        states.append(try write { bench.snapshot.release(bench.fence, reason: "", time: 2) })
        states.append(
            try write {
                let next = candidate("n2/group")
                let watched = bench.snapshot.lease
                _ = bench.snapshot.acquire(next, watched: watched, at: "n2", floor: 0, ttl: 1, reason: "", time: 3)
            }
        )
        for (index, known) in states.enumerated() {
            for (other, found) in states.enumerated() {
                let expected: Snapshot.Relation = other == index ? .same : other < index ? .older : .newer
                #expect(found.relation(to: known) == expected, "\(other) to \(index)")
            }
        }
        var stranger = try Bench()
        for size in 1...3 { try stranger.append([.set("b", size)]) }
        #expect(
            stranger.snapshot.relation(to: states[3]) == .other && states[5].relation(to: stranger.snapshot) == .other
        )
        // Somebody else went on from an older state, in a later epoch.
        var other = states[1]
        other.lease = states[5].lease
        #expect(other.relation(to: states[3]) == .other)
    }

    /// All seen, and forgotten by the snapshot before its outcomes were told: no revision is adopted that would put it right.
    @Test func whatStandsWhenNothingIsMissing() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.append([.set("a", 1)])
            try bench.append([.set("a", 2)])
            try bench.append([.set("b", 1)])
            _ = try await copy.apply(bench.snapshot, at: 1)
            try bench.settle(2, "a", .rejected)
            try bench.settle(1, "a", .applied)
            try bench.settle(3, "b", .applied)
            bench.snapshot.trim(to: Snapshot.Limits(records: 1), time: 0)
            #expect(bench.snapshot.base.revision == 2)
            _ = try await copy.apply(bench.snapshot, at: 2)
            #expect(try await copy.groups() == bench.snapshot.groups)
            #expect(try await copy.state(of: "a", within: patience)?.revision == 1)
        }
    }

    @Test func noConfirmationIsWaitedForThatTheImageHasForgotten() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.append([.set("a", 1)], confirmWithin: 1000)
            try bench.settle(1, "a", .applied)
            _ = try await copy.apply(bench.snapshot, at: 1)
            #expect(try await copy.waitingConfirmations(within: patience).map(\.revision) == [1])
            try bench.snapshot.endConfirmation(of: 1, as: .confirmed)
            try bench.goOn(to: 4)
            _ = try await copy.apply(bench.snapshot, at: 2)
            #expect(try await copy.waitingConfirmations(within: patience) == [])
        }
    }

    // MARK: - The rest of the snapshot

    @Test func tagsTermsAndTheLease() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.goOn(to: 5)
            try bench.snapshot.apply(
                .tag("old", revision: 2, moving: false),
                author: .tester,
                fence: bench.fence,
                time: 7
            )
            try bench.snapshot.apply(
                .tag("new", revision: 5, moving: false),
                author: .tester,
                fence: bench.fence,
                time: 8
            )
            _ = try await copy.apply(bench.snapshot, at: 1)
            // Revision 2 was never seen here.
            let expected = [Tag(name: "new", revision: 5, author: .tester, time: 8)]
            #expect(try await copy.tags(within: patience) == expected)
            #expect(try await copy.terms(within: patience) == bench.snapshot.terms)
            try bench.snapshot.apply(.untag("new"), author: .tester, fence: bench.fence, time: 9)
            bench.snapshot.release(bench.fence, reason: "stopped", time: 77)
            _ = try await copy.apply(bench.snapshot, at: 2)
            #expect(try await copy.tags(within: patience).isEmpty)
            #expect(try await copy.terms(within: patience).map(\.until) == [77])
            #expect(try await copy.terms(within: patience).map(\.reason) == ["stopped"])
            #expect(try await copy.lease(within: patience) == bench.snapshot.lease)
        }
    }

    @Test func whatBecameOfTheRequestsThatWereAskedHere() async throws {
        try await withStore { copy in
            var bench = try Bench()
            for id in ["a", "b", "c", "d"] {
                try await copy.submit(Request(id: id, kind: .stepDown, author: .tester), within: patience)
            }
            #expect(try await copy.moveRequest("b", from: .waiting, to: .forwarded, within: patience))
            #expect(try await copy.cancelRequest("c", within: patience))
            try bench.snapshot.settle(Snapshot.Settled(id: "a", state: .done, revision: 4, until: 9))
            try bench.snapshot.settle(Snapshot.Settled(id: "b", state: .refused, error: "no", until: 9))
            try bench.snapshot.settle(Snapshot.Settled(id: "c", state: .done, revision: 4, until: 9))
            _ = try await copy.apply(bench.snapshot, at: 1)
            let states = try await requests(copy)
            #expect(states.map(\.state) == [.done, .refused, .cancelled, .waiting])
            #expect(states[0].revision == 4 && states[1].error == "no")
            bench.snapshot.answer("a", .success(.plan("p")), until: 9)
            _ = try await copy.apply(bench.snapshot, at: 2)
            #expect(try await requests(copy)[0].answer == .success(.plan("p")))
        }
    }

    private func requests(_ copy: Store) async throws -> [Request] {
        var requests: [Request] = []
        for id in ["a", "b", "c", "d"] {
            requests.append(try #require(try await copy.request(id, within: patience)))
        }
        return requests
    }

    // MARK: - Which snapshot

    @Test func aCopyNeverGoesBack() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.append([.set("a", 1)])
            let old = bench.snapshot
            try bench.append([.set("a", 2)])
            #expect(try await copy.apply(bench.snapshot, at: 10) == .done(revisions: 2))
            let before = try await copy.replicaInfo(within: patience)
            #expect(try await copy.apply(old, at: 9) == .stale)
            #expect(try await copy.apply(nil, at: 9) == .stale)
            #expect(try await copy.replicaInfo(within: patience) == before)
            #expect(try await copy.everything().count == 2)
            #expect(try await copy.apply(bench.snapshot, at: 10) == .done(revisions: 0))
            #expect(try await copy.apply(nil, at: 11) == .done(revisions: 0))
            #expect(try await copy.replicaInfo(within: patience) == .at(11))
            #expect(try await copy.everything().count == 2)
        }
    }

    @Test func anotherHistoryIsNotMixedIn() async throws {
        try await withStore { copy in
            var bench = try Bench()
            try bench.append([.set("a", 1)])
            try bench.append([.set("a", 2)])
            let shorter = try {
                var other = try Bench()
                try other.append([.set("a", 1)])
                return other.snapshot
            }()
            _ = try await copy.apply(bench.snapshot, at: 1)
            let before = try await copy.everything()
            #expect(try await copy.apply(shorter, at: 2) == .diverged(at: 1))
            var other = try Bench()
            for size in 1...4 { try other.append([.set("a", size)]) }
            #expect(try await copy.apply(other.snapshot, at: 2) == .diverged(at: 2))
            #expect(try await copy.everything() == before)
            #expect(try await copy.replicaInfo(within: patience) == .at(1))
        }
    }

    @Test func troubleIsNotedAndForgotten() async throws {
        try await withStore { copy in
            #expect(try await copy.replicaInfo(within: patience) == nil)
            try await copy.setReplicaTrouble("too early", within: patience)
            #expect(try await copy.replicaInfo(within: patience) == nil)
            _ = try await copy.apply(nil, at: 1)
            try await copy.setReplicaTrouble("the Engine is away", within: patience)
            #expect(try await copy.replicaInfo(within: patience) == .at(1, leader: "", trouble: "the Engine is away"))
            _ = try await copy.apply(nil, at: 1)
            #expect(try await copy.replicaInfo(within: patience)?.trouble == nil)
        }
    }

    @Test func aFileThatIsPutAsideLosesNothing() async throws {
        try await withScratch { directory in
            let store = try await openStore(in: directory)
            var bench = try Bench()
            try bench.append([.set("a", 1)])
            _ = try await store.apply(bench.snapshot, at: 1)
            let aside = try #require(try Store.quarantine(store.configuration, as: "aside"))
            #expect(try Store.quarantine(store.configuration, as: "aside") == nil)
            #expect(try names(in: directory).contains { "\(directory)/\($0)" == aside })
            _ = try await openStore(in: directory)
            // Whoever has the old one open finds the new one.
            #expect(try await store.replicaInfo(within: patience) == nil)
            #expect(try await store.apply(bench.snapshot, at: 1) == .done(revisions: 1))
            let old = Store.openForCommand(StoreConfiguration(path: aside))
            #expect(try await old.everything().count == 1)
        }
    }
}

extension Change {
    fileprivate static func applied(_ change: Change) -> Change {
        Change(group: change.group, action: change.action, status: .applied)
    }
}
