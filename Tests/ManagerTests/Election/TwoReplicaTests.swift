import GroupSPI
import ManagerModels
import SeededRandom
import Store
import Testing

@testable import Manager

/// Two replicas and one row, with everything that happens between them: clocks that disagree and drift, processes that
/// stand still or end, answers that are lost or late.
struct TwoReplicaTests {
    @Test(arguments: 0..<8)
    func neverTwoLeaders(_ part: UInt64) throws {
        var leaders = 0
        for seed in part * 250..<(part + 1) * 250 {
            var model = try TwoReplicaModel(seed: seed)
            model.run()
            #expect(model.violation == nil, "seed \(seed)")
            #expect(model.leadersAtTheEnd == 1, "seed \(seed): nobody leads although nothing is wrong any more")
            leaders += model.terms
        }
        // Otherwise the schedules are too tame to mean anything.
        #expect(leaders > 500)
    }

    /// The model is able to find two leaders: with any of the rules of the row broken, it does.
    @Test(arguments: TwoReplicaModel.Fault.allCases)
    func findsTwoLeadersWhenARuleIsBroken(_ fault: TwoReplicaModel.Fault) throws {
        for seed in UInt64(0)..<3000 {
            var model = try TwoReplicaModel(seed: seed, fault: fault)
            model.run()
            if model.violation != nil { return }
        }
        Issue.record("no schedule shows that \(fault) is dangerous")
    }
}

struct TwoReplicaModel {
    /// A rule that is not kept.
    enum Fault: CaseIterable {
        /// The row promises a shorter ttl than its holder keeps to: the renew deadline is beyond it.
        case deadlineBeyondTTL
        /// Whoever asks for the lease gets it, also when the row has changed since it was watched.
        case acquireWithoutComparing
        /// The holder is taken for gone while it lives.
        case wrongProbe
        /// An answer counts from when it came.
        case deadlineFromTheAnswer
    }

    private struct Row {
        var epoch = 0
        var sequence = 0
        var holder: Int?
        var ttl = 0
    }

    private struct Replica {
        var election: Election
        /// Counts the starts of the process: what was under way before is nobody's any more.
        var start = 0
        /// Local time is `offset + rate * true time`.
        var offset: Double
        var rate: Double
        var pausedUntil = 0.0
        var wakes = 0
        /// As its gate has it, in local time.
        var acting: (epoch: Int, deadline: BootInstant)?
        var isProcessGone = false
    }

    private enum Action {
        case tell(ElectionEvent)
        /// Only the newest wake counts.
        case wake(Int)
        case read(startedAt: BootInstant)
        case acquire(Lease)
        case renew(Int)
        case release(Int)
        case restart
    }

    private struct Entry {
        var time: Double
        var order: Int
        var replica: Int
        var start: Int
        var action: Action
    }

    private static let duration = 120.0
    /// From here on nothing goes wrong any more.
    private static let calm = 80.0

    private var generator: SeededGenerator
    private let fault: Fault?
    private let settings: ElectionSettings
    private var replicas: [Replica] = []
    private var row = Row()
    private var queue: [Entry] = []
    private var order = 0
    private var time = 0.0
    private var lastAssumed = 0
    private var renewIssued: [Int: Double] = [:]
    /// How rough the store is in this schedule.
    private let loss: Double
    private let delay: Double
    private(set) var violation: String?
    private(set) var terms = 0

    init(seed: UInt64, fault: Fault? = nil) throws {
        generator = SeededGenerator(seed)
        self.fault = fault
        settings = try ElectionSettings()
        loss = [0, 0.05, 0.3].randomElement(using: &generator) ?? 0
        delay = [0.02, 0.5, 5].randomElement(using: &generator) ?? 0
        for index in 0..<2 {
            replicas.append(
                Replica(
                    election: Election(settings, seed: generator.next()),
                    offset: .random(in: 0...1000, using: &generator),
                    rate: .random(in: 0.95...1.05, using: &generator)
                )
            )
            push(.tell(.tick), for: index, after: .random(in: 0...2, using: &generator))
        }
    }

    var leadersAtTheEnd: Int { replicas.indices.count { isActing($0) } }

