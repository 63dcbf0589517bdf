import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

/// What lasts is counted on what leaders see pass.
@Suite struct ElapsedTimeTests {
    private func unconfirmed(_ leader: Leader) async throws {
        let draft = RevisionDraft(author: .tester, operation: .commit, changes: [.set("a", 1)], confirmWithin: 60_000)
        _ = try await leader.store.append(draft, fence: leader.fence, within: patience)
    }

    private func expired(_ leader: Leader) async throws -> [Int] {
        try await leader.store.expiredConfirmations(within: patience).map(\.revision)
    }

    @Test func aConfirmationCountsFromTheFirstRenewalAfterIt() async throws {
        let clock = ManualClock()
        try await withLeader(clock) { leader in
            // The row's own count is that old when the revision is stored.
            clock.pass(8_000)
            try await unconfirmed(leader)
            clock.pass(59_000)
            #expect(try await expired(leader) == [])
            _ = try await leader.store.renewLease(leader.fence, within: patience)
            clock.pass(59_999)
            #expect(try await expired(leader) == [])
            #expect(try await leader.store.confirmationTimes(within: patience) == [1: 60_000])
            clock.pass(1)
            #expect(try await expired(leader) == [1])
            _ = try await leader.store.renewLease(leader.fence, within: patience)
            #expect(try await leader.store.confirmationTimes(within: patience) == [1: 0])
        }
    }

    /// From the old leader's last renewal on its successor has watched the row; a reboot has set its clock to zero.
    @Test func theNextLeaderGoesOnFromTheRest() async throws {
        try await withScratch { directory in
            let clock = ManualClock()
            let first = try await lead(try await clock.open(in: directory))
            try await unconfirmed(first)
            _ = try await first.store.renewLease(first.fence, within: patience)
            clock.pass(20_000)
            _ = try await first.store.renewLease(first.fence, within: patience)
            let other = ManualClock(0)
            let store = try await other.open(in: directory)
            _ = try await store.lease(within: patience)
            // Longer than the ttl, of which no more is counted.
            other.pass(30_000)
            let second = try await lead(store, as: "n2/group")
            _ = try await store.renewLease(second.fence, within: patience)
            #expect(try await store.confirmationTimes(within: patience) == [1: 31_000])
            other.pass(30_999)
            #expect(try await expired(second) == [])
            other.pass(1)
            #expect(try await expired(second) == [1])
        }
    }

    /// Whatever is asked and stored when, by whichever process: no more is counted than has passed.
    @Test(arguments: [1, UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)])
    func noMoreIsCountedThanHasPassed(_ seed: UInt64) {
        var random = SeededGenerator(seed)
        var now = 0
        var stored = 0
        var row = (epoch: 0, sequence: 0)
        let offsets = [0, 1_000_000, 77]
        var counts = [TimeCount](repeating: TimeCount(), count: 3)
        var watched = [row, row, row]
        var leader = 0
        for _ in 0..<2000 {
            now += random.below(random.below(20) == 0 ? 200_000 : 3_000)
            let index = random.below(3)
            let own = now + offsets[index]
            let isStored = random.below(4) > 0
            switch random.below(5) {
            case 0:
                counts[index].saw(stored, epoch: row.epoch, sequence: row.sequence, at: own)
                watched[index] = row
            case 1 where index != leader && watched[index] == row:
                let value = counts[index].begin(
                    with: stored,
                    epoch: row.epoch,
                    sequence: row.sequence,
                    ttl: 9000,
                    at: own
                )
                guard isStored else { break }
                (stored, leader, row) = (max(stored, value), index, (row.epoch + 1, row.sequence + 1))
            case 2:
                // A leader notes an age: it counts on without a renewal.
                let value = counts[leader].advance(from: stored, ttl: 9000, at: now + offsets[leader])
                if isStored { stored = max(stored, value) }
            default:
                let value = counts[leader].advance(from: stored, ttl: 9000, at: now + offsets[leader])
                guard isStored else { break }
                stored = max(stored, value)
                row.sequence += 1
            }
            #expect(stored <= now, "seed \(seed)")
        }
        #expect(stored > now / 10, "seed \(seed): hardly anything was counted")
    }
}
