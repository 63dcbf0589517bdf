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
        try await store.beginReplica(within: .seconds(60))
        var model = ReplicaModel()
        model.begin()
        let tight = Snapshot.Limits(records: 2, bytes: 10_000, terms: 3, outcomes: 3)
        var script = LeaderScript(seed: seed, trimmingTo: [tight, Snapshot.Limits(records: 8)])
        var random = SeededGenerator(seed ^ 1)
        var (position, older, counts) = (0, [Snapshot](), [String: Int]())
        for round in 0..<250 {
            for _ in 0..<(1 + random.below(8)) { _ = try script.step() }
            // Now and then it is not told for so long that the snapshot has forgotten what came between.
            for _ in 0..<400 where round % 12 == 0 && script.snapshot.base.revision <= model.history.revisions.count + 1
            {
                _ = try script.step()
            }
            older.append(script.snapshot)
            // Now and then what was so before, also of another leader's history; and an order in which it was not read.
            let snapshot = random.below(8) == 0 ? older[random.below(older.count)] : script.snapshot
            position += random.below(10) == 0 ? -1 : 1
            let copy = Self.copy(position)
            let found = try await store.apply(snapshot, copy, within: .seconds(60))
            let expected = model.apply(snapshot, copy, time: 0, elapsed: 0)
            #expect(found == expected, "seed \(seed), round \(round)")
            counts["\(found)".prefix { $0 != "(" }.description, default: 0] += 1
            // What is old changes as well, when it is told late: now and then all of it is compared.
            let count = round % 25 == 24 ? Int.max : 1000
            guard try await Self.areSame(store, model, count, "seed \(seed), round \(round)") else { return }
        }
        // Of these it is known that they try enough; others have to come to the same, however little they try.
        guard [1, 20_261].contains(seed) else { return }
        #expect(counts["done", default: 0] > 100 && counts["stale", default: 0] > 5, "seed \(seed): \(counts)")
        #expect(counts["behind", default: 0] > 5, "seed \(seed): \(counts)")
        #expect(!model.history.lost.isEmpty, "seed \(seed): no revision was missed")
    }

    private static func copy(_ position: Int) -> LocalReplicaInfo {
        LocalReplicaInfo(
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

    /// One revision, as far as both tell it. Thousands of them are compared at once: an expectation for each took minutes.
    private struct Row: Hashable {
        let number: Int
        let operation: Operation
        let hash: [UInt8]
        let statuses: [Status]
        let confirmation: String?

        init(_ revision: Revision, _ confirmation: String?) {
            (number, operation, hash) = (revision.number, revision.operation, revision.hash)
            (statuses, self.confirmation) = (revision.changes.map(\.status), confirmation)
        }
    }

    /// - Parameter count: how many of the newest revisions are compared.
    private static func areSame(
        _ store: Store,
        _ model: ReplicaModel,
        _ count: Int,
        _ when: String
    ) async throws -> Bool {
        let limit = Duration.seconds(60)
        let states = try await store.states(at: nil, within: limit)
        let own = model.history.states()
        #expect(states.map(\.group) == own.map(\.group), "\(when)")
        for (one, two) in zip(states, own) {
            #expect(one.revision == two.revision && one.change.action == two.change.action, "\(when): \(one) \(two)")
            #expect(one.change.status == two.change.status, "\(when): \(one) \(two)")
        }
        let query = count == .max ? HistoryQuery() : HistoryQuery(limit: count)
        let revisions = try await store.history(query, within: limit).revisions.map {
            Row($0, $0.confirmation.map { "\($0.state)" })
        }
        let confirmations = Dictionary(
            model.history.confirmations.map { ($0.revision, "\($0.state)") },
            uniquingKeysWith: { first, _ in first }
        )
        let known = model.history.revisions.reversed().lazy.filter { !model.history.lost.contains($0.number) }
            .prefix(count).map { Row($0, confirmations[$0.number]) }
        let isSame = revisions.elementsEqual(known)
        if !isSame {
            let different = zip(revisions, known).first { $0 != $1 }.map { "\($0), and not \($1)" }
            Issue.record("\(when): \(different ?? "\(revisions.count) revisions, and not \(Array(known).count)")")
        }
        let left = try await store.snapshot(of: 4, within: limit)
        let mine = model.snapshot(of: 4)
        #expect(left?.groups == mine?.groups && left?.hash == mine?.hash, "\(when)")
        #expect(left?.records.map(\.revision.number) == mine?.records.map(\.revision.number), "\(when)")
        #expect(left?.lease == mine?.lease && left?.settledFrom == mine?.settledFrom, "\(when)")
        return states.map(\.group) == own.map(\.group) && isSame
    }
}
