import GroupSPI
import StoreFakes
import Testing

@testable import Store

@Suite struct SnapshotTests {
    private static let tight = [
        Snapshot.Limits(records: 1, bytes: 0, terms: 1), Snapshot.Limits(records: 6, bytes: 5000, terms: 3),
        Snapshot.Limits(records: 40, bytes: 900, terms: 9),
    ]

    // MARK: - At random

    /// Without trimming, everything is there; with it, what stands, what is open, and the hashes still are.
    @Test(arguments: [1, 20_261, UInt64.random(in: 0 ... .max)], [[], tight])
    func agreesWithANaiveModel(_ seed: UInt64, _ limits: [Snapshot.Limits]) throws {
        var script = LeaderScript(seed: seed, trimmingTo: limits)
        var model = SnapshotModel()
        for number in 1...400 {
            let before = script.snapshot
            let step = try script.step()
            if case .trimmed(let limits) = step { checkTrim(before, script.snapshot, limits, seed) }
            // A confirmation that was trimmed away is unknown, and not merely over.
            if case .ended(let revision, _, .notFound?) = step, revision <= script.snapshot.base.revision { continue }
            if case .marked(.confirm(let revision), _, _, .notFound?) = step,
                revision <= script.snapshot.base.revision
            {
                continue
            }
            let expected = model.take(step, time: script.time)
            #expect(step.error == expected, "seed \(seed), step \(number): \(step)")
            if number.isMultiple(of: 10) { compare(script.snapshot, model, "seed \(seed), step \(number)") }
        }
        compare(script.snapshot, model, "seed \(seed)")
        #expect(script.snapshot.newest > 100)
        if seed == 1 || limits.isEmpty { #expect((script.snapshot.base.revision == 0) == limits.isEmpty) }
    }

    private func compare(_ snapshot: Snapshot, _ model: SnapshotModel, _ place: String) {
        #expect(snapshot.isSound, "\(place)")
        #expect(snapshot.newest == model.history.revisions.count, "\(place)")
        #expect(snapshot.groups == model.groups(at: snapshot.newest), "\(place)")
        #expect(snapshot.base.groups == model.groups(at: snapshot.base.revision), "\(place)")
        #expect(
            snapshot.records.map(\.revision.changes)
                == model.history.revisions.dropFirst(snapshot.base.revision).map(\.changes),
            "\(place)"
        )
        let pending = snapshot.records.filter { record in record.revision.changes.contains { $0.status == .pending } }
        #expect(pending.map(\.revision.number) == model.history.pending, "\(place)")
        let waiting = snapshot.records.map(\.revision).filter { $0.confirmation?.state == .waiting }.map(\.number)
        #expect(waiting == model.confirmations.filter { $0.value == .waiting }.keys.sorted(), "\(place)")
        for case let confirmation? in snapshot.records.map(\.revision.confirmation) {
            #expect(confirmation.state == model.confirmations[confirmation.revision], "\(place)")
        }
        #expect(snapshot.tags.map(\.name) == model.tags.keys.sorted(), "\(place)")
        for tag in snapshot.tags { #expect(tag.revision == model.tags[tag.name], "\(place)") }
        #expect(Set(snapshot.settled) == Set(model.settled.values) && snapshot.settled.count == model.settled.count)
        #expect(snapshot.terms == Array(model.terms.prefix(snapshot.terms.count)), "\(place)")
        #expect(!snapshot.terms.isEmpty || model.terms.isEmpty, "\(place)")
    }

    private func checkTrim(
        _ before: Snapshot,
        _ after: Snapshot,
        _ limits: Snapshot.Limits,
        _ seed: UInt64
    ) {
        #expect(after.groups == before.groups && after.hash == before.hash && after.newest == before.newest)
        #expect(after.tags == before.tags && after.lease == before.lease && after.place == before.place)
        #expect(after.terms.count <= limits.terms, "seed \(seed)")
        // Nothing stays beyond the limits but what is open, what follows it, and the newest.
        let first = after.records.first
        let isFull = after.records.count > limits.records || after.records.reduce(0) { $0 + $1.size } > limits.bytes
        #expect(!isFull || after.records.count == 1 || first?.isSettled == false, "seed \(seed)")
        // And nothing goes without need.
        if let gone = before.records.dropLast(after.records.count).last {
            let kept = after.records.reduce(gone.size) { $0 + $1.size }
            #expect(after.records.count + 1 > limits.records || kept > limits.bytes, "seed \(seed)")
        }
    }

    // MARK: - The fence

    @Test func whoeverDoesNotLeadEditsNothing() throws {
        var script = LeaderScript(seed: 7)
        while script.oldFences.count < 4 || script.fence == nil || script.snapshot.records.isEmpty {
            _ = try script.step()
        }
        let fence = try #require(script.fence)
        var strangers = script.oldFences
        strangers.append(Fence(instance: fence.instance, epoch: fence.epoch + 1, manager: fence.manager))
        strangers.append(Fence(instance: fence.instance, epoch: fence.epoch - 1, manager: fence.manager))
        strangers.append(Fence(instance: "another", epoch: fence.epoch, manager: fence.manager))
        let draft = RevisionDraft(author: .tester, operation: .commit, changes: [.set("web", 1)])
        for stranger in strangers {
            var snapshot = script.snapshot
            for code in [
                refusal { try snapshot.append(draft, fence: stranger, time: 1) },
                refusal { try snapshot.record(Outcome(revision: 1, group: "web", status: .applied), fence: stranger) },
                refusal {
                    try snapshot.apply(.tag("t", revision: 1, moving: true), author: .tester, fence: stranger, time: 1)
                },
                refusal { try snapshot.require(stranger) },
            ] { #expect(code == .fenced, "\(stranger)") }
            snapshot.release(stranger, reason: "r", time: 1)
            #expect(snapshot == script.snapshot, "\(stranger)")
        }
        var snapshot = script.snapshot
        snapshot.release(fence, reason: "r", time: 5)
        #expect(!snapshot.lease.isHeld && snapshot.lease.epoch == fence.epoch)
        #expect(refusal { try snapshot.require(fence) } == .fenced)
        #expect(refusal { try snapshot.append(draft, fence: fence, time: 1) } == .fenced)
    }

    private func refusal<Value>(_ body: () throws -> Value) -> StoreError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test func onlyTheLeaseThatWasWatchedIsTakenOver() throws {
        let first = candidate("n1/group")
        var snapshot = Snapshot()
        func acquire(_ candidate: Candidate, _ watched: Lease, floor: Int = 0) -> Lease? {
            snapshot.acquire(candidate, watched: watched, at: "a", floor: floor, ttl: 9000, reason: "why", time: 10)
        }
        let held = try #require(acquire(first, .none))
        #expect(held.epoch == 1 && held.holder == "n1/group" && held.expiresAt == 9010 && snapshot.place == "a")
        let before = snapshot
        #expect(acquire(candidate("n2/group"), .none) == nil)
        #expect(acquire(candidate("n2/group"), .nobody(since: 1)) == nil)
        snapshot.release(Fence(instance: held.instance, epoch: 1, manager: ""), reason: "stopped", time: 20)
        let released = snapshot
        #expect(acquire(candidate("n2/group"), held) == nil)
        #expect(snapshot == released && before != released)
        #expect(acquire(candidate("n2/group"), snapshot.lease, floor: 8)?.epoch == 9)
        #expect(acquire(candidate("n3/group"), snapshot.lease, floor: 4)?.epoch == 10)
        #expect(snapshot.terms.map(\.epoch) == [10, 9, 1])
        #expect(snapshot.terms.map(\.reason) == [nil, "why", "stopped"] && snapshot.terms[2].until == 20)
    }

    // MARK: - One by one

    @Test func anAppliedChangeSettlesTheOpenOnesBeforeIt() throws {
        var snapshot = Snapshot()
        let fence = try lead(&snapshot)
        func append(_ changes: [Change]) throws {
            let draft = RevisionDraft(author: .tester, operation: .commit, changes: changes)
            _ = try snapshot.append(draft, fence: fence, time: 1)
        }
        try append([.set("a", 1), .set("b", 1)])
        try append([.set("a", 2)])
        try append([.free("a")])
        try append([.set("a", 4)])
        try snapshot.record(Outcome(revision: 3, group: "a", status: .applied), fence: fence)
        #expect(
            snapshot.records.map { $0.revision.changes.map(\.status) } == [
                [.superseded, .pending], [.superseded], [.applied], [.pending],
            ]
        )
        #expect(
            snapshot.records[1].revision.error
                == "overtaken by revision 3 before its outcome was known; it may have been applied"
        )
        // What is settled stays as it is.
        let before = snapshot
        try snapshot.record(Outcome(revision: 3, group: "a", status: .rejected, error: "late"), fence: fence)
        try snapshot.record(Outcome(revision: 9, group: "a", status: .applied), fence: fence)
        try snapshot.record(Outcome(revision: 1, group: "zzz", status: .applied), fence: fence)
        #expect(snapshot == before)
        #expect(snapshot.groups["a"]?.spec.properties == .size(4))
    }

