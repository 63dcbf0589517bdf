import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

/// What is read to compare two revisions.
@Suite struct DifferingStatesTests {
    /// Random histories: what two whole states differ in, and what a model that is too simple to be wrong does.
    @Test(arguments: [5, 20_261, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func theyAreWhatTwoWholeStatesDifferIn(_ seed: UInt64) async throws {
        try await withLeader { leader in
            var generator = SeededGenerator(seed)
            var model = HistoryModel()
            for step in 1...150 {
                let revision = try await leader.append(changes(&generator))
                model.append(revision)
                for change in revision.changes where generator.isHit(perThousand: 950) {
                    let status: Status = generator.isHit(perThousand: 150) ? .rejected : .applied
                    let outcome = Outcome(revision: revision.number, group: change.group, status: status)
                    try await leader.store.recordOutcomes([outcome], fence: leader.fence, within: patience)
                    model.record(outcome)
                }
                if generator.isHit(perThousand: 80) {
                    try await leader.store.setTag(
                        "t\(step)",
                        to: revision.number,
                        author: .tester,
                        moving: false,
                        within: patience
                    )
                }
                if generator.isHit(perThousand: 80) {
                    let limit = generator.within(1...60)
                    try await leader.store.pruneAtOnce(.init(limit: limit), fence: leader.fence)
                    try await compare(leader.store, model, &generator, seed)
                }
            }
            try await compare(leader.store, model, &generator, seed)
        }
    }

    private func changes(_ generator: inout SeededGenerator) -> [Change] {
        var groups = Set<Identifier>()
        let count = generator.within(1...3)
        while groups.count < count { groups.insert("g\(generator.below(12))") }
        return groups.sorted().map { group in
            switch generator.below(10) {
            case 0, 1: .free(group)
            case 2: .destroy(group)
            default: .set(group, generator.below(4))
            }
        }
    }

    /// Revisions beside each other, each with itself, and others, in both directions.
    private func compare(
        _ store: Store,
        _ model: HistoryModel,
        _ generator: inout SeededGenerator,
        _ seed: UInt64
    ) async throws {
        let whole = try await store.retention(within: patience).whole
        let page = try await store.history(HistoryQuery(), within: patience)
        var states: [Int: [GroupState]] = [:]
        for revision in page.revisions where revision.number >= whole || !revision.tags.isEmpty {
            states[revision.number] = try await store.wholeStates(at: revision.number, within: patience)
        }
        let numbers = states.keys.sorted()
        var pairs = zip(numbers, numbers.dropFirst()).flatMap { [($0, $1), ($1, $0), ($0, $0)] }
        for _ in 0..<60 {
            guard let one = numbers.randomElement(using: &generator),
                let other = numbers.randomElement(using: &generator)
            else { break }
            pairs.append((one, other))
        }
        for (one, other) in pairs {
            let comment: Comment = "seed \(seed), revisions \(one) and \(other)"
            let (first, second) = (try #require(states[one]), try #require(states[other]))
            let found = try await store.differingStates(at: one, and: other, within: patience)
            let alike = Set(first).intersection(second)
            #expect(found.first.filter { !alike.contains($0) } == first.filter { !alike.contains($0) }, comment)
            #expect(found.second.filter { !alike.contains($0) } == second.filter { !alike.contains($0) }, comment)
            #expect(Set(first).isSuperset(of: found.first) && Set(second).isSuperset(of: found.second), comment)
            #expect(
                Differences(found.first, found.second)
                    == Differences(model.states(at: one), model.states(at: other)),
                comment
            )
            // No others are read.
            let changed = model.revisions[min(one, other)..<max(one, other)].flatMap { $0.changes.map(\.group) }
            #expect(Set(changed).isSuperset(of: (found.first + found.second).map(\.group)), comment)

            if let group = (first + second).randomElement(using: &generator)?.group {
                let alone = try await store.differingStates(at: one, and: other, of: group, within: patience)
                #expect(alone.first == first.filter { $0.group == group }, comment)
                #expect(alone.second == second.filter { $0.group == group }, comment)
            }
            if other == numbers.last {
                let now = try await store.differingStates(at: one, and: nil, within: patience)
                #expect(now.first == found.first && now.second == found.second, comment)
            }
        }
    }

    @Test func whatIsNotKeptIsToldAsOfOneRevision() async throws {
        try await withLeader { leader in
            for size in 1...6 { try await leader.settle(try await leader.append([.set("a", size)]), .applied) }
            let store = leader.store
            try await store.pruneAtOnce(.init(limit: 2), fence: leader.fence)
            for number in [0, 1, 4, 7] {
                let error = try await failure { try await store.wholeStates(at: number, within: patience) }
                for pair in [(number, 5), (5, number), (number, number)] {
                    let told = try await failure {
                        try await store.differingStates(at: pair.0, and: pair.1, within: patience)
                    }
                    #expect(told == error, "\(pair)")
                }
                let told = try await failure { try await store.requireWhole(number, within: patience) }
                #expect(told == error, "\(number)")
            }
            // The first revision, then the group, then the second revision.
            let unknown = try await failure { try await store.requireWhole(5, of: "b", within: patience) }
            #expect(unknown == StoreError(.notFound, "there is no group 'b'; there are: a"))
            let group = try await failure {
                try await store.differingStates(at: 5, and: 9, of: "b", within: patience)
            }
            #expect(group == unknown)
            let revision = try await failure {
                try await store.differingStates(at: 9, and: 5, of: "b", within: patience)
            }
            #expect(revision.message == "there is no revision 9: the history has revisions 5 to 6")
        }
    }
}

/// The groups that do not stand alike, with what they have in the one and in the other. One that ended may be forgotten.
private struct Differences: Equatable {
    private let groups: [Identifier: [RawJSON?]]

    init(_ first: [GroupState], _ second: [GroupState]) {
        let (one, other) = (Self.specs(first), Self.specs(second))
        let names = Set(one.keys).union(other.keys).filter { one[$0] != other[$0] }
        groups = Dictionary(uniqueKeysWithValues: names.map { ($0, [one[$0], other[$0]]) })
    }

    private static func specs(_ states: [GroupState]) -> [Identifier: RawJSON] {
        let standing = states.compactMap { state in state.spec.map { (state.group, $0.spec.properties) } }
        return Dictionary(uniqueKeysWithValues: standing)
    }
}

extension Store {
    /// As a history that is shorter than a step takes it.
    fileprivate func pruneAtOnce(_ policy: RetentionPolicy, fence: Fence) async throws {
        let step = try await prune(policy, after: 0, fence: fence, within: patience)
        #expect(step.position == nil)
    }
}
