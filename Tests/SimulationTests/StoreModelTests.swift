import Glibc
import GroupSPI
import ManagerModels
import SeededRandom
import Store
import Testing

/// What the simulation takes for the store, and the store itself, do the same.
@Suite struct StoreModelTests {
    @Test(arguments: [1, 20_261, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func theModelDoesWhatTheStoreDoes(_ seed: UInt64) async throws {
        try await withStore { store in
            var pair = Pair(store: store, seed: seed)
            for _ in 0..<400 { try await pair.step() }
            try await pair.compare()
            // Otherwise nothing was compared.
            #expect(pair.model.lease.epoch > 3 && pair.model.revisions.count > 20, "seed \(seed)")
            #expect(pair.refusals > 20, "seed \(seed)")
        }
    }

    private func withStore(_ body: (Store) async throws -> Void) async throws {
        let directory = "/dev/shm/ik-model-\(UInt64.random(in: 0 ... .max))"
        try #require(mkdir(directory, 0o700) == 0)
        let path = StoreConfiguration.path(in: directory)
        defer {
            unlink(path)
            unlink("\(path)-journal")
            rmdir(directory)
        }
        try await body(try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 1000)))
    }
}

/// Both, and what three replicas do to them.
private struct Pair {
    let store: Store
    let seed: UInt64
    var model = StoreModel()
    var random: SeededGenerator
    var requests = 0
    /// How often both said no.
    var refusals = 0
    /// As each replica last saw the row, and the term in which it believes to lead.
    var watched = [Lease](repeating: StoreModel.emptyLease, count: 3)
    var epochs = [Int](repeating: 0, count: 3)

    private let patience = Duration.seconds(60)

    init(store: Store, seed: UInt64) {
        self.store = store
        self.seed = seed
        random = SeededGenerator(seed)
    }

    private func claimant(_ index: Int) -> Claimant {
        Claimant(
            id: ReplicaID("n\(index)")!,
            instance: "i\(index)",
            process: ProcessIdentity(host: "h", bootID: "b", pidNamespace: "1", pid: index, startTime: 1),
            socket: "/s",
            pluginSocket: "/p",
            guardLock: "/g"
        )
    }

    private func fence(_ index: Int) -> Fence {
        Fence(instance: "i\(index)", epoch: epochs[index], manager: "n\(index)")
    }

    mutating func step() async throws {
        let index = random.below(3)
        let fence = fence(index)
        switch random.below(14) {
        case 0, 1:
            // Now and then somebody has been faster.
            if random.below(4) > 0 { watched[index] = model.lease }
            let claimant = claimant(index)
            let watched = watched[index]
            let row = try await both(
                { try await $0.acquireLease(claimant, watched: watched, ttl: 9000, reason: "x", within: $1) },
                { $0.acquire(claimant, watched: watched, ttl: 9000) }
            )
            if let row = row ?? nil { epochs[index] = row.epoch } else { refusals += 1 }
        case 2:
            watched[index] = model.lease
            try await both(
                { _ = try await $0.renewLease(fence, within: $1) },
                { model throws(StoreError) in _ = try model.renew(fence) }
            )
        case 3 where random.below(3) == 0:
            try await both({ try await $0.releaseLease(fence, reason: "x", within: $1) }, { $0.release(fence) })
        case 3...7: try await append(fence)
        case 8, 9:
            let outcomes = [outcome()]
            try await both(
                { try await $0.recordOutcomes(outcomes, fence: fence, within: $1) },
                { model throws(StoreError) in try model.record(outcomes, fence: fence) }
            )
        case 10:
            requests += 1
            let request = Request(id: "r\(requests)", kind: .stepDown, author: Self.author, time: 1000 + requests)
            try await both({ try await $0.submit(request, within: $1) }, { $0.submit(request) })
        default: try await end(fence)
        }
        if random.below(10) == 0 { try await compare() }
    }

    private static let author = Author(user: "ann", uid: 7, host: "here")

