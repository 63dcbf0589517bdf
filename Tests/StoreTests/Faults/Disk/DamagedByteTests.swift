import Foundation
import GroupSPI
import SeededRandom
import StoreFakes
import Testing

@testable import Store

/// One byte of the file is changed, in every page and at many places: it is found, or nothing that is read differs, or it
/// is one of the few values that nothing else tells of (docs/storage.md).
@Suite struct DamagedByteTests {
    /// What a flipped byte can change unnoticed: by table, the columns.
    private static let undetectable: [String: Set<String>] = [
        // Applied passes for rejected and the other way round; the words are the plugin's.
        "change": ["status", "error"],
        "lease": [
            "instance", "sequence", "host", "boot_id", "pid_namespace", "pid", "start_time", "socket", "plugin_socket",
            "guard_lock", "renewed_at", "expires_at",
        ],
        "leadership": ["manager", "from_at", "until_at", "reason"],
        "request": [
            "kind", "target", "group_name", "expected_current", "author", "message", "state", "revision", "error",
            "body",
            "reply", "confirm", "time", "patience",
        ],
        "tag": ["author", "time"], "confirmation": ["state"], "retention": ["whole", "time", "epoch", "manager"],
        // Of an author who has only tagged or asked.
        "author": [],
    ]

    @Test func aFlippedByteIsFoundOrChangesNothing() async throws {
        try await withScratch(inMemory: true) { directory in
            let path = try await Self.realisticDatabase(in: directory)
            let original = try [UInt8](contents(of: path))
            let expected = try Self.rows(path)
            var generator = SeededGenerator(20)
            let pages = original.count / 4096
            #expect(original.count % 4096 == 0 && pages > 40)
            var counts = (found: 0, harmless: 0, undetectable: 0)
            for page in 0..<pages {
                // The header of the page, the pointers to its cells, and anywhere.
                let random = (0..<(StorageFaultTests.isThorough ? 200 : 20)).map { _ in
                    Int.random(in: 0..<4096, using: &generator)
                }
                for offset in [0, 3, 5, 8 + Int.random(in: 0..<8, using: &generator)] + random {
                    var bytes = original
                    let mask = UInt8.random(in: 1...255, using: &generator)
                    bytes[page * 4096 + offset] ^= mask
                    let place = "page \(page + 1), byte \(offset), xor \(mask)"
                    try Data(bytes).write(to: URL(fileURLWithPath: path))
                    if try await Self.isFound(path) {
                        counts.found += 1
                        continue
                    }
                    let differences = Self.differences(expected, try Self.rows(path))
                    for (table, column) in differences {
                        let isKnown = Self.undetectable[table]?.contains(column) == true
                        #expect(isKnown, "\(place): \(table).\(column) is wrong, and nobody notices")
                    }
                    if differences.isEmpty { counts.harmless += 1 } else { counts.undetectable += 1 }
                }
            }
            print("flipped bytes in \(pages) pages: \(counts)")
            #expect(counts.found > 10 * counts.undetectable)
        }
    }

    /// Whether `verify` finds it, as the command does it.
    private static func isFound(_ path: String) async throws -> Bool {
        let store = Store.openForCommand(StoreConfiguration(path: path))
        do {
            guard try await store.verifyFile(within: patience).isEmpty else { return true }
            return try await !store.verify(within: patience).isSound
        } catch {
            return true
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

    private static func differences(
        _ expected: [String: [[String: String]]],
        _ found: [String: [[String: String]]]
    ) -> [(table: String, column: String)] {
        expected.flatMap { table, rows -> [(table: String, column: String)] in
            guard let others = found[table], others.count == rows.count else { return [(table, "number of rows")] }
            let columns = zip(rows, others).flatMap { row, other in row.keys.filter { row[$0] != other[$0] } }
            return Set(columns).map { (table, $0) }
        }
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