    @Test func aRequestIsSettledAtMostOnce() throws {
        var snapshot = Snapshot()
        try snapshot.settle(Snapshot.Settled(id: "r", state: .done, revision: 1, until: 100))
        #expect(
            refusal { try snapshot.settle(Snapshot.Settled(id: "r", state: .refused, until: 200)) } == .conflict
        )
        #expect(snapshot.settled == [Snapshot.Settled(id: "r", state: .done, revision: 1, until: 100)])
        snapshot.answer("r", .success(.plan("first")), until: 300)
        snapshot.answer("r", .success(.plan("second")), until: 300)
        #expect(snapshot.settled.map(\.answer) == [.success(.plan("first"))] && snapshot.settled[0].revision == 1)
        snapshot.trim(to: Snapshot.Limits(), time: 100)
        #expect(snapshot.settled.count == 1)
        snapshot.trim(to: Snapshot.Limits(), time: 101)
        #expect(snapshot.settled.isEmpty)
    }

    @Test func anAnswerAloneSettlesToo() throws {
        var snapshot = Snapshot()
        snapshot.answer("r", .failure(GroupError(.rejected, "no")), until: 100)
        #expect(snapshot.settled.map(\.state) == [.done] && snapshot.settled[0].until == 100)
        #expect(refusal { try snapshot.settle(Snapshot.Settled(id: "r", state: .done, until: 1)) } == .conflict)
    }

    @Test func everyChangeOfARecordShowsInTheHashes() throws {
        var script = LeaderScript(seed: 3)
        while script.snapshot.records.count < 5 { _ = try script.step() }
        let snapshot = script.snapshot
        #expect(snapshot.isSound)
        for index in snapshot.records.indices {
            let good = snapshot.records[index]
            var other = good.revision.changes
            other.append(.free("zz"))
            for bad in [
                Snapshot.Record(good.revision.with(changes: other), token: good.token),
                Snapshot.Record(good.revision, token: good.token.reversed()),
            ] {
                var damaged = snapshot
                damaged.records[index] = bad
                #expect(!damaged.isSound)
            }
            // Outcomes come later than the hash.
            var settled = snapshot
            settled.records[index].revision = good.revision.with(
                changes: good.revision.changes.map {
                    Change(group: $0.group, action: $0.action, status: .rejected, error: "e")
                }
            )
            #expect(settled.isSound)
        }
        var missing = snapshot
        missing.records.remove(at: 2)
        #expect(!missing.isSound)
        var otherBase = snapshot
        otherBase.base.hash[0] ^= 1
        #expect(!otherBase.isSound)
        var emptyBase = Snapshot(base: Snapshot.Base(revision: 3, hash: [1]))
        #expect(emptyBase.isSound && emptyBase.newest == 3 && emptyBase.hash(at: 3) == [1])
        emptyBase.records = snapshot.records
        #expect(!emptyBase.isSound)
    }

    @Test func theHashAtARevision() throws {
        var script = LeaderScript(seed: 5)
        while script.snapshot.records.count < 9 { _ = try script.step() }
        var snapshot = script.snapshot
        let hashes = (0...9).map { snapshot.hash(at: $0) }
        #expect(hashes[0] == HashChain.origin && hashes[9] == snapshot.hash)
        for index in snapshot.records.indices {
            let changes = snapshot.records[index].revision.changes
            snapshot.records[index].revision = snapshot.records[index].revision.with(
                changes: changes.map { Change(group: $0.group, action: $0.action, status: .applied) }
            )
        }
        for revision in snapshot.records.map(\.revision) where revision.confirmation != nil {
            try? snapshot.endConfirmation(of: revision.number, as: .confirmed)
        }
        snapshot.trim(to: Snapshot.Limits(records: 4), time: 0)
        #expect((0...10).map { snapshot.hash(at: $0) } == Array(repeating: nil, count: 5) + hashes[5...9] + [nil])
    }

    private func lead(_ snapshot: inout Snapshot) throws -> Fence {
        let lease = snapshot.acquire(
            candidate("n1/group"),
            watched: snapshot.lease,
            at: "node",
            floor: 0,
            ttl: 9000,
            reason: "a test",
            time: 1
        )
        let held = try #require(lease)
        return Fence(instance: held.instance, epoch: held.epoch, manager: held.holder)
    }
}
