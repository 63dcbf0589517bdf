import CSQLite
import Foundation
import GroupSPI
import Testing

@testable import Store

/// A disk that does not answer: no caller waits for it, and what had not begun is not done behind its caller's back.
@Suite struct TimeoutTests {
    private func withStuckDisk(_ body: (Leader, Gate) async throws -> Void) async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            let gate = Gate()
            disk.beforeSync { _ in
                gate.pass()
                return SQLITE_OK
            }
            try await body(leader, gate)
        }
    }

    private func draft(_ group: Identifier) -> RevisionDraft {
        RevisionDraft(author: .tester, operation: .commit, changes: [.set(group, 1)])
    }

    @Test func whatHadBegunIsUnknown() async throws {
        try await withStuckDisk { leader, gate in
            let error = try await failure {
                try await leader.store.append(draft("a"), fence: leader.fence, within: .milliseconds(200))
            }
            #expect(error.code == .unknownOutcome && error.message.contains(leader.store.path))
            gate.open()
            // It was done after all: the disk came back.
            #expect(try await leader.append([.set("b", 1)]).number == 2)
        }
    }

    @Test func whatHadNotBegunIsNotDoneLater() async throws {
        try await withStuckDisk { leader, gate in
            async let stuck = leader.append([.set("a", 1)])
            try await gate.untilReached()
            for _ in 0..<5 {
                let error = try await failure {
                    try await leader.store.append(draft("late"), fence: leader.fence, within: .milliseconds(20))
                }
                #expect(error.code == .busy && error.message.contains("nothing was stored"))
            }
            gate.open()
            #expect(try await stuck.number == 1)
            #expect(try await leader.append([.set("b", 1)]).number == 2)
            #expect(try await leader.store.state(of: "late", within: patience) == nil)
        }
    }

    /// To wait for another's lock is not to have begun.
    @Test func whatWaitsForALockIsNotDoneLater() async throws {
        try await withLeader { leader in
            let other = try rawConnection(leader.store.path)
            try other.execute("BEGIN IMMEDIATE")
            let error = try await failure {
                try await leader.store.append(draft("late"), fence: leader.fence, within: .milliseconds(100))
            }
            #expect(error.code == .busy)
            try other.execute("ROLLBACK")
            #expect(try await leader.append([.set("b", 1)]).number == 1)
            #expect(try await leader.store.state(of: "late", within: patience) == nil)
        }
    }

    /// A read stores nothing, and is not said to.
    @Test func aReadThatHangsGivesUp() async throws {
        try await withLeader { leader in
            let gate = Gate()
            defer { gate.open() }
            async let stuck: Void = leader.store.reader.run(within: patience) { _ in gate.pass() }
            try await gate.untilReached()
            let late = try await failure { try await leader.store.lease(within: .milliseconds(20)) }
            #expect(late.code == .busy)
            gate.open()
            try await stuck
            let second = Gate()
            let hanging = try await failure {
                try await leader.store.reader.run(within: .milliseconds(100)) { _ in second.pass() }
            }
            second.open()
            #expect(hanging.code == .noAnswer && !hanging.message.contains("stored"))
            #expect(try await leader.store.lease(within: patience).epoch == 1)
        }
    }

    @Test func noTimeIsNotEnough() async throws {
        try await withLeader { leader in
            for timeout in [Duration.zero, .seconds(-5)] {
                let error = try? await failure {
                    try await leader.store.append(draft("a"), fence: leader.fence, within: timeout)
                }
                #expect([.busy, .unknownOutcome, nil].contains(error?.code))
            }
            for timeout in [Duration.seconds(Int64.max), .nanoseconds(Int64.max), .seconds(9_223_372_036)] {
                let lease = try await leader.store.lease(within: timeout)
                #expect(lease.epoch == 1)
            }
        }
    }

    /// What a start that nobody waits for any more finds out late, it does not act on.
    @Test func anAbandonedStartCreatesNothing() async throws {
        try await withScratch { directory in
            let path = StoreConfiguration.path(in: directory)
            let job = Job(body: { _ in }, verify: { _ in nil }, settle: { _ in })
            job.settle(StoreError(.busy, "too late"))
            Store.prepare(job, StoreConfiguration(path: path))
            let left = try names(in: directory)
            #expect(left == [])
        }
    }

    @Test func aPieceIsSettledOnce() {
        let settled = Counter()
        let job = Job(body: { _ in }, verify: { _ in nil }, settle: { _ in settled.add() })
        #expect(job.isWaiting && job.begin() && !job.isWaiting)
        // It may have been undone.
        #expect(job.begin())
        job.settle(nil)
        job.settle(nil)
        #expect(settled.value == 1 && !job.begin())
    }

    /// One timer serves all: it is set anew for what is due before it fires.
    @Test func aNearerDeadlineIsMetBehindAFartherOne() async throws {
        let timeouts = JobTimeouts { StoreError($0 ? .unknownOutcome : .busy, "") }
        let far = Job(body: { _ in }, verify: { _ in nil }, settle: { _ in Issue.record("it has an hour") })
        timeouts.add(far, within: .seconds(3600))
        var kept: [Job] = []
        for _ in 0..<3 {
            let answer = await withCheckedContinuation { continuation in
                let near = Job(body: { _ in }, verify: { _ in nil }, settle: { continuation.resume(returning: $0) })
                // Begun before the clock knows of it: however late this thread runs, it is under way when its time is out.
                #expect(near.begin())
                timeouts.add(near, within: .milliseconds(5))
                kept.append(near)
            }
            #expect(answer?.code == .unknownOutcome)
        }
        #expect(far.isWaiting && kept.allSatisfy(\.isSettled))
    }

    /// What is settled leaves nothing behind until its time has come.
    @Test func whatIsSettledIsForgotten() {
        let timeouts = JobTimeouts { _ in StoreError(.busy, "") }
        for _ in 0..<1000 {
            let job = Job(body: { _ in }, verify: { _ in nil }, settle: { _ in })
            timeouts.add(job, within: .seconds(3600))
            job.settle(nil)
            #expect(timeouts.count <= 2)
        }
    }

    /// The clock and the thread race for each piece: it is either done and told, or not done and told.
    @Test func theClockNeverDeniesWhatIsDone() async throws {
        let timeouts = JobTimeouts { StoreError($0 ? .unknownOutcome : .busy, "") }
        for _ in 0..<5000 {
            let begun = Counter()
            let answer = await withCheckedContinuation { continuation in
                let job = Job(
                    body: { _ in },
                    verify: { _ in nil },
                    settle: { continuation.resume(returning: $0) }
                )
                timeouts.add(job, within: .zero)
                guard job.begin() else { return }
                begun.add()
                job.settle(nil)
            }
            #expect((answer?.code == .busy) == (begun.value == 0))
        }
    }
}
