import GroupSPI
import Testing

@testable import Store

@Suite struct HistoryTests {
    @Test func aRevisionComesBackAsItWasStored() async throws {
        try await withLeader { leader in
            // What decoding would lose: key order, spelling of numbers, escapes, duplicates, white space.
            let text = #"{ "z":1.0, "a" : 12345678901234567890123, "e":"\u00e9\/", "a":1e2 }"#
            let author = Author(user: "ana", uid: 1000, host: "n7")
            let stored = try await leader.append(
                [Change(group: "cattle", action: .set(try RawJSON(text), plugin: "group-x")), .free("pets")],
                .rollback,
                message: "why: 'quoted' \"twice\" é\u{0}nul",
                author: author
            )
            let read = try await leader.store.revision(1, within: patience)
            #expect(read == stored)
            #expect(read?.number == 1 && read?.parent == nil && read?.epoch == 1 && read?.manager == "n1/group")
            #expect(read?.author == author)
            guard case .set(let properties, let plugin) = read?.changes.first?.action else {
                throw Unexpected("no set")
            }
            #expect(properties.text == text && plugin == "group-x")
        }
    }

    @Test func anUnknownAuthorStaysUnknown() async throws {
        try await withLeader { leader in
            try await leader.append([.free("a")], author: Author(user: nil, uid: nil, host: "h"))
            let author = try await leader.store.revision(1, within: patience)?.author
            #expect(author == Author(user: nil, uid: nil, host: "h"))
        }
    }

    @Test func specificationsAreStoredOnce() async throws {
        try await withLeader { leader in
            for index in 0..<20 { try await leader.append([.set("a\(index % 4)", index % 2)]) }
            let raw = try rawConnection(leader.store.path)
            #expect(try raw.first("SELECT count(*) FROM spec") { $0.int(0) } == 2)
            #expect(try raw.first("SELECT count(*) FROM change") { $0.int(0) } == 20)
            #expect(try raw.first("SELECT count(*) FROM author") { $0.int(0) } == 1)
        }
    }

    private func specs(_ store: Store) throws -> Int? {
        try rawConnection(store.path).first("SELECT count(*) FROM spec") { $0.int(0) }
    }

    /// A writer remembers which there are; another leader may have stored some since.
    @Test func specificationsOfAnotherLeaderAreFoundAgain() async throws {
        try await withScratch { directory in
            let first = try await lead(try await openStore(in: directory))
            for index in 0..<3 { try await first.append([.set("a", index)]) }
            let second = try await lead(try await openStore(in: directory), as: "n2/group")
            for index in 0..<6 { try await second.append([.set("b", index)]) }
            let again = try await lead(first.store)
            for index in 0..<9 { try await again.append([.set("c", index)]) }
            #expect(try specs(first.store) == 9)
        }
    }

    /// Numbers that a rollback takes back are given to other specifications.
    @Test func whatWasUndoneIsNotRemembered() async throws {
        try await withLeader { leader in
            try await leader.append([.set("a", 0)])
            let draft = RevisionDraft(author: .tester, operation: .commit, changes: [.set("new", 1), .set("b", 1)])
            let undone = try await failure {
                try await leader.store.writer.run(within: patience) { connection in
                    _ = try connection.append(draft, fence: leader.fence, time: 1)
                    throw StoreError(.conflict, "undone")
                }
            }
            #expect(undone.code == .conflict)
            // Takes the numbers of what was undone: of the name, and of the specification.
            try await leader.append([.set("other", 2)])
            try await leader.append([.set("new", 1)])
            try await leader.append([.set("other", 1)])
            #expect(try specs(leader.store) == 3)
            #expect(try await leader.store.state(of: "new", within: patience)?.spec?.spec.properties == .size(1))
            #expect(try await leader.store.state(of: "other", within: patience)?.revision == 4)
            #expect(try await leader.store.verify(within: patience).problems == [])
            #expect(try await leader.store.verifyFile(within: patience) == [])
        }
    }

    /// To Swift's strings, two spellings of "é" are one.
    @Test func namesAreToldApartByTheirBytes() async throws {
        try await withLeader { leader in
            try await leader.append([.set("caf\u{e9}", 1)])
            try await leader.append([.set("cafe\u{301}", 2)])
            try await leader.append([.free("a")], author: Author(user: "\u{e9}", uid: 1, host: "h"))
            try await leader.append([.free("a")], author: Author(user: "e\u{301}", uid: 1, host: "h"))
            let raw = try rawConnection(leader.store.path)
            #expect(try raw.first("SELECT count(*) FROM name WHERE text LIKE 'caf%'") { $0.int(0) } == 2)
            #expect(try raw.first("SELECT count(DISTINCT group_id) FROM change") { $0.int(0) } == 3)
            #expect(try raw.first("SELECT count(DISTINCT author) FROM revision") { $0.int(0) } == 3)
            #expect(try await leader.store.verify(within: patience).problems == [])
        }
    }

