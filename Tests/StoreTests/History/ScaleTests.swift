import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

/// No timings, which a busy machine would spoil: how much is stored, and that every question goes through an index.
@Suite struct ScaleTests {
    private static let revisions = 20_000
    private static let groups = 200

    @Test func aRevisionTakesAtMost400BytesAndIsFoundThroughAnIndex() async throws {
        try await withLeader { leader in
            let raw = try rawConnection(leader.store.path)
            try fill(raw, leader.fence)
            let size = try #require(
                try raw.first("SELECT sum(pgsize) FROM dbstat WHERE name NOT IN ('spec', 'sqlite_autoindex_spec_1')") {
                    $0.int(0)
                }
            )
            let bytes = size / Self.revisions
            print("bytes per revision beyond the specifications: \(bytes)")
            #expect(bytes <= 400)
            try comparePlans(leader.store.path, leader.fence)
            #expect(try await leader.store.states(within: patience).count == Self.groups)
            #expect(try await leader.store.states(at: Self.revisions / 2, within: patience).count == Self.groups)
            let few = try await leader.store.differingStates(at: 10_000, and: 10_001, within: patience)
            #expect(few.first.count == 1 && few.second.count == 1)
            // More changes than are looked at one by one.
            let many = try await leader.store.differingStates(at: 1, and: Self.revisions, within: patience)
            #expect(try await many.first == leader.store.states(at: 1, within: patience))
            #expect(try await many.second == leader.store.states(at: Self.revisions, within: patience))
            #expect(try await leader.store.verify(within: patience).isSound)
        }
    }

    /// As managers write it: a message now and then, a refusal with words now and then, half the specs seen before.
    private func fill(_ raw: Connection, _ fence: Fence) throws {
        var generator = SeededGenerator(7)
        try raw.execute("BEGIN IMMEDIATE")
        for index in 0..<Self.revisions {
            let group: Identifier = "cattle-\(index % Self.groups)"
            let message = generator.isHit(perThousand: 300) ? "roll out build \(index) of the web tier" : ""
            let change: Change =
                generator.isHit(perThousand: 100)
                ? .free(group) : .set(group, Int.random(in: 0..<10_000, using: &generator))
            let author = Author(user: "user\(index % 20)", uid: 1000 + index % 20, host: "host\(index % 5)")
            let draft = RevisionDraft(author: author, operation: .commit, message: message, changes: [change])
            let revision = try raw.append(draft, fence: fence, time: 1_700_000_000_000 + index * 1000)
            let outcome =
                generator.isHit(perThousand: 100)
                ? Outcome(
                    revision: revision.number,
                    group: group,
                    status: .rejected,
                    error: "Group '\(group)' cannot be updated: the flavor has no such image"
                )
                : Outcome(revision: revision.number, group: group, status: .applied)
            try raw.recordOutcome(outcome, fence: fence)
        }
        try raw.execute("COMMIT")
    }

    private func comparePlans(_ path: String, _ fence: Fence) throws {
        let questions: [(String, (Connection) throws -> Void)] = [
            (
                "append",
                {
                    _ = try $0.append(
                        .init(author: .tester, operation: .free, changes: []),
                        fence: Self.nobody,
                        time: 0
                    )
                }
            ),
            (
                "outcome",
                {
                    let draft = RevisionDraft(author: .tester, operation: .free, changes: [.free("cattle-7")])
                    let number = try $0.append(draft, fence: fence, time: 1_700_100_000_000).number
                    let outcome = Outcome(revision: number, group: "cattle-7", status: .applied)
                    try $0.recordOutcome(outcome, fence: fence)
                }
            ),
            ("hasOutcomes", { _ = try $0.hasOutcomes([Outcome(revision: 1, group: "a", status: .applied)]) }),
            ("states(at:)", { _ = try $0.states(at: 10_000) }),
            ("states()", { _ = try $0.states() }),
            ("differing states", { _ = try $0.differingStates(10_000, 10_001) }),
            ("differing states of many changes", { _ = try $0.differingStates(1, 20_000) }),
            ("state(of:)", { _ = try $0.state(of: "cattle-7") }),
            ("revision", { _ = try $0.revision(77) }),
            ("page", { _ = try $0.revisions(HistoryQuery(limit: 20)) }),
            ("page of a group", { _ = try $0.revisions(HistoryQuery(group: "cattle-7", limit: 20)) }),
            ("page since", { _ = try $0.revisions(HistoryQuery(limit: 20, since: 1_700_019_990_000)) }),
            ("page of a group since", { _ = try $0.revisions(HistoryQuery(group: "cattle-7", limit: 20, since: 5)) }),
            ("total", { _ = try $0.countRevisions(HistoryQuery(before: 99, after: 9)) }),
            ("total of a group", { _ = try $0.countRevisions(HistoryQuery(group: "cattle-7")) }),
            ("total since", { _ = try $0.countRevisions(HistoryQuery(since: 1_700_019_990_000)) }),
            ("pending", { _ = try $0.pendingRevisionNumbers }),
            ("rejected", { _ = try $0.openRejections }),
            ("current", { _ = try $0.currentRevisionNumber }),
            ("newest", { _ = try $0.newestRevisionNumber }),
            ("oldest", { _ = try $0.oldestRevisionNumber }),
            (
                "verify",
                {
                    var start = Connection.ChainPosition()
                    _ = try $0.verifyChain(from: &start, count: 3)
                }
            ),
        ]
        for (name, ask) in questions {
            let connection = try rawConnection(path)
            do { try ask(connection) } catch let error as StoreError where error.code == .fenced {}
            let texts = connection.preparedTexts.filter { $0.contains("change") || $0.contains("revision") }
            for text in texts {
                let plan = try connection.all("EXPLAIN QUERY PLAN " + text) { $0.text(3) }
                for step in plan where step.hasPrefix("SCAN") {
                    #expect(Self.shortScans.contains(step), "\(name): \(plan) of \(text)")
                }
                // A write that looks at all that a group has been through takes longer with each.
                if text.hasPrefix("UPDATE") {
                    #expect(!plan.contains { $0.contains("group_id=? AND revision<?") }, "\(name): \(plan) of \(text)")
                }
            }
        }
    }

    private static let shortScans = [
        // The recursion's own rows, one for each group.
        "SCAN groups", "SCAN CONSTANT ROW",
        // An index of the pending ones alone.
        "SCAN change USING INDEX change_pending", "SCAN change USING COVERING INDEX change_pending",
        // From the newest backwards, to the first that was not refused.
        "SCAN r",
    ]

    private static let nobody = Fence(instance: "nobody", epoch: 0, manager: "")
}
