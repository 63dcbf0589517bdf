import Glibc
import Testing

@testable import Store

@Suite struct GroupCommitTests {
    /// Each of `count` tasks appends once.
    private func appendAll(_ count: Int, _ leader: Leader, from first: Int = 0) async throws -> [Revision] {
        try await withThrowingTaskGroup(of: Revision.self) { tasks in
            for index in first..<(first + count) {
                tasks.addTask { try await leader.append([.set("g\(index)", index)]) }
            }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func writersThatWaitTogetherShareATransaction() async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            let gate = Gate()
            let before = disk.transactions
            disk.beforeSync { _ in
                gate.pass()
                return 0
            }
            // The first holds the disk; all others gather behind it.
            async let first = leader.append([.set("first", 0)])
            try await gate.untilReached()
            async let others = appendAll(300, leader)
            while await waiting(leader.store) < 300 { try await Task.sleep(for: .milliseconds(1), clock: .suspending) }
            gate.open()
            let revisions = [try await first] + (try await others)
            #expect(Set(revisions.map(\.number)) == Set(1...301))
            #expect(disk.transactions - before == 2)
        }
    }

    /// What comes while a transaction is carried out is not left for the next.
    @Test func writersThatComeMeanwhileShareIt() async throws {
        try await withScratch { directory in
            let disk = FaultyDisk(StoreConfiguration.path(in: directory))
            defer { disk.remove() }
            let leader = try await lead(try await openStore(in: directory))
            let gate = Gate()
            let before = disk.transactions
            async let first: Void = leader.store.writer.run(within: patience) { _ in gate.pass() }
            try await gate.untilReached()
            async let others = appendAll(100, leader)
            while await waiting(leader.store) < 100 { try await Task.sleep(for: .milliseconds(1), clock: .suspending) }
            gate.open()
            try await first
            #expect(Set(try await others.map(\.number)) == Set(1...100))
            #expect(disk.transactions - before == 1)
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

    private func waiting(_ store: Store) async -> Int { store.writer.waitingCount }

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