    @Test func theStateOfAGroupIsItsNewestChangeThatWasNotRefused() async throws {
        try await withLeader { leader in
            let store = leader.store
            let first = try await leader.append([.set("g", 1)])
            try await leader.settle(first, .applied)
            let refused = try await leader.append([.set("g", 2)])
            try await leader.settle(refused, .rejected, error: "no")
            #expect(try await store.state(of: "g", within: patience)?.revision == 1)
            let freed = try await leader.append([.free("g")])
            #expect(try await store.state(of: "g", within: patience)?.change.action == .free)
            #expect(try await store.state(of: "g", within: patience)?.spec == nil)
            let again = try await leader.append([.set("g", 3)])
            let destroyed = try await leader.append([.destroy("g")])
            let state = try await store.state(of: "g", within: patience)
            #expect(state?.change.action == .destroy && state?.revision == destroyed.number)
            #expect(state?.previous == again.changes[0].action)
            // A refused destroy leaves the group as it was.
            try await leader.settle(destroyed, .rejected, error: "busy")
            #expect(try await store.state(of: "g", within: patience)?.spec?.spec.properties == .size(3))
            // What was, stays.
            #expect(try await store.states(at: 1, within: patience).first?.spec?.spec.properties == .size(1))
            #expect(try await store.states(at: 2, within: patience).first?.revision == 1)
            #expect(try await store.states(at: freed.number, within: patience).first?.change.action == .free)
            #expect(try await store.states(at: 0, within: patience).isEmpty)
            #expect(try await store.state(of: "unknown", within: patience) == nil)
        }
    }

