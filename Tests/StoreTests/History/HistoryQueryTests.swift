import GroupSPI
import Testing

@testable import Store

@Suite struct HistoryQueryTests {
    /// Revision n is stored at the time 1000 n, except that the clock of a later leader is behind: 7 is older than 4.
    private static let times = [1000, 2000, 3000, 4000, 5000, 6000, 3500, 8000, 9000, 10000]

    private func fill(_ path: String, _ fence: Fence) throws {
        let raw = try rawConnection(path)
        try raw.execute("BEGIN IMMEDIATE")
        for (index, time) in Self.times.enumerated() {
            let changes: [Change] = index % 3 == 0 ? [.set("a", index), .set("b", index)] : [.set("a", index)]
            let draft = RevisionDraft(author: .tester, operation: .commit, changes: changes)
            _ = try raw.append(draft, fence: fence, time: time)
        }
        try raw.execute("COMMIT")
    }

    @Test(arguments: [nil, "a", "b", "unknown"] as [Identifier?], [nil, 0, 3500, 6000, 99_999] as [Int?])
    func theTotalIsWhatAQueryWithoutALimitGives(_ group: Identifier?, _ since: Int?) async throws {
        try await withLeader { leader in
            try fill(leader.store.path, leader.fence)
            // What came after it is of that time too: 7 is newer than 6, whatever its time.
            let first = since.map { since in (Self.times.firstIndex { $0 >= since } ?? 99) + 1 } ?? 1
            for before in [nil, 1, 5, 99] as [Int?] {
                for after in [nil, 0, 3, 10, 99] as [Int?] {
                    let expected = Self.times.enumerated().filter { index, _ in
                        let number = index + 1
                        return (group == nil || group == "a" || group == "b" && index % 3 == 0)
                            && number >= first && number < before ?? .max && number > after ?? 0
                    }.map { $0.offset + 1 }.reversed()
                    for limit in [nil, 1, 2, 50] as [Int?] {
                        let query = HistoryQuery(group: group, limit: limit, before: before, after: after, since: since)
                        let page = try await leader.store.history(query, within: patience)
                        #expect(page.revisions.map(\.number) == Array(expected.prefix(limit ?? .max)), "\(query)")
                        #expect(page.total == expected.count, "\(query)")
                        #expect(page.current == 10)
                    }
                }
            }
        }
    }

    /// A long history is read in parts; no revision is left out or given twice at their seams.
    @Test(arguments: [nil, 1, 199, 200, 201, 400, 450, 5000] as [Int?])
    func aLongHistoryComesWhole(_ limit: Int?) async throws {
        try await withLeader { leader in
            let raw = try rawConnection(leader.store.path)
            try raw.execute("BEGIN IMMEDIATE")
            for index in 0..<450 {
                let draft = RevisionDraft(author: .tester, operation: .commit, changes: [.set("g\(index % 7)", index)])
                _ = try raw.append(draft, fence: leader.fence, time: 1000 + index)
            }
            try raw.execute("COMMIT")
            for since in [nil, 1000] as [Int?] {
                let query = HistoryQuery(limit: limit, since: since)
                let page = try await leader.store.history(query, within: patience)
                #expect(page.revisions.map(\.number) == Array((1...450).reversed().prefix(limit ?? 450)))
                #expect(page.total == 450)
            }
        }
    }
}
