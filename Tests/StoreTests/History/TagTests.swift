import GroupSPI
import Testing

@testable import Store

@Suite struct TagTests {
    private func tag(_ store: Store, _ name: Identifier, _ revision: Int, moving: Bool = false) async throws {
        try await store.setTag(name, to: revision, author: .tester, moving: moving, within: patience)
    }

    @Test func aTagStandsForARevision() async throws {
        try await withLeader { leader in
            let store = leader.store
            for size in 1...3 { try await leader.append([.set("a", size)]) }
            try await tag(store, "stable", 2)
            try await tag(store, "also", 2)
            let tags = try await store.tags(within: patience)
            #expect(
                tags.map(\.name) == ["also", "stable"] && tags.allSatisfy { $0.revision == 2 && $0.author == .tester }
            )
            #expect(try await store.revision(2, within: patience)?.tags == ["also", "stable"])
            // The same again is no change.
            try await tag(store, "stable", 2)
            #expect(try await store.tags(within: patience) == tags)
            try await store.removeTag("also", within: patience)
            #expect(try await store.revision(2, within: patience)?.tags == ["stable"])
        }
    }

    @Test func aNameMovesOnlyWhenAsked() async throws {
        try await withLeader { leader in
            let store = leader.store
            for size in 1...3 { try await leader.append([.set("a", size)]) }
            try await tag(store, "stable", 2)
            let error = try await failure { try await tag(store, "stable", 3) }
            #expect(error.code == .conflict && error.message.contains("already names revision 2"))
            try await tag(store, "stable", 3, moving: true)
            #expect(try await store.tags(within: patience).map(\.revision) == [3])
        }
    }

    @Test func whatIsNotThereIsSaidWithWhatIs() async throws {
        try await withLeader { leader in
            let store = leader.store
            let empty = try await failure { try await tag(store, "x", 1) }
            #expect(empty.code == .notFound && empty.message == "there is no revision 1: the history is empty")
            try await leader.append([.set("a", 1)])
            try await leader.append([.set("a", 2)])
            let missing = try await failure { try await tag(store, "x", 9) }
            #expect(missing.message == "there is no revision 9: the history has revisions 1 to 2")
            let none = try await failure { try await store.removeTag("x", within: patience) }
            #expect(none.message == "there is no tag 'x'; there are no tags")
            try await tag(store, "y", 1)
            let other = try await failure { try await store.removeTag("x", within: patience) }
            #expect(other.message == "there is no tag 'x'; there are: y")
        }
    }

    @Test(arguments: [
        ("stable", true), ("v1.2_x-3", true), ("12", false), ("", false), ("-x", false), ("a b", false), ("é", false),
        (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
    ])
    func aNameIsNoNumber(_ name: String, _ isName: Bool) {
        #expect(Tag.isName(name) == isName)
    }

    // MARK: - Confirmations

    private func unconfirmed(_ leader: Leader, _ change: Change) async throws -> Revision {
        let draft = RevisionDraft(author: .tester, operation: .commit, changes: [change], confirmWithin: 60_000)
        return try await leader.store.append(draft, fence: leader.fence, within: patience)
    }

    @Test func aRevisionIsConfirmedOnce() async throws {
        try await withLeader { leader in
            let store = leader.store
            let revision = try await unconfirmed(leader, .set("a", 1))
            let waiting = try await store.waitingConfirmations(within: patience)
            #expect(waiting.map(\.revision) == [1] && waiting.map(\.allowed) == [60_000])
            #expect(waiting.map(\.deadline) == [revision.time + 60_000] && revision.confirmation == waiting.first)
            try await store.confirm(1, within: patience)
            #expect(try await store.waitingConfirmations(within: patience) == [])
            let again = try await failure { try await store.confirm(1, within: patience) }
            #expect(again.message == "revision 1 is confirmed already")
            let other = try await failure { try await store.confirm(2, within: patience) }
            #expect(other.code == .notFound && other.message == "revision 2 needs no confirmation; none does")
        }
    }

    /// Of the confirmation and the reversal one wins, and the other hears of it.
    @Test func itIsConfirmedOrReverted() async throws {
        let clock = ManualClock()
        try await withLeader(clock) { leader in
            let store = leader.store
            _ = try await unconfirmed(leader, .set("a", 1))
            let draft = RevisionDraft(author: .tester, operation: .rollback, target: 0, changes: [.free("a")])
            let revert = { try await store.append(draft, resolving: .expiry(1), fence: leader.fence, within: patience) }
            #expect(try await failure { try await revert() }.message == "there is still time to confirm revision 1")
            _ = try await store.renewLease(leader.fence, within: patience)
            clock.pass(60_000)
            _ = try await revert()
            let late = try await failure { try await store.confirm(1, within: patience) }
            #expect(late.code == .conflict && late.message.contains("was reverted"))
            #expect(try await failure { try await revert() }.code == .conflict)
            _ = try await unconfirmed(leader, .set("a", 2))
            try await store.confirm(3, within: patience)
            let tooLate = try await failure {
                try await store.append(draft, resolving: .expiry(3), fence: leader.fence, within: patience)
            }
            #expect(tooLate.code == .conflict)
            #expect(try await store.summary(within: patience).newest == 3)
        }
    }
}
