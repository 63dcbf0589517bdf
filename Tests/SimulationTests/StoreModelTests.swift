import Glibc
import GroupSPI
import ManagerModels
import SeededRandom
import Store
import Synchronization
import Testing

/// What the simulation takes for the store, and the store itself, do the same.
@Suite struct StoreModelTests {
    /// Of these it is known that they try enough; others have to come to the same, however little they try.
    fileprivate static let chosen: Set<UInt64> = [1, 20_261]

    @Test(arguments: [1, 20_261, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func theModelDoesWhatTheStoreDoes(_ seed: UInt64) async throws {
        try await withStore { store, clock in
            var pair = Pair(store: store, clock: clock, seed: seed)
            for _ in 0..<800 { try await pair.step() }
            try await pair.compare()
            // Otherwise nothing was compared.
            let (epochs, revisions) = (pair.model.lease.epoch, pair.model.revisions.count)
            #expect(epochs > 3 && revisions > 20 || !Self.chosen.contains(seed), "seed \(seed)")
            #expect(pair.refusals > 20, "seed \(seed)")
            #expect(pair.model.confirmations.count > 2 || !Self.chosen.contains(seed), "seed \(seed)")
            try await pair.pruneAtLast()
        }
    }

    private func withStore(_ body: (Store, HandClock) async throws -> Void) async throws {
        let directory = "/dev/shm/ik-model-\(UInt64.random(in: 0 ... .max))"
        try #require(mkdir(directory, 0o700) == 0)
        let path = StoreConfiguration.path(in: directory)
        defer {
            unlink(path)
            unlink("\(path)-journal")
            rmdir(directory)
        }
        let clock = HandClock()
        let configuration = StoreConfiguration(path: path, busyTimeout: 1000)
        try await body(try await Store.openForManager(configuration) { clock.now }, clock)
    }
}

/// A clock that the test moves, in milliseconds.
private final class HandClock: Sendable {
    private let time = Mutex(1_000_000)

    var now: Int { time.withLock(\.self) }
    func pass(_ milliseconds: Int) { time.withLock { $0 += milliseconds } }
}

/// Both, and what three replicas do to them.
private struct Pair {
    let store: Store
    let clock: HandClock
    let seed: UInt64
    var count = TimeCount()
    var model = StoreModel()
    var random: SeededGenerator
    var requests = 0
    /// How often both said no.
    var refusals = 0
    /// As each replica last saw the row, and the term in which it believes to lead.
    var watched = [Lease](repeating: StoreModel.emptyLease, count: 3)
    var epochs = [Int](repeating: 0, count: 3)

    private let patience = Duration.seconds(60)

    init(store: Store, clock: HandClock, seed: UInt64) {
        self.store = store
        self.clock = clock
        self.seed = seed
        random = SeededGenerator(seed)
    }

    private func candidate(_ index: Int) -> Candidate {
        Candidate(
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

    private mutating func elapsed() -> Int {
        count.advance(from: model.elapsed, ttl: model.lease.ttl, at: clock.now)
    }

    mutating func step() async throws {
        let index = random.below(3)
        let fence = fence(index)
        clock.pass(random.below(500))
        switch random.below(18) {
        case 0, 1:
            // Now and then somebody has been faster.
            if random.below(4) > 0 { watched[index] = model.lease }
            let candidate = candidate(index)
            let watched = watched[index]
            let (epoch, sequence) = (model.lease.epoch, model.lease.sequence)
            let elapsed = count.begin(
                with: model.elapsed,
                epoch: epoch,
                sequence: sequence,
                ttl: model.lease.ttl,
                at: clock.now
            )
            let row = try await both(
                { try await $0.acquireLease(candidate, watched: watched, ttl: 9000, reason: "x", within: $1) },
                { $0.acquire(candidate, watched: watched, ttl: 9000, elapsed: elapsed) }
            )
            if let row = row ?? nil { epochs[index] = row.epoch } else { refusals += 1 }
        case 2:
            watched[index] = model.lease
            let elapsed = elapsed()
            try await both(
                { _ = try await $0.renewLease(fence, within: $1) },
                { model throws(StoreError) in _ = try model.renew(fence, elapsed: elapsed) }
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
        case 11:
            guard let number = model.confirmations.randomElement(using: &random)?.revision else { break }
            try await both(
                { try await $0.confirm(number, within: $1) },
                { model throws(StoreError) in try model.endConfirmation(of: number, as: .confirmed) }
            )
        case 12: try await prune(fence)
        case 14:
            let number =
                model.summary.rejected.randomElement(using: &random) ?? 1 + random.below(model.revisions.count + 1)
            try await both(
                { try await $0.acknowledge(number, author: Self.author, message: "seen", within: $1) },
                { model throws(StoreError) in try model.acknowledge(number) }
            )
        case 13:
            let elapsed = elapsed()
            let expired = try await store.expiredConfirmations(within: patience)
            #expect(
                expired.map(\.revision) == model.expiredConfirmations(at: elapsed).map(\.revision),
                "seed \(seed)"
            )
            guard let number = expired.first?.revision, random.below(2) == 0 else { break }
            try await both(
                { try await $0.overtakeConfirmation(of: number, fence: fence, within: $1) },
                { model throws(StoreError) in
                    try model.overtakeConfirmation(of: number, fence: fence, elapsed: elapsed)
                }
            )
        default: try await end(fence)
        }
        if random.below(10) == 0 { try await compare() }
    }

    /// How much is kept until the end, when some of it goes.
    private mutating func prune(_ fence: Fence, keeping age: Int = 600_000) async throws {
        let policy = RetentionPolicy(maximumAge: age)
        let elapsed = elapsed()
        try await both(
            { store, patience in
                var position: Int? = 0
                while let from = position {
                    position = try await store.prune(policy, after: from, fence: fence, within: patience).position
                }
            },
            { model throws(StoreError) in _ = try model.prune(policy, fence: fence, elapsed: elapsed) }
        )
    }

    mutating func pruneAtLast() async throws {
        epochs[0] = model.lease.epoch
        let watched = model.lease
        let elapsed = count.begin(
            with: model.elapsed,
            epoch: watched.epoch,
            sequence: watched.sequence,
            ttl: watched.ttl,
            at: clock.now
        )
        let candidate = candidate(0)
        let row = try await both(
            { try await $0.acquireLease(candidate, watched: watched, ttl: 9000, reason: "x", within: $1) },
            { $0.acquire(candidate, watched: watched, ttl: 9000, elapsed: elapsed) }
        )
        epochs[0] = try #require(row ?? nil).epoch
        #expect(model.ages.count > 3 || !StoreModelTests.chosen.contains(seed), "seed \(seed)")
        let changes = [Change(group: "g0", action: .free)]
        let draft = RevisionDraft(author: Self.author, operation: .commit, changes: changes)
        // What is open keeps all that comes after it.
        for revision in model.revisions {
            for change in revision.changes where change.status == .pending {
                let outcome = Outcome(revision: revision.number, group: change.group, status: .rejected, error: "no")
                let fence = fence(0)
                try await both(
                    { try await $0.recordOutcomes([outcome], fence: fence, within: $1) },
                    { model throws(StoreError) in try model.record([outcome], fence: fence) }
                )
            }
        }
        for confirmation in model.waitingConfirmations {
            try await both(
                { try await $0.confirm(confirmation.revision, within: $1) },
                { model throws(StoreError) in try model.endConfirmation(of: confirmation.revision, as: .confirmed) }
            )
        }
        let fence = fence(0)
        try await both(
            { _ = try await $0.append(draft, fence: fence, within: $1) },
            { model throws(StoreError) in _ = try model.append(draft, fence: fence) }
        )
        try await compare()
        let age = model.elapsed - model.ages[model.ages.count / 2].elapsed
        try await prune(fence, keeping: age)
        let whole = try await store.retention(within: patience).whole
        #expect(whole == model.whole && whole > 1, "seed \(seed)")
    }

    private static let author = Author(user: "ann", uid: 7, host: "here")

    private mutating func append(_ fence: Fence) async throws {
        let changes = Set((0..<1 + random.below(2)).map { _ in "g\(random.below(3))" }).sorted().map { group in
            let properties = RawJSON(checked: Array("{\"Size\":\(random.below(9))}".utf8))
            let action: Change.Action =
                [.set(properties, plugin: "p"), .set(properties, plugin: "p"), .free, .destroy][random.below(4)]
            return Change(group: Identifier(group), action: action)
        }
        let draft = RevisionDraft(
            author: Self.author,
            operation: .commit,
            changes: changes,
            confirmWithin: random.below(4) == 0 ? 1000 * random.within(1...5) : nil
        )
        var trigger: RevisionTrigger? = random.below(3) == 0 ? .request(someRequest()) : nil
        if let waiting = model.waitingConfirmations.first, random.below(4) == 0 { trigger = .expiry(waiting.revision) }
        let elapsed = elapsed()
        // What whoever has stored it knows of it: its number, and how long it waits to be confirmed.
        func told(_ revision: Revision) -> [Int] {
            [revision.number, revision.confirmation?.state == .waiting ? revision.confirmation?.allowed ?? 0 : -1]
        }
        var modelled: [Int]?
        let made = try await both(
            { store, patience in
                guard let trigger else { return told(try await store.append(draft, fence: fence, within: patience)) }
                return told(try await store.append(draft, resolving: trigger, fence: fence, within: patience))
            },
            { model throws(StoreError) in
                modelled = told(try model.append(draft, resolving: trigger, fence: fence, elapsed: elapsed))
            }
        )
        if let made { #expect(made == modelled && made.first == model.revisions.count, "seed \(seed)") }
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
        switch random.below(6) {
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
        case 3:
            try await both({ try await $0.renewRequest(id, within: $1) }, { $0.renew(id) })
        case 4:
            let note = random.below(2) == 0 ? "a change of a" : nil
            try await both(
                { try await $0.noteRequests([id: note], fence: fence, within: $1) },
                { model throws(StoreError) in try model.note([id: note], fence: fence) }
            )
        default:
            let sequence = max(0, model.lease.sequence - random.below(8))
            let step = try await both(
                { try await $0.removeRequests(endedBefore: sequence, fence: fence, within: $1) },
                { model throws(StoreError) in
                    let step = try model.removeRequests(endedBefore: sequence, fence: fence)
                    #expect(step.removed < 500)
                }
            )
            if let step { #expect(step.sequence == model.lease.sequence, "seed \(seed)") }
        }
    }

    /// - Returns: the store's result; nil when both said no, for the same reason.
    @discardableResult
    private mutating func both<Value, Modelled>(
        _ real: (Store, Duration) async throws -> Value,
        _ modelled: (inout StoreModel) throws(StoreError) -> Modelled,
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

    mutating func compare() async throws {
        let row = try await store.lease(within: patience)
        count.saw(model.elapsed, epoch: model.lease.epoch, sequence: model.lease.sequence, at: clock.now)
        #expect(row.next(renewedAt: 0, expiresAt: 0).timeless == model.lease.next().timeless, "seed \(seed)")
        for number in [nil, model.revisions.count / 2] {
            #expect(try await store.states(at: number, within: patience) == model.states(at: number), "seed \(seed)")
        }
        let summary = try await store.summary(within: patience)
        #expect(summary.timeless == model.summary.timeless, "seed \(seed)")
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

extension HistorySummary {
    fileprivate var timeless: [[Int]] {
        [[oldest, whole, newest, current ?? 0], pending, rejected, rejections.map(\.group.text.count)]
            + unconfirmed.map { [$0.revision, $0.allowed] }
    }
}

extension Lease {
    /// Without the times, which are the clock's.
    fileprivate var timeless: [String] { [holder.text, instance, "\(epoch)", "\(sequence)", "\(isHeld ? ttl : 0)"] }
}
