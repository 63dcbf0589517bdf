import GroupSPI
import StoreFakes
import Testing

@testable import Store

/// Who reads a long history never keeps a leader from its lease: few transactions, and short ones.
@Suite struct ReadingTests {
    private static let revisions = 1500

    private func withLongHistory(_ body: (Store) async throws -> Void) async throws {
        try await withLeader { leader in
            // Together, as one sync of the disk is enough.
            try await leader.store.writer.run(within: patience) { connection in
                for number in 1...Self.revisions {
                    let changes: [Change] = [.set("g\(number % 7)", number / 30), .set("h", number)]
                    let draft = RevisionDraft(author: .tester, operation: .commit, changes: changes)
                    _ = try connection.append(draft, fence: leader.fence, time: number)
                }
            }
            try await body(Store.openForCommand(StoreConfiguration(path: leader.store.path)))
        }
    }

    /// Each change with what its field was before: not a transaction for each.
    @Test func aFieldIsFollowedInFewTransactions() async throws {
        try await withLongHistory { store in
            var query = HistoryQuery()
            var found: [Int] = []
            while true {
                let page = try await store.historyWithPast(query, within: patience)
                for (revision, before) in page {
                    found.append(revision.number)
                    let earlier = revision.number > 7 ? revision.number - 7 : nil
                    #expect(before["g\(revision.number % 7)"]?.revision == earlier)
                    #expect(before["h"]?.revision == (revision.number > 1 ? revision.number - 1 : nil))
                }
                guard let last = page.last else { break }
                query.before = last.revision.number
                try await store.letWritersIn(until: .now + patience)
            }
            #expect(found == Array((1...Self.revisions).reversed()))
            let figures = store.readingTimes.figures
            // On a machine that is so busy that a page of 200 takes longer than a transaction may, there are more of them.
            #expect(figures.count <= Self.revisions / 10, "\(figures.count) transactions")
        }
    }

    @Test func aTransactionEndsAfterItsTime() async throws {
        try await withLongHistory { store in
            let connection = try rawConnection(store.path)
            var query = HistoryQuery()
            query.limit = 200
            // No time at all: one is read all the same, or nobody would ever come to the end.
            #expect(try connection.revisions(query, within: .zero).map(\.number) == [Self.revisions])
            #expect(try connection.revisionsWithPast(query, within: .zero).map(\.revision.number) == [Self.revisions])
            #expect(try connection.revisions(query).count == 200)
            connection.close()
            // Pages that are cut short are made up for.
            let page = try await store.history(HistoryQuery(), within: patience)
            #expect(page.revisions.map(\.number) == Array((1...Self.revisions).reversed()))
        }
    }

    /// Somebody reads all of it again and again, and each renewal has its turn.
    @Test func aLeaderRenewsMeanwhile() async throws {
        try await withLeader { leader in
            for size in 1...300 { try await leader.append([.set("a", size)]) }
            let store = Store.openForCommand(StoreConfiguration(path: leader.store.path))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask {
                        var query = HistoryQuery()
                        while !Task.isCancelled {
                            let page = try await store.historyWithPast(query, within: patience)
                            query.before = page.last?.revision.number
                            do { try await store.letWritersIn(until: .now + patience) } catch { return }
                        }
                    }
                }
                // With the time that a statement waits for a lock by default, and not once more.
                let hasty = Store.openForCommand(StoreConfiguration(path: leader.store.path))
                for _ in 0..<30 { _ = try await hasty.renewLease(leader.fence, within: patience) }
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
        }
    }
}
