import GroupSPI
import StoreFakes
import Testing

@testable import Store

@Suite struct HistoryImageTests {
    private static let tight = [
        HistoryImage.Limits(records: 1, bytes: 0, terms: 1), HistoryImage.Limits(records: 6, bytes: 5000, terms: 3),
        HistoryImage.Limits(records: 40, bytes: 900, terms: 9),
    ]

    // MARK: - At random

    /// Without trimming, everything is there; with it, what stands, what is open, and the hashes still are.
    @Test(arguments: [1, 20_261, UInt64.random(in: 0 ... .max)], [[], tight])
    func agreesWithANaiveModel(_ seed: UInt64, _ limits: [HistoryImage.Limits]) throws {
        var script = LeaderScript(seed: seed, trimmingTo: limits)
        var model = ImageModel()
        for number in 1...400 {
            let before = script.image
            let step = try script.step()
            if case .trimmed(let limits) = step { checkTrim(before, script.image, limits, seed) }
            // A confirmation that was trimmed away is unknown, and not merely over.
            if case .ended(let revision, _, .notFound?) = step, revision <= script.image.base.revision { continue }
            if case .marked(.confirm(let revision), _, _, .notFound?) = step,
                revision <= script.image.base.revision
            {
                continue
            }
            let expected = model.take(step, time: script.time)
            #expect(step.error == expected, "seed \(seed), step \(number): \(step)")
            if number.isMultiple(of: 10) { compare(script.image, model, "seed \(seed), step \(number)") }
        }
        compare(script.image, model, "seed \(seed)")
        #expect(script.image.newest > 100)
        if seed == 1 || limits.isEmpty { #expect((script.image.base.revision == 0) == limits.isEmpty) }
    }

    private func compare(_ image: HistoryImage, _ model: ImageModel, _ place: String) {
        #expect(image.isSound, "\(place)")
        #expect(image.newest == model.history.revisions.count, "\(place)")
        #expect(image.groups == model.groups(at: image.newest), "\(place)")
        #expect(image.base.groups == model.groups(at: image.base.revision), "\(place)")
        #expect(
            image.records.map(\.revision.changes)
                == model.history.revisions.dropFirst(image.base.revision).map(\.changes),
            "\(place)"
        )
        let pending = image.records.filter { record in record.revision.changes.contains { $0.status == .pending } }
        #expect(pending.map(\.revision.number) == model.history.pending, "\(place)")
        let waiting = image.records.map(\.revision).filter { $0.confirmation?.state == .waiting }.map(\.number)
        #expect(waiting == model.confirmations.filter { $0.value == .waiting }.keys.sorted(), "\(place)")
        for case let confirmation? in image.records.map(\.revision.confirmation) {
            #expect(confirmation.state == model.confirmations[confirmation.revision], "\(place)")
        }
        #expect(image.tags.map(\.name) == model.tags.keys.sorted(), "\(place)")
        for tag in image.tags { #expect(tag.revision == model.tags[tag.name], "\(place)") }
        #expect(Set(image.settled) == Set(model.settled.values) && image.settled.count == model.settled.count)
        #expect(image.terms == Array(model.terms.prefix(image.terms.count)), "\(place)")
        #expect(!image.terms.isEmpty || model.terms.isEmpty, "\(place)")
    }

    private func checkTrim(
        _ before: HistoryImage,
        _ after: HistoryImage,
        _ limits: HistoryImage.Limits,
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
        while script.oldFences.count < 4 || script.fence == nil || script.image.records.isEmpty {
            _ = try script.step()
        }
        let fence = try #require(script.fence)
        var strangers = script.oldFences
        strangers.append(Fence(instance: fence.instance, epoch: fence.epoch + 1, manager: fence.manager))
        strangers.append(Fence(instance: fence.instance, epoch: fence.epoch - 1, manager: fence.manager))
        strangers.append(Fence(instance: "another", epoch: fence.epoch, manager: fence.manager))
        let draft = RevisionDraft(author: .tester, operation: .commit, changes: [.set("web", 1)])
        for stranger in strangers {
            var image = script.image
            for code in [
                refusal { try image.append(draft, fence: stranger, time: 1) },
                refusal { try image.record(Outcome(revision: 1, group: "web", status: .applied), fence: stranger) },
                refusal {
                    try image.apply(.tag("t", revision: 1, moving: true), author: .tester, fence: stranger, time: 1)
                },
                refusal { try image.require(stranger) },
            ] { #expect(code == .fenced, "\(stranger)") }
            image.release(stranger, reason: "r", time: 1)
            #expect(image == script.image, "\(stranger)")
        }
        var image = script.image
        image.release(fence, reason: "r", time: 5)
        #expect(!image.lease.isHeld && image.lease.epoch == fence.epoch)
        #expect(refusal { try image.require(fence) } == .fenced)
        #expect(refusal { try image.append(draft, fence: fence, time: 1) } == .fenced)
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
        let first = claimant("n1/group")
        var image = HistoryImage()
        func acquire(_ claimant: Claimant, _ watched: Lease, floor: Int = 0) -> Lease? {
            image.acquire(claimant, watched: watched, at: "a", floor: floor, ttl: 9000, reason: "why", time: 10)
        }
        let held = try #require(acquire(first, .none))
        #expect(held.epoch == 1 && held.holder == "n1/group" && held.expiresAt == 9010 && image.place == "a")
        let before = image
        #expect(acquire(claimant("n2/group"), .none) == nil)
        #expect(acquire(claimant("n2/group"), .nobody(since: 1)) == nil)
        image.release(Fence(instance: held.instance, epoch: 1, manager: ""), reason: "stopped", time: 20)
        let released = image
        #expect(acquire(claimant("n2/group"), held) == nil)
        #expect(image == released && before != released)
        #expect(acquire(claimant("n2/group"), image.lease, floor: 8)?.epoch == 9)
        #expect(acquire(claimant("n3/group"), image.lease, floor: 4)?.epoch == 10)
        #expect(image.terms.map(\.epoch) == [10, 9, 1])
        #expect(image.terms.map(\.reason) == [nil, "why", "stopped"] && image.terms[2].until == 20)
    }

    // MARK: - One by one

    @Test func anAppliedChangeSettlesTheOpenOnesBeforeIt() throws {
        var image = HistoryImage()
        let fence = try lead(&image)
        func append(_ changes: [Change]) throws {
            let draft = RevisionDraft(author: .tester, operation: .commit, changes: changes)
            _ = try image.append(draft, fence: fence, time: 1)
        }
        try append([.set("a", 1), .set("b", 1)])
        try append([.set("a", 2)])
        try append([.free("a")])
        try append([.set("a", 4)])
        try image.record(Outcome(revision: 3, group: "a", status: .applied), fence: fence)
        #expect(
            image.records.map { $0.revision.changes.map(\.status) } == [
                [.superseded, .pending], [.superseded], [.applied], [.pending],
            ]
        )
        #expect(
            image.records[1].revision.error
                == "overtaken by revision 3 before its outcome was known; it may have been applied"
        )
        // What is settled stays as it is.
        let before = image
        try image.record(Outcome(revision: 3, group: "a", status: .rejected, error: "late"), fence: fence)
        try image.record(Outcome(revision: 9, group: "a", status: .applied), fence: fence)
        try image.record(Outcome(revision: 1, group: "zzz", status: .applied), fence: fence)
        #expect(image == before)
        #expect(image.groups["a"]?.spec.properties == .size(4))
    }

