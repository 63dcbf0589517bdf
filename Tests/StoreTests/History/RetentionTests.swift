import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

@Suite struct RetentionTests {
    /// Removes all that a policy does not keep.
    @discardableResult
    private func prune(_ leader: Leader, limit: Int? = nil, maximumAge: Int? = nil) async throws -> Int {
        var removed = 0
        var position: Int? = 0
        while let from = position {
            let step = try await leader.store.prune(
                RetentionPolicy(limit: limit, maximumAge: maximumAge),
                after: from,
                fence: leader.fence,
                within: patience
            )
            removed += step.removed
            position = step.position
        }
        return removed
    }

    private func numbers(_ store: Store) async throws -> [Int] {
        try await store.history(HistoryQuery(), within: patience).revisions.map(\.number).reversed()
    }

    private func append(_ leader: Leader, _ changes: Change..., status: Status = .applied) async throws {
        try await leader.settle(try await leader.append(changes), status)
    }

    @Test func theNewestStay() async throws {
        try await withLeader { leader in
            for size in 1...10 { try await append(leader, .set("a", size)) }
            #expect(try await prune(leader, limit: 3) == 6)
            // 7 is what stood just before the part that is kept whole.
            #expect(try await numbers(leader.store) == [7, 8, 9, 10])
            let retention = try await leader.store.retention(within: patience)
            #expect(retention.whole == 8 && retention.removed == 6 && retention.manager == "n1/group")
            #expect(retention.time != nil)
            let page = try await leader.store.history(HistoryQuery(limit: 2), within: patience)
            #expect(page.total == 4 && page.current == 10)
            #expect(try await prune(leader, limit: 3) == 0)
        }
    }

