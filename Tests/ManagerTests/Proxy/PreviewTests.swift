import GroupSPI
import Store
import Testing

@testable import Manager

/// What `--dry-run` asks: what the plugin would do to many groups, in one request.
struct PreviewTests {
    private static let specs = (0..<100).map { GroupSpec.named("g\($0)", 2) }

    private func preview(_ replica: Replica) async throws -> Request {
        replica.store.submit(Request(id: "r", kind: .preview(Self.specs), author: MemoryStore.author))
        try await eventually("the request has ended", on: replica.clock) {
            replica.store.request("r")?.answer != nil
        }
        return try #require(replica.store.request("r"))
    }

    private func plans(_ replica: Replica) async throws -> [PlannedChanges.Plan] {
        let request = try await preview(replica)
        #expect(request.state == .done && request.revision == nil)
        let reply = try #require(request.answer).get()
        let plans = try #require(PlannedChanges(reply)).plans
        #expect(plans.map(\.group) == Self.specs.map(\.id))
        return plans
    }

    @Test func thePluginIsAskedAboutEachAndNothingChanges() async throws {
        try await Replica.withHistory { replica in
            let (groups, revisions) = (replica.plugin.groups, replica.store.revisions.count)
            replica.plugin.script { $0.groupID == "g7" ? .fail(GroupError(.rejected, "no room")) : nil }
            for plan in try await plans(replica) {
                guard plan.group == "g7" else {
                    #expect((try? plan.words.get()) != nil, "\(plan)")
                    continue
                }
                #expect(throws: GroupError(.rejected, "no room")) { try plan.words.get() }
            }
            #expect(replica.plugin.groups == groups && replica.store.revisions.count == revisions)
        }
    }

    /// Somebody waits for all the answers: a plugin that hangs costs one call's time, not a hundred's.
    @Test func aPluginThatDoesNotAnswerIsNotAskedOn() async throws {
        try await Replica.withHistory { replica in
            let before = replica.plugin.calls.count
            replica.plugin.script { request in
                guard case .commit(_, pretend: true) = request else { return nil }
                return .fail(GroupError(.unknownOutcome, "no answer"))
            }
            for plan in try await plans(replica) {
                #expect(throws: GroupError(.unknownOutcome, "no answer")) { try plan.words.get() }
            }
            let asked = replica.plugin.calls.dropFirst(before).count { request in
                if case .commit(_, pretend: true) = request { true } else { false }
            }
            #expect((1...16).contains(asked), "\(asked)")
        }
    }

    /// Whoever asks is not told that nobody has taken it up.
    @Test func itIsTakenUpWhileThePluginDoesNotAnswer() async throws {
        try await Replica.withHistory { replica in
            let gate = Gate()
            replica.plugin.script { request in
                if case .commit(_, pretend: true) = request { .hang(gate) } else { nil }
            }
            replica.store.submit(Request(id: "r", kind: .preview(Self.specs), author: MemoryStore.author))
            try await eventually("the plugin is being asked", on: replica.clock) { gate.waiting > 0 }
            #expect(replica.store.request("r")?.state == .done && replica.store.request("r")?.answer == nil)
            gate.open()
            try await eventually("it is answered", on: replica.clock) { replica.store.request("r")?.answer != nil }
        }
    }
}