    // MARK: - Time

    private func local(_ index: Int) -> BootInstant {
        BootInstant(nanoseconds: Int((replicas[index].offset + replicas[index].rate * time) * 1e9))
    }

    private func trueTime(_ instant: BootInstant, _ index: Int) -> Double {
        (Double(instant.nanoseconds) / 1e9 - replicas[index].offset) / replicas[index].rate
    }

    private func isActing(_ index: Int) -> Bool {
        guard let acting = replicas[index].acting else { return false }
        return local(index) < acting.deadline
    }

    private mutating func push(_ action: Action, for index: Int, after delay: Double) {
        order += 1
        let entry = Entry(
            time: time + max(0, delay),
            order: order,
            replica: index,
            start: replicas[index].start,
            action: action
        )
        var low = 0
        var high = queue.count
        // Descending, so that the next one is the last.
        while low < high {
            let middle = (low + high) / 2
            let isLater = (queue[middle].time, queue[middle].order) > (entry.time, entry.order)
            if isLater { low = middle + 1 } else { high = middle }
        }
        queue.insert(entry, at: low)
    }

    mutating func run() {
        while violation == nil, let entry = queue.popLast(), entry.time < Self.duration {
            time = entry.time
            guard entry.start == replicas[entry.replica].start else { continue }
            if case .restart = entry.action {
                restart(entry.replica)
            } else if time < replicas[entry.replica].pausedUntil, !reachesTheStore(entry.action) {
                push(entry.action, for: entry.replica, after: replicas[entry.replica].pausedUntil - time)
            } else {
                carryOut(entry.action, for: entry.replica)
            }
        }
    }

    /// A request that is on its way reaches the store also while its process stands still.
    private mutating func reachesTheStore(_ action: Action) -> Bool {
        switch action {
        case .acquire, .renew, .release: Bool.random(using: &generator)
        default: false
        }
    }

    // MARK: - The replicas

    private mutating func tell(_ event: ElectionEvent, _ index: Int) {
        misbehave(index)
        guard !replicas[index].isProcessGone else { return }
        guard time >= replicas[index].pausedUntil else {
            return push(.tell(event), for: index, after: replicas[index].pausedUntil - time)
        }
        let directives = replicas[index].election.handle(event, now: local(index))
        for directive in directives { perform(directive, index) }
        let isHindered = replicas[index].election.inhibitor != nil
        if time >= Self.calm, isHindered { push(.tell(.inhibited(nil)), for: index, after: 0) }
    }

    /// Now and then a process stands still, or ends and is started again.
    private mutating func misbehave(_ index: Int) {
        guard time < Self.calm else { return }
        switch Double.random(in: 0..<1, using: &generator) {
        case ..<0.02: replicas[index].pausedUntil = time + .random(in: 0...20, using: &generator)
        case ..<0.03:
            replicas[index].isProcessGone = true
            replicas[index].acting = nil
            replicas[index].pausedUntil = 0
            replicas[index].start += 1
            push(.restart, for: index, after: .random(in: 0...15, using: &generator))
        case ..<0.05: push(.tell(.inhibited("file")), for: index, after: 0)
        case ..<0.09: push(.tell(.inhibited(nil)), for: index, after: 0)
        case ..<0.11:
            push(.tell(.stepDown(epoch: replicas[index].election.leadingEpoch ?? 0, "asked")), for: index, after: 0)
        default: break
        }
    }

    private mutating func restart(_ index: Int) {
        replicas[index].election = Election(settings, seed: generator.next())
        replicas[index].isProcessGone = false
        // The row names the process that has ended, not this one.
        if row.holder == index { row.holder = index + 10 }
        push(.tell(.tick), for: index, after: 0)
    }