    @Test func whatAGroupStandsAtStays() async throws {
        try await withLeader { leader in
            try await append(leader, .set("quiet", 1))
            for size in 1...10 { try await append(leader, .set("busy", size)) }
            try await prune(leader, limit: 2)
            #expect(try await numbers(leader.store) == [1, 9, 10, 11])
            let states = try await leader.store.wholeStates(at: 10, within: patience)
            #expect(states.map(\.revision) == [10, 1])
            for state in states {
                let alone = try await leader.store.wholeStates(at: 10, of: state.group, within: patience)
                #expect(alone == [state])
            }
            #expect(try await leader.store.wholeStates(at: 10, of: "none", within: patience) == [])
            // What it set itself can be shown; what stood beside it cannot.
            #expect(try await leader.store.state(of: "quiet", at: 1, within: patience).revision == 1)
            let error = try await failure { try await leader.store.wholeStates(at: 1, within: patience) }
            #expect(error.code == .notFound)
            // One group does not tell more of it than all.
            let alone = try await failure { try await leader.store.wholeStates(at: 1, of: "quiet", within: patience) }
            #expect(alone == error)
            #expect(
                error.message == "of revision 1 only its own changes are kept, not the rest of the configuration; "
                    + "there are revisions 10 to 11"
            )
        }
    }

    @Test func taggedRevisionsStayAndShowWhatTheyShowed() async throws {
        try await withLeader { leader in
            for size in 1...12 {
                try await append(leader, .set("a", size), .set("b\(size % 3)", size))
            }
            let store = leader.store
            try await store.setTag("five", to: 5, author: .tester, moving: false, within: patience)
            let before = try await store.wholeStates(at: 5, within: patience)
            try await prune(leader, limit: 1)
            #expect(try await store.wholeStates(at: 5, within: patience) == before)
            let error = try await failure { try await store.wholeStates(at: 6, within: patience) }
            #expect(error.message == "revision 6 was removed by retention; there are revision 12, and tagged: 5 (five)")
            try await store.removeTag("five", within: patience)
            try await prune(leader, limit: 1)
            #expect(try await numbers(store) == [9, 10, 11, 12])
        }
    }

    @Test func theOldGoByAge() async throws {
        let clock = ManualClock()
        try await withLeader(clock) { leader in
            for size in 1...3 { try await append(leader, .set("a", size)) }
            #expect(try await prune(leader, maximumAge: 3_600_000) == 0)
            try await pass(3_599_000, clock, leader)
            for size in 4...5 { try await append(leader, .set("a", size)) }
            #expect(try await prune(leader, maximumAge: 3_600_000) == 0)
            try await pass(1_000, clock, leader)
            // The third is what stood before those that are kept.
            #expect(try await prune(leader, maximumAge: 3_600_000) == 2)
            #expect(try await numbers(leader.store) == [3, 4, 5])
            // Whatever says so first.
            #expect(try await prune(leader, limit: 1, maximumAge: 3_600_000) == 1)
            // However old it is, the newest stays.
            try await pass(360_000_000, clock, leader)
            try await prune(leader, maximumAge: 3_600_000)
            #expect(try await numbers(leader.store) == [4, 5])
            #expect(try await leader.store.verify(within: patience).problems == [])
            let rows = try rawConnection(leader.store.path).first("SELECT count(*) FROM age") { $0.int(0) }
            #expect(rows == 1, "one row tells it for all of them")
        }
    }

    /// Renewals as a leader makes them.
    private func pass(_ milliseconds: Int, _ clock: ManualClock, _ leader: Leader) async throws {
        var rest = milliseconds
        while rest > 0 {
            clock.pass(min(rest, TimeCount.longestStep))
            rest -= TimeCount.longestStep
            _ = try await leader.store.renewLease(leader.fence, within: patience)
        }
    }

    /// Whatever the wall clocks of leaders gave the revisions for times: ten years ahead, or back.
    @Test func aClockThatJumpedRemovesNothing() async throws {
        let clock = ManualClock()
        try await withLeader(clock) { leader in
            for size in 1...5 { try await append(leader, .set("a", size)) }
            let raw = try rawConnection(leader.store.path)
            for years in [-10, 10] {
                try raw.execute("UPDATE revision SET time = time + ? WHERE number < 5", .int(years * 31_536_000_000))
                try await pass(60_000, clock, leader)
                #expect(try await prune(leader, maximumAge: 86_400_000) == 0)
                #expect(try await numbers(leader.store) == [1, 2, 3, 4, 5])
            }
            // The boot-time clock of a machine whose hardware clock is broken may leap when it wakes up.
            clock.pass(315_360_000_000)
            _ = try await leader.store.renewLease(leader.fence, within: patience)
            #expect(try await prune(leader, maximumAge: 86_400_000) == 0)
            #expect(try await numbers(leader.store) == [1, 2, 3, 4, 5])
        }
    }

    /// Time in which no manager ran was seen by nobody; what was seen before counts on.
    @Test func theNextLeaderCountsOn() async throws {
        try await withScratch { directory in
            let clock = ManualClock()
            let first = try await lead(try await clock.open(in: directory))
            for size in 1...3 { try await append(first, .set("a", size)) }
            #expect(try await prune(first, maximumAge: 3_600_000) == 0)
            try await pass(3_000_000, clock, first)
            // A month later, on another host.
            let other = ManualClock(17)
            let second = try await lead(try await other.open(in: directory), as: "n2/group")
            #expect(try await prune(second, maximumAge: 3_600_000) == 0)
            try await pass(590_000, other, second)
            #expect(try await prune(second, maximumAge: 3_600_000) == 0)
            try await pass(10_000, other, second)
            #expect(try await prune(second, maximumAge: 3_600_000) == 1)
            #expect(try await numbers(second.store) == [2, 3])
        }
    }

    @Test func whatIsOpenIsNotTouchedNorWhatStoodBeforeIt() async throws {
        try await withLeader { leader in
            try await append(leader, .set("a", 1))
            try await append(leader, .set("a", 2))
            let pending = try await leader.append([.set("a", 3)])
            for size in 1...5 { try await append(leader, .set("b", size)) }
            try await prune(leader, limit: 1)
            #expect(try await numbers(leader.store) == [2, 3, 4, 5, 6, 7, 8])
            try await leader.settle(pending, .rejected, error: "no")
            #expect(try await leader.store.state(of: "a", within: patience)?.revision == 2)
            try await prune(leader, limit: 1)
            #expect(try await numbers(leader.store) == [2, 7, 8])
        }
    }

    @Test func whatWaitsToBeConfirmedCanStillBeUndone() async throws {
        try await withLeader { leader in
            try await append(leader, .set("a", 1))
            let draft = RevisionDraft(
                author: .tester,
                operation: .commit,
                changes: [.set("a", 2)],
                confirmWithin: 60_000
            )
            let revision = try await leader.store.append(draft, fence: leader.fence, within: patience)
            try await leader.settle(revision, .applied)
            for size in 1...5 { try await append(leader, .set("b", size)) }
            try await prune(leader, limit: 1)
            #expect(
                try await leader.store.states(at: 1, within: patience).first?.change
                    == .init(
                        group: "a",
                        action: Change.set("a", 1).action,
                        status: .applied
                    )
            )
            #expect(try await leader.store.revision(2, within: patience)?.confirmation?.state == .waiting)
        }
    }

    @Test func groupsThatEndedLeaveNothingBehind() async throws {
        try await withLeader { leader in
            for name in 1...20 {
                try await append(leader, .set("job-\(name)", name))
                try await append(leader, name % 2 == 0 ? .free("job-\(name)") : .destroy("job-\(name)"))
            }
            try await append(leader, .set("last", 1))
            try await prune(leader, limit: 1)
            #expect(try await numbers(leader.store) == [41])
            let raw = try rawConnection(leader.store.path)
            #expect(try raw.first("SELECT count(*) FROM spec") { $0.int(0) } == 1)
        }
    }

    @Test func specificationsGoWithTheLastThatUsesThem() async throws {
        try await withLeader { leader in
            for size in [1, 2, 1, 3] { try await append(leader, .set("a", size)) }
            try await prune(leader, limit: 1)
            let raw = try rawConnection(leader.store.path)
            #expect(
                try raw.all("SELECT body FROM spec ORDER BY body") { RawJSON(checked: $0.blob(0)) } == [
                    .size(1), .size(3),
                ]
            )
            #expect(try raw.all("PRAGMA foreign_key_check") { $0.text(0) } == [])
        }
    }

    @Test func onlyTheLeaderRemoves() async throws {
        try await withLeader { leader in
            for size in 1...5 { try await append(leader, .set("a", size)) }
            _ = try await lead(leader.store, as: "n2/group")
            let error = try await failure { try await prune(leader, limit: 1) }
            #expect(error.code == .fenced)
            #expect(try await numbers(leader.store) == [1, 2, 3, 4, 5])
        }
    }

    /// The hash chain goes on over what is gone, and still finds what was tampered with.
    @Test func theChainHoldsOverTheGaps() async throws {
        try await withLeader { leader in
            for size in 1...30 { try await append(leader, .set("a", size), .set("b\(size % 7)", size)) }
            let store = leader.store
            try await store.setTag("t", to: 9, author: .tester, moving: false, within: patience)
            try await prune(leader, limit: 12)
            try await prune(leader, limit: 5)
            try await store.removeTag("t", within: patience)
            try await prune(leader, limit: 5)
            let kept = try await numbers(store)
            #expect(
                try await store.verify(within: patience)
                    == Verification(newest: 30, revisions: kept.count, problems: [])
            )
            let raw = try rawConnection(store.path)
            try raw.execute("DELETE FROM change WHERE revision = 28")
            try raw.execute("DELETE FROM revision WHERE number = 28")
            let problems = try await store.verify(within: patience).problems
            #expect(problems.first?.sentence == "revision 28 is missing: the next one is 29")
        }
    }

    /// Random histories, with and without retention: every revision that is kept shows what it showed before.
    @Test(arguments: [7, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func whatIsKeptShowsWhatItShowed(_ seed: UInt64) async throws {
        try await withLeader { leader in
            var generator = SeededGenerator(seed)
            var model = HistoryModel()
            let store = leader.store
            for step in 1...150 {
                var changes: [Change] = []
                for group in 0..<Int.random(in: 1...3, using: &generator) {
                    let name: Identifier = "g\(group * 4 + Int.random(in: 0..<4, using: &generator))"
                    changes.append(
                        generator.isHit(perThousand: 200)
                            ? .free(name) : .set(name, Int.random(in: 0..<9, using: &generator))
                    )
                }
                let revision = try await leader.append(changes)
                model.append(revision)
                for change in changes where generator.isHit(perThousand: 950) || step < 140 {
                    let outcome = Outcome(
                        revision: revision.number,
                        group: change.group,
                        status: generator.isHit(perThousand: 150) ? .rejected : .applied
                    )
                    try await store.recordOutcomes([outcome], fence: leader.fence, within: patience)
                    model.record(outcome)
                }
                if generator.isHit(perThousand: 50) {
                    try await store.setTag(
                        "t\(step)",
                        to: revision.number,
                        author: .tester,
                        moving: false,
                        within: patience
                    )
                }
                if generator.isHit(perThousand: 100) {
                    try await prune(leader, limit: Int.random(in: 1...40, using: &generator))
                    try await compare(store, model, seed)
                }
            }
            try await compare(store, model, seed)
            let raw = try rawConnection(store.path)
            #expect(try raw.all("PRAGMA foreign_key_check") { $0.text(0) } == [], "seed \(seed)")
        }
    }

    private func compare(_ store: Store, _ model: HistoryModel, _ seed: UInt64) async throws {
        let page = try await store.history(HistoryQuery(), within: patience)
        #expect(page.total == page.revisions.count, "seed \(seed)")
        let whole = try await store.retention(within: patience).whole
        for revision in page.revisions {
            #expect(revision.changes == model.revisions[revision.number - 1].changes, "seed \(seed)")
            guard revision.number >= whole || !revision.tags.isEmpty else { continue }
            let states = try await store.wholeStates(at: revision.number, within: patience)
            let expected = model.states(at: revision.number)
            #expect(states.entries == expected.entries, "seed \(seed), at revision \(revision.number)")
        }
        let verification = try await store.verify(within: patience)
        #expect(verification.problems == [], "seed \(seed)")
    }
}

extension [GroupState] {
    /// The groups that stand: one that ended may be forgotten.
    fileprivate var entries: [String] {
        compactMap { state in state.spec.map { "\(state.group) \($0.spec.properties.text)" } }
    }
}
