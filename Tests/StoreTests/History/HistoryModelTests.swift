import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

/// Random histories, told to the store and to a model that is too simple to be wrong.
@Suite struct HistoryModelTests {
    @Test(arguments: [1, 20_261, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func theStoreAgreesWithANaiveModel(_ seed: UInt64) async throws {
        try await withStore { store in
            var generator = SeededGenerator(seed)
            var model = HistoryModel()
            var leader = try await lead(store)
            for _ in 0..<120 {
                if generator.isHit(perThousand: 50) {
                    leader = try await lead(store, as: "n\(leader.fence.epoch % 3)/group")
                }
                let draft = draft(&generator)
                let revision = try await store.append(draft, fence: leader.fence, within: patience)
                #expect(revision.number == model.revisions.count + 1, "seed \(seed)")
                model.append(revision)
                for outcome in outcomes(&generator, model) {
                    try await store.recordOutcomes([outcome], fence: leader.fence, within: patience)
                    model.record(outcome)
                }
                if generator.isHit(perThousand: 100) { try await compare(store, model, seed) }
            }
            try await compare(store, model, seed)
            #expect(
                try await store.verify(within: patience) == Verification(newest: 120, revisions: 120, problems: []),
                "seed \(seed)"
            )
        }
    }

    private func draft(_ generator: inout SeededGenerator) -> RevisionDraft {
        var groups = Set<Identifier>()
        let count = generator.isHit(perThousand: 200) ? Int.random(in: 2...5, using: &generator) : 1
        while groups.count < count { groups.insert("g\(Int.random(in: 0..<8, using: &generator))") }
        let changes = groups.sorted().map { group -> Change in
            switch Int.random(in: 0..<10, using: &generator) {
            case 0, 1: .free(group)
            case 2: .destroy(group)
            default: .set(group, Int.random(in: 0..<6, using: &generator))
            }
        }
        return RevisionDraft(author: .tester, operation: .commit, changes: changes)
    }

    /// Late and in any order, as plugins answer; some twice.
    private func outcomes(_ generator: inout SeededGenerator, _ model: HistoryModel) -> [Outcome] {
        (0..<Int.random(in: 0...3, using: &generator)).compactMap { _ in
            guard let revision = model.revisions.randomElement(using: &generator),
                let change = revision.changes.randomElement(using: &generator)
            else { return nil }
            return generator.isHit(perThousand: 400)
                ? Outcome(revision: revision.number, group: change.group, status: .rejected, error: "no")
                : Outcome(revision: revision.number, group: change.group, status: .applied)
        }
    }

    private func compare(_ store: Store, _ model: HistoryModel, _ seed: UInt64) async throws {
        let newest = model.revisions.count
        for number in 0...(newest + 1) {
            let states = try await store.states(at: number, within: patience)
            #expect(states == model.states(at: number), "seed \(seed), at revision \(number)")
        }
        let now = try await store.states(within: patience)
        #expect(now == model.states(at: newest), "seed \(seed)")
        for group in (0..<8).map({ "g\($0)" as Identifier }) {
            let state = try await store.state(of: group, within: patience)
            #expect(state == now.first { $0.group == group }, "seed \(seed), group \(group)")
            let page = try await store.history(HistoryQuery(group: group), within: patience)
            #expect(page.revisions.map(\.number) == model.numbers(of: group), "seed \(seed), group \(group)")
        }
        let page = try await store.history(HistoryQuery(), within: patience)
        #expect(page.revisions.map(\.changes) == model.revisions.reversed().map(\.changes), "seed \(seed)")
        let summary = try await store.summary(within: patience)
        let expected = HistorySummary(
            oldest: 1,
            whole: 1,
            newest: newest,
            current: model.current,
            pending: model.pending,
            rejections: model.openRejections,
            unconfirmed: []
        )
        #expect(summary == expected, "seed \(seed)")
    }
}