    private mutating func perform(_ directive: ElectionDirective, _ index: Int) {
        let there = latency()
        switch directive {
        case .observe: push(.read(startedAt: local(index)), for: index, after: there)
        case .acquire(let watched, _): push(.acquire(watched), for: index, after: there)
        case .renew(let epoch):
            renewIssued[index] = time
            push(.renew(epoch), for: index, after: there)
        case .release(let epoch, _): push(.release(epoch), for: index, after: there)
        case .wake(let instant):
            replicas[index].wakes += 1
            push(.wake(replicas[index].wakes), for: index, after: trueTime(instant, index) - time + 0.001)
        case .assume(let epoch, let deadline):
            terms += 1
            if epoch <= lastAssumed { violation = "epoch \(epoch) after \(lastAssumed)" }
            lastAssumed = epoch
            act(epoch, deadline, index)
        case .extend(let epoch, let deadline): act(epoch, deadline, index)
        case .suspend: replicas[index].acting = nil
        case .hold, .keep, .letRunOut: break
        case .resign(let epoch, _, _):
            replicas[index].acting = nil
            push(.tell(.freed(epoch: epoch)), for: index, after: .random(in: 0...4, using: &generator))
        }
    }

    private mutating func act(_ epoch: Int, _ deadline: BootInstant, _ index: Int) {
        let late = fault == .deadlineFromTheAnswer ? Duration.seconds(time - (renewIssued[index] ?? time)) : .zero
        replicas[index].acting = (epoch, deadline + late)
        if isActing(0), isActing(1) {
            violation = "two leaders at \(time): \(replicas.map { $0.acting?.epoch ?? 0 })"
        }
    }

    // MARK: - The store

    private mutating func latency() -> Double {
        time < Self.calm ? .random(in: 0...delay, using: &generator) : .random(in: 0...0.02, using: &generator)
    }

    private mutating func isLost() -> Bool { time < Self.calm && Double.random(in: 0..<1, using: &generator) < loss }

    private var lease: Lease {
        let holder: Identifier = row.holder.map { "\($0)" } ?? "nobody"
        let lease = Lease.held(epoch: row.epoch, sequence: row.sequence, by: holder, ttl: row.ttl)
        return row.holder == nil ? lease.next(holder: "", sequence: row.sequence) : lease
    }

    private mutating func carryOut(_ action: Action, for index: Int) {
        let back = latency()
        switch action {
        case .restart: break
        case .tell(let event): tell(event, index)
        case .wake(let number): if number == replicas[index].wakes { tell(.tick, index) }
        case .read(let startedAt):
            if isLost() { return push(.tell(.observationFailed("io")), for: index, after: back) }
            let isGone = row.holder.map { $0 >= 10 || replicas[$0].isProcessGone } ?? false
            let probe = isGone || (fault == .wrongProbe && row.holder != index)
            let takeoverReason = !lease.isHeld ? "released" : probe ? "the process has ended" : nil
            push(.tell(.observed(lease, startedAt: startedAt, takeoverReason: takeoverReason)), for: index, after: back)
        case .acquire(let watched):
            if isLost() { return push(.tell(.acquisitionFailed("io")), for: index, after: back) }
            let isUnchanged = row.epoch == watched.epoch && row.sequence == watched.sequence
            guard isUnchanged || fault == .acquireWithoutComparing else {
                return push(.tell(.acquisitionLost), for: index, after: back)
            }
            let ttl = fault == .deadlineBeyondTTL ? 3000 : settings.ttl.milliseconds
            row = Row(epoch: row.epoch + 1, sequence: row.sequence + 1, holder: index, ttl: ttl)
            // Done, but nobody is told.
            let answer: ElectionEvent = isLost() ? .acquisitionFailed("unknown") : .acquired(lease)
            push(.tell(answer), for: index, after: back)
        case .renew(let epoch):
            if isLost() { return push(.tell(.renewalFailed(epoch: epoch, "busy")), for: index, after: back) }
            guard row.holder == index, row.epoch == epoch else {
                return push(.tell(.renewalFenced(epoch: epoch, "another leads")), for: index, after: back)
            }
            row.sequence += 1
            let answer: ElectionEvent = isLost() ? .storeUncertain(epoch: epoch, "unknown") : .renewed(epoch: epoch)
            push(.tell(answer), for: index, after: back)
        case .release(let epoch):
            guard !isLost(), row.holder == index, row.epoch == epoch else { return }
            row.holder = nil
            row.sequence += 1
        }
    }
}
