import Glibc
import GroupSPI
import ManagerModels
import SeededRandom
import Store
import StoreFakes
import Testing

/// What the simulation takes for a node's copy of a swarm's label, and the database that is one, do the same.
@Suite struct ReplicaModelTests {
    @Test(arguments: [1, 20_261, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func theModelDoesWhatTheCopyDoes(_ seed: UInt64) async throws {
        let directory = "/dev/shm/ik-replica-\(UInt64.random(in: 0 ... .max))"
        try #require(mkdir(directory, 0o700) == 0)
        let path = StoreConfiguration.path(in: directory)
        defer {
            unlink(path)
            unlink("\(path)-journal")
            rmdir(directory)
        }
        let store = try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 1000))
        try await store.beginSwarmCopy(within: .seconds(60))
        var model = ReplicaModel()
        model.begin()
        let tight = HistoryImage.Limits(records: 2, bytes: 10_000, terms: 3, outcomes: 3)
        var script = LeaderScript(seed: seed, trimmingTo: [tight, HistoryImage.Limits(records: 8)])
        var random = SeededGenerator(seed ^ 1)
        var (position, older, counts) = (0, [HistoryImage](), [String: Int]())
        for round in 0..<250 {
            for _ in 0..<(1 + random.below(8)) { _ = try script.step() }
            // Now and then it is not told for so long that the image has forgotten what came between.
            for _ in 0..<400 where round % 12 == 0 && script.image.base.revision <= model.history.revisions.count + 1 {
                _ = try script.step()
            }
            older.append(script.image)
            // Now and then what was so before, also of another leader's history; and an order in which it was not read.
            let image = random.below(8) == 0 ? older[random.below(older.count)] : script.image
            position += random.below(10) == 0 ? -1 : 1
            let copy = Self.copy(position)
            let found = try await store.project(image, copy, within: .seconds(60))
            let expected = model.project(image, copy, time: 0, elapsed: 0)
            #expect(found == expected, "seed \(seed), round \(round)")
            counts["\(found)".prefix { $0 != "(" }.description, default: 0] += 1
            guard try await Self.areSame(store, model, "seed \(seed), round \(round)") else { return }
        }
        #expect(counts["done", default: 0] > 100 && counts["stale", default: 0] > 5, "seed \(seed): \(counts)")
        #expect(counts["behind", default: 0] > 5, "seed \(seed): \(counts)")
        #expect(!model.history.lost.isEmpty, "seed \(seed): no revision was missed")
    }

    private static func copy(_ position: Int) -> SwarmCopy {
        SwarmCopy(
            cluster: "c",
            node: "n",
            leader: "n",
            position: position,
            version: position,
            labelSize: 1,
            labelLimit: 2,
            readAt: 3
        )
    }

    private static func areSame(_ store: Store, _ model: ReplicaModel, _ when: String) async throws -> Bool {
        let limit = Duration.seconds(60)
        let states = try await store.states(at: nil, within: limit)
        let own = model.history.states()
        #expect(states.map(\.group) == own.map(\.group), "\(when)")
        for (one, two) in zip(states, own) {
            #expect(one.revision == two.revision && one.change.action == two.change.action, "\(when): \(one) \(two)")
            #expect(one.change.status == two.change.status, "\(when): \(one) \(two)")
        }
        let revisions = try await store.history(HistoryQuery(limit: 1000), within: limit).revisions.reversed()
        let known = model.history.revisions.filter { !model.history.lost.contains($0.number) }
        #expect(revisions.map(\.number) == known.map(\.number), "\(when)")
        for (one, two) in zip(revisions, known) {
            #expect(one.changes.map(\.status) == two.changes.map(\.status), "\(when): revision \(one.number)")
            #expect(one.hash == two.hash && one.operation == two.operation, "\(when): revision \(one.number)")
            let state = model.history.confirmations.first { $0.revision == one.number }?.state
            #expect(one.confirmation?.state == state, "\(when): revision \(one.number)")
        }
        let left = try await store.image(of: 4, within: limit)
        let mine = model.image(of: 4)
        #expect(left?.groups == mine?.groups && left?.hash == mine?.hash, "\(when)")
        #expect(left?.records.map(\.revision.number) == mine?.records.map(\.revision.number), "\(when)")
        #expect(left?.lease == mine?.lease && left?.settledFrom == mine?.settledFrom, "\(when)")
        return states.map(\.group) == own.map(\.group) && revisions.map(\.number) == known.map(\.number)
    }
}
