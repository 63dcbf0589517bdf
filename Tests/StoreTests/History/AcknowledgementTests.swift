import GroupSPI
import Testing

@testable import Store

/// Of what an operator is warned, and until when.
struct AcknowledgementTests {
    private func rejections(_ leader: Leader) async throws -> [OpenRejection] {
        try await leader.store.summary(within: patience).rejections
    }

    private func reject(_ leader: Leader, _ changes: [Change]) async throws {
        try await leader.settle(try await leader.append(changes), .rejected, error: "no")
    }

    @Test func aRejectedRevisionIsAcknowledgedOnce() async throws {
        try await withLeader { leader in
            let store = leader.store
            try await leader.settle(try await leader.append([.set("a", 1)]), .applied)
            try await reject(leader, [.set("a", 2), .set("b", 1)])
            #expect(
                try await rejections(leader) == [
                    OpenRejection(revision: 2, group: "a"), OpenRejection(revision: 2, group: "b"),
                ]
            )
            #expect(try await store.summary(within: patience).rejected == [2])
            for (number, code) in [(1, StoreError.Code.conflict), (3, .notFound), (0, .notFound)] {
                let error = try await failure {
                    try await store.acknowledge(number, author: .tester, message: "", within: patience)
                }
                #expect(error.code == code, "\(number): \(error)")
            }
            try await store.acknowledge(2, author: .tester, message: "withdrawn", within: patience)
            #expect(try await rejections(leader) == [])
            let known = try #require(try await store.revision(2, within: patience)?.acknowledgement)
            #expect(known.author == .tester && known.message == "withdrawn" && known.time > 0 && known.revision == 2)
            let other = Author(user: "eve", uid: 1, host: "there")
            let again = try await failure {
                try await store.acknowledge(2, author: other, message: "me too", within: patience)
            }
            #expect(again.code == .conflict && again.message.contains("is acknowledged already, by "))
            #expect(try await store.revision(2, within: patience)?.acknowledgement == known)
            // Of the next one it says nothing.
            try await reject(leader, [.set("a", 3)])
            #expect(try await rejections(leader) == [OpenRejection(revision: 3, group: "a")])
            #expect(try await store.verify(within: patience).isSound)
        }
    }

    /// What was asked for and refused, and stands all the same, is no trouble; nor is the freeing of what does not stand.
    @Test func whatIsObsoleteIsNotWarnedOf() async throws {
        try await withLeader { leader in
            try await leader.settle(try await leader.append([.set("a", 1), .set("b", 1)]), .applied)
            try await reject(leader, [.set("a", 1)])
            #expect(try await rejections(leader) == [], "it stands so")
            try await reject(leader, [.free("nobody")])
            #expect(try await rejections(leader) == [], "there is no such group")
            try await reject(leader, [.free("a")])
            #expect(try await rejections(leader) == [OpenRejection(revision: 4, group: "a")])
            try await leader.settle(try await leader.append([.set("a", 1)]), .applied)
            #expect(try await rejections(leader) == [], "a later change was applied")
            try await reject(leader, [.destroy("b")])
            #expect(try await rejections(leader) == [OpenRejection(revision: 6, group: "b")])
            try await leader.settle(try await leader.append([.destroy("b")]), .applied)
            try await reject(leader, [.destroy("b")])
            #expect(try await rejections(leader) == [], "it is destroyed")
            // What another plugin should have got is another thing.
            let moved = Change(group: "a", action: .set(.size(1), plugin: "other"))
            try await reject(leader, [moved])
            #expect(try await rejections(leader) == [OpenRejection(revision: 9, group: "a")])
        }
    }

    /// Nobody has to confirm what the plugin refused as a whole; what is left of a revision waits.
    @Test func whatWasRejectedWaitsForNobody() async throws {
        try await withLeader { leader in
            let store = leader.store
            func append(_ changes: [Change]) async throws -> Revision {
                let draft = RevisionDraft(author: .tester, operation: .commit, changes: changes, confirmWithin: 60_000)
                return try await store.append(draft, fence: leader.fence, within: patience)
            }
            func settle(_ revision: Int, _ group: Identifier, _ status: Status) async throws {
                let outcome = Outcome(
                    revision: revision,
                    group: group,
                    status: status,
                    error: status == .rejected ? "no" : nil
                )
                try await store.recordOutcomes([outcome], fence: leader.fence, within: patience)
            }
            _ = try await append([.set("a", 1), .set("b", 1)])
            try await settle(1, "a", .rejected)
            #expect(try await store.waitingConfirmations(within: patience).map(\.revision) == [1], "b may be applied")
            try await settle(1, "b", .rejected)
            #expect(try await store.waitingConfirmations(within: patience) == [])
            #expect(try await store.revision(1, within: patience)?.confirmation?.state == .rejected)
            let late = try await failure { try await store.confirm(1, within: patience) }
            #expect(late.message == "the plugin refused revision 1: there is nothing to confirm")
            _ = try await append([.set("a", 2), .set("b", 2)])
            try await settle(2, "a", .rejected)
            try await settle(2, "b", .applied)
            #expect(try await store.waitingConfirmations(within: patience).map(\.revision) == [2])
            #expect(try await store.verify(within: patience).isSound)
        }
    }
}