    @Test func aRequestIsSettledAtMostOnce() throws {
        var image = HistoryImage()
        try image.settle(HistoryImage.Settled(id: "r", state: .done, revision: 1, until: 100))
        #expect(
            refusal { try image.settle(HistoryImage.Settled(id: "r", state: .refused, until: 200)) } == .conflict
        )
        #expect(image.settled == [HistoryImage.Settled(id: "r", state: .done, revision: 1, until: 100)])
        image.answer("r", .success(.plan("first")), until: 300)
        image.answer("r", .success(.plan("second")), until: 300)
        #expect(image.settled.map(\.answer) == [.success(.plan("first"))] && image.settled[0].revision == 1)
        image.trim(to: HistoryImage.Limits(), time: 100)
        #expect(image.settled.count == 1)
        image.trim(to: HistoryImage.Limits(), time: 101)
        #expect(image.settled.isEmpty)
    }

    @Test func anAnswerAloneSettlesToo() throws {
        var image = HistoryImage()
        image.answer("r", .failure(GroupError(.rejected, "no")), until: 100)
        #expect(image.settled.map(\.state) == [.done] && image.settled[0].until == 100)
        #expect(refusal { try image.settle(HistoryImage.Settled(id: "r", state: .done, until: 1)) } == .conflict)
    }

    @Test func everyChangeOfARecordShowsInTheHashes() throws {
        var script = LeaderScript(seed: 3)
        while script.image.records.count < 5 { _ = try script.step() }
        let image = script.image
        #expect(image.isSound)
        for index in image.records.indices {
            let good = image.records[index]
            var other = good.revision.changes
            other.append(.free("zz"))
            for bad in [
                HistoryImage.Record(good.revision.with(changes: other), token: good.token),
                HistoryImage.Record(good.revision, token: good.token.reversed()),
            ] {
                var damaged = image
                damaged.records[index] = bad
                #expect(!damaged.isSound)
            }
            // Outcomes come later than the hash.
            var settled = image
            settled.records[index].revision = good.revision.with(
                changes: good.revision.changes.map {
                    Change(group: $0.group, action: $0.action, status: .rejected, error: "e")
                }
            )
            #expect(settled.isSound)
        }
        var missing = image
        missing.records.remove(at: 2)
        #expect(!missing.isSound)
        var otherBase = image
        otherBase.base.hash[0] ^= 1
        #expect(!otherBase.isSound)
        var emptyBase = HistoryImage(base: HistoryImage.Base(revision: 3, hash: [1]))
        #expect(emptyBase.isSound && emptyBase.newest == 3 && emptyBase.hash(at: 3) == [1])
        emptyBase.records = image.records
        #expect(!emptyBase.isSound)
    }

    @Test func theHashAtARevision() throws {
        var script = LeaderScript(seed: 5)
        while script.image.records.count < 9 { _ = try script.step() }
        var image = script.image
        let hashes = (0...9).map { image.hash(at: $0) }
        #expect(hashes[0] == HashChain.origin && hashes[9] == image.hash)
        for index in image.records.indices {
            let changes = image.records[index].revision.changes
            image.records[index].revision = image.records[index].revision.with(
                changes: changes.map { Change(group: $0.group, action: $0.action, status: .applied) }
            )
        }
        for revision in image.records.map(\.revision) where revision.confirmation != nil {
            try? image.endConfirmation(of: revision.number, as: .confirmed)
        }
        image.trim(to: HistoryImage.Limits(records: 4), time: 0)
        #expect((0...10).map { image.hash(at: $0) } == Array(repeating: nil, count: 5) + hashes[5...9] + [nil])
    }

    private func lead(_ image: inout HistoryImage) throws -> Fence {
        let lease = image.acquire(
            claimant("n1/group"),
            watched: image.lease,
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
