import GroupSPI
import Store
import Testing

@testable import Manager

/// Two ids that Unicode holds for equal are two groups.
struct SpellingTests {
    private let composed: Identifier = "caf\u{E9}"
    private let decomposed: Identifier = "cafe\u{301}"

    @Test func lettingOneGoKeepsTheOther() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit(composed, 1)
            _ = try await replica.commit(decomposed, 2)
            #expect(replica.plugin.groups == [composed: .named(composed, 1), decomposed: .named(decomposed, 2)])
            _ = try await replica.call(.free(id: composed))
            #expect(replica.plugin.groups == [decomposed: .named(decomposed, 2)])
            // Nor does the leader take the plugin's answer about one for one about the other.
            try await pass(.seconds(60), on: replica.clock)
            #expect(replica.plugin.groups == [decomposed: .named(decomposed, 2)])
            replica.runtime.stop()
            try await eventually("the other is let go as well") { replica.plugin.watched.isEmpty }
        }
    }

    @Test func aRollbackOfOneChangesThatOneOnly() async throws {
        try await withReplica { replica in
            try await replica.leads()
            _ = try await replica.commit(composed, 1)
            _ = try await replica.commit(decomposed, 1)
            _ = try await replica.commit(composed, 2)
            _ = try await replica.commit(decomposed, 2)
            let kind = Request.Kind.rollback(to: 2, group: decomposed, expectedCurrent: nil)
            replica.store.submit(Request(id: "r", kind: kind, author: Author(user: "ann", uid: 7, host: "h"), time: 0))
            let revision = try #require(try await replica.end(of: "r").revision)
            #expect(replica.store.revisions[revision - 1].groups == [decomposed])
            #expect(replica.plugin.groups == [composed: .named(composed, 2), decomposed: .named(decomposed, 1)])
        }
    }

    @Test func theOrderOfAPlanIsThatOfTheBytes() {
        let states = [composed, "z", decomposed].map { (group: Identifier) in
            GroupState(
                group: group,
                change: Change(group: group, action: .set(.null, plugin: "p"), status: .applied),
                revision: 1
            )
        }
        #expect(
            RollbackPlan.changes(from: [], to: states, unconfirmed: []).map(\.group) == [decomposed, composed, "z"]
        )
        #expect(
            RollbackPlan.changes(from: states, to: [states[0], states[1]], unconfirmed: []).map(\.group) == [decomposed]
        )
    }
}
