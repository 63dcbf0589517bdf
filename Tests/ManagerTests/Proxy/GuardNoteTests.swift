import GroupSPI
import Testing

@testable import Manager

/// What the orphan guard knows of the groups, so that it can let them go without asking anybody.
struct GuardNoteTests {
    @Test func theGuardKnowsAGroupBeforeThePluginDoes() async throws {
        let orphanGuard = FakeGuard()
        try await withReplica(orphanGuard: orphanGuard) { replica in
            try await replica.leads()
            let early = Shared<[Identifier]>([])
            replica.plugin.script { request in
                if let group = request.groupID, request.isCommit, !orphanGuard.log.contains(.note(group)) {
                    early.update { $0.append(group) }
                }
                return nil
            }
            _ = try await replica.commit("a")
            _ = try await replica.call(.watch(.named("b")))
            _ = try await replica.call(.free(id: "a"))
            #expect(orphanGuard.log == [.note("a"), .note("b"), .forget("a")])
            // Nobody says that it has ended.
            replica.plugin.script { _ in .fail(GroupError(.unknownOutcome, "lost")) }
            _ = await replica.error(.destroy(id: "b"))
            #expect(!orphanGuard.log.contains(.forget("b")))
            replica.plugin.behave()
            #expect(early.value == [])
            try await replica.leadAgain()
            // At the end of the term, when all is free; and each again in the next.
            #expect(orphanGuard.log.contains(.forgetAll))
        }
    }

    /// An end of leadership does not depend on what the plugin says of its groups.
    @Test func resignsByName() async throws {
        try await withReplica { replica in
            try await replica.leads()
            for group in ["a", "b"] as [Identifier] { _ = try await replica.commit(group) }
            replica.plugin.script { request in
                guard case .inspect = request else { return nil }
                return .fail(GroupError(.unreadable, "a reply of more than 16777216 bytes"))
            }
            let released = replica.store.count(.release)
            replica.orphanGuard.inhibit("not now")
            try await eventually("the lease is released", on: replica.clock) {
                replica.store.count(.release) > released
            }
            #expect(replica.plugin.watched.isEmpty)
        }
    }
}
