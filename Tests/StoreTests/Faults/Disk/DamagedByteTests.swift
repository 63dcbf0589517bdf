import Foundation
import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

/// One byte of the file is changed, in every page and at many places: `verify` finds it and names the page, and no reader
/// is served anything that was not stored.
@Suite struct DamagedByteTests {
    /// The bytes of the header that have no checksum, because other programs change them when nothing else changes
    /// (docs/storage.md): nothing is read from them.
    private static let unsealed = Set([24, 25, 26, 27, 40, 41, 42, 43] + Array(92..<100))
    /// The versions of the format: another one is a write-ahead log's, and refused.
    private static let versions: Set = [18, 19]

    @Test func aFlippedByteIsFoundAndNeverServed() async throws {
        try await withScratch(inMemory: true) { directory in
            let path = try await Self.realisticDatabase(in: directory)
            let original = try [UInt8](contents(of: path))
            let expected = try Self.rows(path)
            var generator = SeededGenerator(20)
            let pages = original.count / 4096
            #expect(original.count % 4096 == 0 && pages > 40)
            var refused = 0
            // Pages that belong to nothing, where anything may be.
            var unfound: Set<Int> = []
            for page in 0..<pages {
                // The header of the page, the pointers to its cells, its checksum, and anywhere.
                let random = (0..<(StorageFaultTests.isThorough ? 200 : 20)).map { _ in
                    Int.random(in: 0..<4096, using: &generator)
                }
                let header = page == 0 ? Array(16..<100) : []
                for offset in [0, 3, 5, 8 + generator.below(8), 4088 + generator.below(8)] + header + random {
                    var bytes = original
                    let mask = UInt8.random(in: 1...255, using: &generator)
                    bytes[page * 4096 + offset] ^= mask
                    let place = "page \(page + 1), byte \(offset), xor \(mask)"
                    try Data(bytes).write(to: URL(fileURLWithPath: path))
                    let found = await Self.problems(path)
                    if found.isEmpty, page > 0 {
                        unfound.insert(page)
                    } else if page > 0 {
                        #expect(found.contains { $0.hasPrefix("page \(page + 1) of the file") }, "\(place): \(found)")
                    } else {
                        #expect(!found.isEmpty || Self.unsealed.contains(offset), "\(place) is not found")
                    }
                    do {
                        let rows = try Self.rows(path)
                        #expect(rows == expected, "\(place): something else is read, and nobody notices")
                    } catch let error as SQLiteError {
                        #expect([.corrupt, .notADatabase].contains(StoreError(error).code), "\(place): \(error)")
                        refused += 1
                    } catch let error as StoreError {
                        #expect(
                            error.code == .corrupt || page == 0 && Self.versions.contains(offset),
                            "\(place): \(error)"
                        )
                        refused += 1
                    }
                }
            }
            // Most pages are tables'; of the others, these readers need nothing.
            #expect(refused > pages * 10)
            try Data(original).write(to: URL(fileURLWithPath: path))
            let connection = try rawConnection(path)
            defer { connection.close() }
            let free = try connection.first("PRAGMA freelist_count") { $0.int(0) }
            #expect(unfound.count < free ?? 0, "\(unfound)")
        }
    }

    /// What `verify` finds, as the command does it.
    private static func problems(_ path: String) async -> [String] {
        let store = Store.openForCommand(StoreConfiguration(path: path))
        var problems: [String] = []
        do throws(StoreError) {
            problems = try await store.verifyFile(within: patience)
            return try await problems + store.verify(within: patience).problems.map(\.sentence)
        } catch {
            return problems + [error.message]
        }
    }

    /// Every row of every table, by its columns.
    private static func rows(_ path: String) throws -> [String: [[String: String]]] {
        let connection = try rawConnection(path, mode: .readOnly)
        defer { connection.close() }
        let tables = try connection.all("SELECT name FROM sqlite_schema WHERE type = 'table'") { $0.text(0) }
        var rows: [String: [[String: String]]] = [:]
        for table in tables {
            let columns = try connection.all("SELECT name FROM pragma_table_info(?)", .text(table)) { $0.text(0) }
            let list = columns.map { "quote(\"\($0)\")" }.joined(separator: ", ")
            rows[table] = try connection.all("SELECT \(list) FROM \"\(table)\"") { row in
                Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1, row.text(Int32($0))) })
            }
        }
        return rows
    }

    /// Some hundred revisions with all that may belong to them; a part of them removed.
    private static func realisticDatabase(in directory: String) async throws -> String {
        let leader = try await lead(try await openStore(in: directory))
        let store = leader.store
        for index in 1...220 {
            let specification =
                #"{"Allocation":{"Size":\#(index % 9)},"Image":"image:\#(index)","Note":"\#(String(repeating: "x", count: index % 50 == 0 ? 9000 : 200))"}"#
            let set = Change(
                group: "group-\(index % 7)",
                action: .set(RawJSON(checked: Array(specification.utf8)), plugin: "group-stateless")
            )
            let draft = RevisionDraft(
                author: Author(user: "user\(index % 3)", uid: index % 3, host: "n1"),
                operation: .commit,
                message: "number \(index)",
                changes: index % 11 == 0 ? [set, .free("other")] : [set],
                confirmWithin: index % 40 == 0 ? 60_000 : nil
            )
            let revision = try await store.append(draft, fence: leader.fence, within: patience)
            try await leader.settle(
                revision,
                index % 5 == 0 ? .rejected : .applied,
                error: index % 5 == 0 ? "the plugin says no to number \(index)" : nil
            )
            if index % 40 == 0 { try await store.confirm(revision.number, within: patience) }
            if index % 30 == 0 {
                try await store.setTag("tag-\(index)", to: index, author: .tester, moving: false, within: patience)
            }
            if index % 8 == 0 {
                let kind = Request.Kind.rollback(to: 1, group: nil, expectedCurrent: nil)
                try await store.submit(
                    Request(id: Request.makeID(), kind: kind, author: .tester, message: "request \(index)"),
                    within: patience
                )
            }
        }
        _ = try await store.prune(RetentionPolicy(limit: 170), after: 0, fence: leader.fence, within: patience)
        try await lead(store, as: "n2/group").append([.destroy("group-1")])
        return store.path
    }
}
