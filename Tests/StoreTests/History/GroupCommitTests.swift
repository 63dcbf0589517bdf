import Glibc
import GroupSPI
import Testing

@testable import Store

@Suite struct GroupCommitTests {
    /// Begins each piece of work when the one before it waits for the writer's thread, which meanwhile is held.
    ///
    /// - Parameter hold: has the thread wait at the gate.
    private func together(
        _ store: Store,
        hold: @escaping @Sendable (Gate) async throws -> Void,
        _ pieces: [@Sendable () async throws -> Void]
    ) async throws {
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await hold(gate) }
            try await gate.untilReached()
            for (index, piece) in pieces.enumerated() {
                tasks.addTask { try await piece() }
                while store.writer.waitingCount <= index {
                    try await Task.sleep(for: .milliseconds(1), clock: .suspending)
                }
            }
            gate.open()
            try await tasks.waitForAll()
        }
    }

    /// In one transaction, in which something of no consequence is written first.
    private func together(_ store: Store, _ pieces: [@Sendable () async throws -> Void]) async throws {
        try await together(
            store,
            hold: { gate in
                try await store.writer.run(within: patience) { connection in
                    gate.pass()
                    try connection.execute("UPDATE lease SET id = id")
                }
            },
            pieces
        )
    }

    private func appends(_ count: Int, _ leader: Leader) -> [@Sendable () async throws -> Void] {
        (0..<count).map { index in { try await leader.append([.set("g\(index)", index)]) } }
    }

    @Test func writersThatWaitTogetherShareATransaction() async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            let before = disk.transactions
            // The first holds the disk; all others gather behind it.
            try await together(
                leader.store,
                hold: { gate in
                    disk.beforeSync { _ in
                        gate.pass()
                        return 0
                    }
                    try await leader.append([.set("first", 0)])
                },
                appends(300, leader)
            )
            #expect(try await numbers(leader.store) == Array((1...301).reversed()))
            #expect(disk.transactions - before == 2)
        }
    }

    /// What comes while a transaction is carried out is not left for the next.
    @Test func writersThatComeMeanwhileShareIt() async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            let before = disk.transactions
            try await together(leader.store, appends(100, leader))
            #expect(try await numbers(leader.store) == Array((1...100).reversed()))
            #expect(disk.transactions - before == 1)
        }
    }

    /// The lease is looked at once in a transaction, unless it changes in it.
    @Test func whoLetsTheLeaseGoWritesNothingAfterwardsInTheSameTransaction() async throws {
        try await withLeader { leader in
            try await together(
                leader.store,
                [
                    { try await leader.append([.set("a", 1)]) },
                    { try await leader.store.releaseLease(leader.fence, reason: "a test", within: patience) },
                    {
                        let error = try await failure { try await leader.append([.set("b", 1)]) }
                        #expect(error.code == .fenced)
                    },
                ]
            )
            #expect(try await numbers(leader.store) == [1])
        }
    }

    /// A swarm's copy gets the lease with the snapshot.
    @Test func whoLosesTheLeaseByAnImageWritesNothingAfterwardsInTheSameTransaction() async throws {
        try await withStore { store in
            var snapshot = Snapshot()
            func take(_ id: Identifier) throws -> Fence {
                let candidate = candidate(id)
                let lease = snapshot.acquire(
                    candidate,
                    watched: snapshot.lease,
                    at: "here",
                    floor: 0,
                    ttl: 9000,
                    reason: "a test",
                    time: 0
                )
                return Fence(instance: candidate.instance, epoch: try #require(lease).epoch, manager: id)
            }
            let first = try take("n1/group")
            _ = try await store.apply(snapshot, at: 1)
            _ = try take("n2/group")
            try await together(
                store,
                [
                    { _ = try await store.removeRequests(endedBefore: 0, fence: first, within: patience) },
                    { [snapshot] in _ = try await store.apply(snapshot, at: 2) },
                    {
                        let error = try await failure {
                            try await store.removeRequests(endedBefore: 0, fence: first, within: patience)
                        }
                        #expect(error.code == .fenced)
                    },
                ]
            )
        }
    }

    /// The newest revision is looked at once in a transaction, unless one is undone.
    @Test func aRevisionThatIsUndoneIsNotWhatTheNextOneFollows() async throws {
        try await withLeader { leader in
            try await together(
                leader.store,
                [
                    { try await leader.append([.set("a", 1)]) },
                    {
                        let draft = RevisionDraft(author: .tester, operation: .commit, changes: [.set("b", 1)])
                        let error = try await failure {
                            try await leader.store.writer.run(within: patience) { connection in
                                _ = try connection.append(draft, fence: leader.fence, time: 0)
                                throw StoreError(.conflict, "a test")
                            }
                        }
                        #expect(error.code == .conflict)
                    },
                    { try await leader.append([.set("c", 1)]) },
                ]
            )
            let verification = try await leader.store.verify(within: patience)
            #expect(verification == Verification(newest: 2, revisions: 2, problems: []))
        }
    }

    /// But those who wait are answered, also if more comes for ever.
    @Test func aTransactionEndsAlthoughMoreComes() async throws {
        try await withLeader { leader in
            let writer = leader.store.writer
            let isAnswered = Counter()
            // Each piece ends when the next one waits.
            @Sendable func follow() async throws {
                try await writer.run(within: patience) { _ in
                    guard isAnswered.value == 0 else { return }
                    Task { try await follow() }
                    while writer.waitingCount == 0 { usleep(20) }
                }
            }
            try await follow()
            isAnswered.add()
            #expect(try await leader.append([.set("a", 1)]).number == 1)
        }
    }

    /// The newest first.
    private func numbers(_ store: Store) async throws -> [Int] {
        try await store.history(HistoryQuery(limit: 1000), within: patience).revisions.map(\.number)
    }

    @Test func numbersHaveNoGapsUnderConcurrentWriters() async throws {
        try await withLeader { leader in
            // Two connections with the lease's epoch; a refused piece between the others takes no number with it.
            let other = Leader(
                store: Store.openForCommand(leader.store.configuration),
                fence: leader.fence,
                lease: leader.lease
            )
            let stranger = Leader(
                store: leader.store,
                fence: Fence(instance: "x", epoch: 1, manager: "x"),
                lease: leader.lease
            )
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in 0..<100 {
                    tasks.addTask { try await leader.append([.set("a\(index % 9)", index)]) }
                    tasks.addTask { try await other.append([.set("b\(index % 9)", index)]) }
                    tasks.addTask {
                        let error = try await failure { try await stranger.append([.set("c", index)]) }
                        #expect(error.code == .fenced)
                    }
                    tasks.addTask {
                        let error = try await failure { try await leader.append([.free("d"), .free("d")]) }
                        #expect(error.code == .conflict)
                    }
                }
                try await tasks.waitForAll()
            }
            let page = try await leader.store.history(HistoryQuery(), within: patience)
            #expect(page.revisions.map(\.number) == Array((1...200).reversed()))
            let verification = try await leader.store.verify(within: patience)
            #expect(verification == Verification(newest: 200, revisions: 200, problems: []))
        }
    }
}