    private mutating func append(_ fence: Fence) async throws {
        let changes = Set((0..<1 + random.below(2)).map { _ in "g\(random.below(3))" }).sorted().map { group in
            let properties = RawJSON(checked: Array("{\"Size\":\(random.below(9))}".utf8))
            let action: Change.Action =
                [.set(properties, plugin: "p"), .set(properties, plugin: "p"), .free, .destroy][random.below(4)]
            return Change(group: group, action: action)
        }
        let draft = RevisionDraft(author: Self.author, operation: .commit, changes: changes)
        let cause: RevisionCause? = random.below(3) == 0 ? .request(someRequest()) : nil
        let made = try await both(
            { store, patience in
                guard let cause else { return try await store.append(draft, fence: fence, within: patience).number }
                return try await store.append(draft, settling: cause, fence: fence, within: patience).number
            },
            { model throws(StoreError) in try model.append(draft, settling: cause, fence: fence).number }
        )
        if let made { #expect(made == model.revisions.count, "seed \(seed)") }
    }

    private mutating func outcome() -> Outcome {
        Outcome(
            revision: 1 + random.below(model.revisions.count + 1),
            group: "g\(random.below(3))",
            status: random.below(3) == 0 ? .rejected : .applied,
            error: "said"
        )
    }

    private mutating func someRequest() -> String { "r\(1 + random.below(requests + 1))" }

    private mutating func end(_ fence: Fence) async throws {
        let id = someRequest()
        switch random.below(4) {
        case 0:
            let wasTakenBack = try await both(
                { try await $0.cancelRequest(id, within: $1) },
                { $0.cancel(id) }
            )
            if wasTakenBack == false { refusals += 1 }
        case 1:
            try await both(
                { try await $0.finishRequest(id, state: .refused, error: "no", fence: fence, within: $1) },
                { model throws(StoreError) in try model.finish(id, as: .refused, error: "no", fence: fence) }
            )
        case 2:
            try await both(
                { try await $0.answerRequest(id, .success(.ok), fence: fence, within: $1) },
                { model throws(StoreError) in try model.answer(id, .success(.ok), fence: fence) }
            )
        default:
            let time = 1000 + random.below(requests + 1)
            try await both(
                { try await $0.removeRequests(before: time, fence: fence, within: $1) },
                { model throws(StoreError) in try model.removeRequests(before: time, fence: fence) }
            )
        }
    }

    /// - Returns: the store's result; nil when both said no, for the same reason.
    @discardableResult
    private mutating func both<Value>(
        _ real: (Store, Duration) async throws -> Value,
        _ modelled: (inout StoreModel) throws(StoreError) -> Value,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Value? {
        var expected: StoreError.Code?
        do throws(StoreError) { _ = try modelled(&model) } catch { expected = error.code }
        do {
            let value = try await real(store, patience)
            #expect(expected == nil, "seed \(seed)", sourceLocation: sourceLocation)
            return value
        } catch let error as StoreError {
            #expect(error.code == expected, "seed \(seed): \(error)", sourceLocation: sourceLocation)
            refusals += 1
            return nil
        }
    }

    func compare() async throws {
        let row = try await store.lease(within: patience)
        #expect(row.next(renewedAt: 0, expiresAt: 0).timeless == model.lease.next().timeless, "seed \(seed)")
        for number in [nil, model.revisions.count / 2] {
            #expect(try await store.states(at: number, within: patience) == model.states(at: number), "seed \(seed)")
        }
        let summary = try await store.summary(within: patience)
        #expect(summary == model.summary, "seed \(seed)")
        #expect(try await store.waitingRequests(within: patience) == model.waitingRequests, "seed \(seed)")
        for id in (0...requests).map({ "r\($0)" }) {
            #expect(try await store.request(id, within: patience) == model.request(id), "seed \(seed)")
        }
        for number in model.revisions.indices.map({ $0 + 1 }) {
            let stored = try await store.revision(number, within: patience)
            #expect(stored?.changes == model.revision(number)?.changes, "seed \(seed)")
            #expect(stored?.epoch == model.revision(number)?.epoch, "seed \(seed)")
        }
    }
}

extension Lease {
    /// Without the times, which are the clock's.
    fileprivate var timeless: [String] { [holder, instance, "\(epoch)", "\(sequence)", "\(isHeld ? ttl : 0)"] }
}