    @Test func anEmptyHistoryHasNothing() async throws {
        try await withStore { store in
            let page = try await store.history(HistoryQuery(), within: patience)
            #expect(page.revisions.isEmpty && page.total == 0 && page.current == nil)
            let summary = try await store.summary(within: patience)
            #expect(
                summary
                    == HistorySummary(
                        oldest: 0,
                        whole: 1,
                        newest: 0,
                        current: nil,
                        pending: [],
                        rejections: [],
                        unconfirmed: []
                    )
            )
            #expect(try await store.states(within: patience).isEmpty)
            #expect(try await store.revision(1, within: patience) == nil)
        }
    }

    /// Swift holds the two spellings of "é" for equal and sorts by its own rules; the database compares bytes.
    @Test func namesAreComparedByteByByte() async throws {
        try await withLeader { leader in
            let names: [Identifier] = ["é", "e\u{301}", "z", "Z", "", "\u{1F404}", "\u{FF5E}"]
            let stored = try await leader.append(names.map { .set($0, $0.utf8.count) })
            let read = try #require(try await leader.store.revision(1, within: patience))
            #expect(read.changes.map { Array($0.group.utf8) } == stored.changes.map { Array($0.group.utf8) })
            #expect(try await leader.store.states(within: patience).count == names.count)
            #expect(try await leader.store.verify(within: patience).isSound)
        }
    }

    @Test func aRevisionNamesAGroupOnce() async throws {
        try await withLeader { leader in
            let error = try await failure { try await leader.append([.set("a", 1), .free("a")]) }
            #expect(error.code == .conflict)
            #expect(try await leader.append([.set("a", 1)]).number == 1)
        }
    }

    @Test func onlyTheLeaderAppends() async throws {
        try await withStore { store in
            let first = try await lead(store)
            try await first.append([.set("a", 1)])
            let second = try await lead(store, as: "n2/group")
            let error = try await failure { try await first.append([.set("a", 2)]) }
            #expect(error.code == .fenced && error.message.contains("n2/group") && error.message.contains("epoch 2"))
            try await second.append([.set("a", 3)])
            try await store.releaseLease(second.fence, reason: "done", within: patience)
            #expect(try await failure { try await second.append([.free("a")]) }.code == .fenced)
            let numbers = try await store.history(HistoryQuery(), within: patience).revisions.map(\.number)
            #expect(numbers == [2, 1])
        }
    }

    @Test func outcomesSettleOnce() async throws {
        try await withLeader { leader in
            let store = leader.store
            let revision = try await leader.append([.set("a", 1), .set("b", 1), .set("c", 1)])
            #expect(revision.status == .pending)
            let outcomes = [
                Outcome(revision: 1, group: "a", status: .applied),
                Outcome(revision: 1, group: "b", status: .rejected, error: "b is full"),
            ]
            try await store.recordOutcomes(outcomes, fence: leader.fence, within: patience)
            #expect(try await store.revision(1, within: patience)?.status == .pending)
            #expect(try await store.summary(within: patience).pending == [1])
            try await store.recordOutcomes(
                [
                    Outcome(revision: 1, group: "c", status: .applied),
                    Outcome(revision: 1, group: "b", status: .applied),
                    Outcome(revision: 9, group: "b", status: .applied),
                ],
                fence: leader.fence,
                within: patience
            )
            let read = try #require(try await store.revision(1, within: patience))
            #expect(read.changes.map(\.status) == [.applied, .rejected, .applied])
            #expect(read.status == .partial && read.error == "b is full")
            #expect(read.hash == revision.hash)
            let summary = try await store.summary(within: patience)
            #expect(summary.pending == [] && summary.rejected == [1] && summary.current == 1)
            // The next change of the group is the newest word on it.
            try await leader.append([.set("b", 2)])
            #expect(try await store.summary(within: patience).rejected == [])
        }
    }

    @Test func onlyTheLeaderRecordsOutcomes() async throws {
        try await withStore { store in
            let first = try await lead(store)
            let revision = try await first.append([.set("a", 1)])
            _ = try await lead(store, as: "n2/group")
            #expect(try await failure { try await first.settle(revision, .applied) }.code == .fenced)
            #expect(try await store.revision(1, within: patience)?.status == .pending)
        }
    }

    @Test func aRefusedRevisionIsNotTheCurrentOne() async throws {
        try await withLeader { leader in
            try await leader.append([.set("a", 1)])
            for _ in 0..<3 { try await leader.settle(try await leader.append([.set("a", 2)]), .rejected, error: "no") }
            let page = try await leader.store.history(HistoryQuery(limit: 1), within: patience)
            #expect(page.current == 1 && page.total == 4 && page.revisions.map(\.number) == [4])
        }
    }

    /// A leader acknowledges a change and is killed before it has stored that; then a later one is applied. What was
    /// acknowledged is not called rejected, and the revision gives what it set.
    @Test func anOvertakenChangeIsNotRejected() async throws {
        try await withLeader { leader in
            let store = leader.store
            try await leader.settle(try await leader.append([.set("a", 1), .set("b", 1)]), .applied)
            try await leader.append([.set("a", 2)])
            try await leader.settle(try await leader.append([.set("a", 3)]), .applied)
            let overtaken = try #require(try await store.revision(2, within: patience))
            #expect(overtaken.status == .superseded)
            #expect(overtaken.error == "overtaken by revision 3 before its outcome was known; it may have been applied")
            #expect(try await store.states(at: 2, within: patience).map(\.revision) == [2, 1])
            #expect(try await store.state(of: "a", at: 2, within: patience).spec?.spec.properties == .size(2))
            #expect(try await store.wholeStates(at: 2, of: "a", within: patience).map(\.revision) == [2])
            let (first, second) = try await store.differingStates(at: 1, and: 2, within: patience)
            #expect([first, second].map { $0.first { $0.group == "a" }?.revision } == [1, 2])
            let summary = try await store.summary(within: patience)
            #expect(summary.pending == [] && summary.rejected == [] && summary.current == 3)
            // What came late changes nothing.
            try await leader.settle(overtaken, .rejected, error: "late")
            #expect(try await store.revision(2, within: patience) == overtaken)
            #expect(try await store.verify(within: patience).isSound)
        }
    }

    @Test(
        arguments: [
            ([], Status.applied), ([.pending, .rejected], .pending), ([.applied, .rejected], .partial),
            ([.rejected, .rejected], .rejected), ([.applied], .applied), ([.superseded], .superseded),
            ([.applied, .superseded], .superseded), ([.applied, .superseded, .rejected], .partial),
            ([.superseded, .rejected], .partial), ([.superseded, .pending], .pending),
        ] as [([Status], Status)]
    )
    func aRevisionsStatusCombinesThoseOfItsGroups(_ statuses: [Status], _ expected: Status) {
        #expect(Status.combining(statuses) == expected)
    }
}
