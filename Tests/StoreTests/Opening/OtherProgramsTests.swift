import Foundation
import GroupSPI
import StoreFakes
import Testing

@testable import Store

/// What SQLite's own shell may do with a database, and the way back from what it may not.
@Suite struct OtherProgramsTests {
    private func filled(_ directory: String) async throws -> Leader {
        let leader = try await lead(try await openStore(in: directory))
        for index in 1...60 {
            let revision = try await leader.append([.set("group-\(index % 5)", index)], message: "number \(index)")
            try await leader.settle(revision, index % 7 == 0 ? .rejected : .applied, error: index % 7 == 0 ? "no" : nil)
        }
        _ = try await leader.store.prune(RetentionPolicy(limit: 50), after: 0, fence: leader.fence, within: patience)
        return leader
    }

    /// What `verify` finds.
    private func problems(_ path: String) async throws -> [String] {
        let store = Store.openForCommand(StoreConfiguration(path: path))
        return try await store.verifyFile(within: patience)
            + store.verify(within: patience).problems.map(\.sentence)
    }

    private func history(_ path: String) async throws -> [Revision] {
        let store = Store.openForCommand(StoreConfiguration(path: path))
        return try await store.history(HistoryQuery(), within: patience).revisions
    }

    /// A manager starts on it, and writes; then every page has its checksum.
    private func expectUsable(_ path: String, _ expected: [Revision]) async throws {
        #expect(try await problems(path) == [])
        #expect(try await history(path) == expected)
        let store = try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 10_000))
        let leader = try await lead(store, as: "n2/group")
        let revision = try await leader.append([.set("new", 1)])
        #expect(revision.number == 61)
        let strict = try rawConnection(path)
        defer { strict.close() }
        #expect(!strict.isUnchecked)
        #expect(try strict.damagedPages(limit: 10) == [])
        #expect(try await problems(path) == [])
    }

    enum Copy: String, CaseIterable {
        case backup, vacuumInto, vacuum, file, twice
    }

    @Test(arguments: Copy.allCases) func copiesOfTheShellAreAccepted(_ way: Copy) async throws {
        try await withScratch { directory in
            let original = try await filled(directory).store.path
            let expected = try await history(original)
            let copy = "\(directory)/copy.db"
            do {
                let stock = try StockConnection(original)
                defer { stock.close() }
                switch way {
                case .backup: try stock.backup(to: copy)
                case .vacuumInto: try stock.execute("VACUUM INTO '\(copy)'")
                case .vacuum:
                    try stock.backup(to: copy)
                    let second = try StockConnection(copy)
                    try second.execute("VACUUM")
                case .file: try FileManager.default.copyItem(atPath: original, toPath: copy)
                case .twice:
                    try stock.backup(to: "\(directory)/first.db")
                    let second = try StockConnection("\(directory)/first.db")
                    try second.backup(to: copy)
                }
            }
            try await expectUsable(copy, expected)
            // Nothing was changed in what was copied, and nothing is left lying about.
            #expect(try await problems(original) == [])
            #expect(try names(in: directory).filter { $0.contains("partial") || $0.contains("journal") } == [])
        }
    }

    /// A command writes nothing into a file that has no checksums: a part of it would have some then.
    @Test func aCommandReadsACopyAndDoesNotWriteIt() async throws {
        try await withScratch { directory in
            let original = try await filled(directory).store.path
            let copy = "\(directory)/copy.db"
            let stock = try StockConnection(original)
            try stock.execute("VACUUM INTO '\(copy)'")
            stock.close()
            let before = try contents(of: copy)
            let store = Store.openForCommand(StoreConfiguration(path: copy))
            #expect(try await store.summary(within: patience).newest == 60)
            let error = try await failure {
                try await store.setTag("t", to: 60, author: .tester, moving: false, within: patience)
            }
            #expect(error.message.contains("page checksums"), "\(error)")
            #expect(try contents(of: copy) == before)
        }
    }

    /// Damage is no copy: as long as one page has a checksum, the others must.
    @Test func oneZeroedPageIsDamage() async throws {
        try await withScratch { directory in
            let original = try await filled(directory).store.path
            let sound = try contents(of: original)
            for page in 0..<sound.count / 4096 {
                for range in [page * 4096 + 4088..<page * 4096 + 4096, page * 4096..<page * 4096 + 4096] {
                    var bytes = sound
                    bytes.replaceSubrange(range, with: Data(count: range.count))
                    try bytes.write(to: URL(fileURLWithPath: original))
                    if page == 0, range.count == 4096 { continue }
                    let connection = try? rawConnection(original)
                    #expect(connection?.isUnchecked != true, "page \(page + 1)")
                    connection?.close()
                }
            }
        }
    }

    enum Harm: String, CaseIterable {
        case update, vacuum, index, insertAndDelete, analyze, createIndex, dropIndex, otherIndex, trigger

        var script: String {
            switch self {
            case .update: "UPDATE tag SET time = time + 1; UPDATE lease SET socket = '/run/other'"
            case .vacuum: "UPDATE lease SET socket = '/run/other'; VACUUM"
            // An index that was not told of a change.
            case .index:
                """
                PRAGMA writable_schema = ON;
                UPDATE sqlite_schema SET sql = 'CREATE INDEX tag_by_revision ON tag (revision) WHERE revision < 0'
                    WHERE name = 'tag_by_revision';
                PRAGMA writable_schema = RESET;
                UPDATE tag SET revision = 56;
                PRAGMA writable_schema = ON;
                UPDATE sqlite_schema SET sql = 'CREATE INDEX tag_by_revision ON tag (revision)'
                    WHERE name = 'tag_by_revision';
                PRAGMA writable_schema = RESET;
                """
            case .insertAndDelete: "INSERT INTO name (text) VALUES ('x'); DELETE FROM name WHERE text = 'x'"
            case .analyze: "ANALYZE"
            case .createIndex: "CREATE INDEX \"somebody's \"\"own\"\"\" ON revision (message); ANALYZE; VACUUM"
            case .dropIndex: "DROP INDEX tag_by_revision; DROP INDEX change_by_revision"
            case .otherIndex: "DROP INDEX tag_by_revision; CREATE INDEX tag_by_revision ON tag (time)"
            case .trigger:
                """
                CREATE VIEW newest AS SELECT max(number) FROM revision;
                CREATE TRIGGER watch AFTER INSERT ON tag BEGIN DELETE FROM tag; END
                """
            }
        }
    }

    /// One statement of the shell, and the way back: a new file, and the old one as it was.
    @Test(arguments: Harm.allCases) func whatTheShellHasWrittenIsRepaired(_ harm: Harm) async throws {
        try await withScratch { directory in
            let leader = try await filled(directory)
            try await leader.store.setTag("t", to: 55, author: .tester, moving: false, within: patience)
            let original = leader.store.path
            let expected = try await history(original)
            let stock = try StockConnection(original)
            try stock.execute(harm.script)
            stock.close()
            if harm != .vacuum { #expect(try await !problems(original).isEmpty) }
            let before = try contents(of: original)
            let repaired = "\(directory)/repaired.db"
            let configuration = StoreConfiguration(path: original)
            let (found, _) = try await Store.repair(configuration, to: repaired, within: patience)
            #expect(found.isSound && found.revisions == expected.count)
            let tags = try await Store.openForCommand(StoreConfiguration(path: repaired)).tags(within: patience)
            #expect(tags.map(\.revision) == [harm == .index ? 56 : 55])
            #expect(try contents(of: original) == before)
            try await expectUsable(repaired, harm == .index ? try await history(repaired) : expected)
            // It takes the place of no file.
            let again = try await failure { try await Store.repair(configuration, to: repaired, within: patience) }
            #expect(again.code == .conflict)
            #expect(try names(in: directory).filter { $0.contains("partial") || $0.contains("journal") } == [])
        }
    }

    /// Each byte of the header that SQLite looks at before anything else: what it makes of the file is "no database", which sends
    /// people to another store directory.
    @Test(
        arguments: [(0, 0), (15, 1), (16, 0), (17, 3), (18, 9), (19, 9), (21, 0), (22, 0), (23, 0)] as [(Int, UInt8)]
    )
    func aDamagedHeaderIsDamage(_ place: Int, _ value: UInt8) async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            var bytes = try [UInt8](contents(of: path))
            bytes[place] = value
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let store = Store.openForCommand(StoreConfiguration(path: path))
            for error in [
                try await failure { try await store.lease(within: patience) },
                try await failure { try await store.verifyFile(within: patience) },
                try await failure { try await Store.openForManager(StoreConfiguration(path: path)) },
                try await failure {
                    try await Store.repair(StoreConfiguration(path: path), to: "\(directory)/new.db", within: patience)
                },
            ] {
                #expect(error.code == .corrupt && error.message.contains("damaged"), "\(error)")
            }
        }
    }

    /// A database that never was one of ours is none of ours, and so is what is no database.
    @Test func whatWasNeverOursIsNotDamaged() async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            try Data(String(repeating: "not a database ", count: 500).utf8).write(to: URL(fileURLWithPath: path))
            let store = Store.openForCommand(StoreConfiguration(path: path))
            let error = try await failure { try await store.lease(within: patience) }
            #expect(error.code == .notADatabase, "\(error)")
        }
    }

    /// What cannot be proven is not given new checksums.
    @Test(arguments: [
        "UPDATE revision SET message = 'never' WHERE number = 44",
        "UPDATE spec SET body = CAST('{}' AS BLOB) WHERE id = (SELECT max(id) FROM spec)",
        "UPDATE change SET status = 7 WHERE revision = 44",
        "DELETE FROM revision WHERE number = 44",
        "UPDATE lease SET epoch = epoch + 1",
        "CREATE TABLE more (a)",
    ])
    func whatCannotBeProvenIsNotRepaired(_ harm: String) async throws {
        try await withScratch { directory in
            let original = try await filled(directory).store.path
            let stock = try StockConnection(original)
            try stock.execute(harm)
            stock.close()
            let error = try await failure {
                try await Store.repair(StoreConfiguration(path: original), to: "\(directory)/new.db", within: patience)
            }
            #expect(error.code == .corrupt && error.message.contains("cannot be repaired"), "\(error)")
            #expect(try names(in: directory) == ["manager.db"])
        }
    }

    /// The same after the shell has left no checksum at all: a manager does not start on it.
    @Test func whatCannotBeProvenIsNotStartedOn() async throws {
        try await withScratch { directory in
            let original = try await filled(directory).store.path
            let stock = try StockConnection(original)
            try stock.execute("UPDATE revision SET message = 'never' WHERE number = 44; VACUUM")
            stock.close()
            let before = try contents(of: original)
            let error = try await failure { try await openStore(in: directory) }
            #expect(error.code == .corrupt, "\(error)")
            #expect(try contents(of: original) == before)
            #expect(try names(in: directory) == ["manager.db"])
        }
    }

    @Test func aDumpIsToldFromAnotherProgramsDatabase() async throws {
        try await withScratch { directory in
            let original = try await filled(directory).store.path
            let other = "\(directory)/other.db"
            let stock = try StockConnection(original)
            try stock.dump(into: other)
            stock.close()
            let store = Store.openForCommand(StoreConfiguration(path: other))
            for error in [
                try await failure { try await store.lease(within: patience) },
                try await failure { try await Store.openForManager(StoreConfiguration(path: other)) },
            ] {
                #expect(error.code == .foreign && error.message.contains("SQL dump"), "\(error)")
            }
        }
    }

    /// Managers that start together on a file without checksums: each finds what the other has done.
    @Test func severalStartOnACopyAtOnce() async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            let stock = try StockConnection(path)
            try stock.execute("VACUUM")
            stock.close()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in 0..<4 {
                    tasks.addTask {
                        let store = try await openStore(in: directory)
                        try await store.setTag("t\(index)", to: 55, author: .tester, moving: false, within: patience)
                    }
                }
                try await tasks.waitForAll()
            }
            let tags = try await Store.openForCommand(StoreConfiguration(path: path)).tags(within: patience)
            #expect(tags.map(\.name) == ["t0", "t1", "t2", "t3"])
            #expect(try await problems(path) == [])
        }
    }

    /// A database that an earlier version has written has the schema cookie in the checksum of its first page.
    @Test func anOlderChecksumOfTheFirstPageIsRight() async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            var bytes = try [UInt8](contents(of: path))
            // The sum as it was made before: all of the header but the versions and the change counter.
            var sum: UInt64 = 0x2545_F491_4F6C_DD1D
            func mix(_ word: UInt64) {
                sum ^= word
                sum = (sum << 29 | sum >> 35) &* 0x9E6C_63D0_676A_9A99
            }
            mix(1)
            for offset in stride(from: 0, to: 4088, by: 8) {
                var word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << (8 * $1) }
                switch offset {
                case 16: word &= ~0xFFFF_0000
                case 24: word &= ~0xFFFF_FFFF
                case 88: word &= ~0xFFFF_FFFF_0000_0000
                case 96: word &= ~0xFFFF_FFFF
                default: break
                }
                mix(word)
            }
            for index in 0..<8 { bytes[4088 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
            #expect(try [UInt8](contents(of: path)) != bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            try await expectUsable(path, try await history(path))
        }
    }

    /// Once a connection knows the size of the pages, the header does not change it: an unverified one would switch
    /// checking off. The size, the bytes left free, and the words at the beginning, on a connection that is open.
    @Test(arguments: [(16, 0x20), (17, 0x01), (20, 0x00), (0, 0x00)] as [(Int, UInt8)])
    func aDamagedHeaderDoesNotSwitchCheckingOff(_ place: Int, _ value: UInt8) async throws {
        try await withScratch { directory in
            let path = try await filled(directory).store.path
            let connection = try rawConnection(path)
            defer { connection.close() }
            #expect(try connection.first("SELECT count(*) FROM revision") { $0.int(0) } == 55)
            let sound = try [UInt8](contents(of: path))
            var bytes = sound
            bytes[place] = value
            // So that the connection reads all of it again, and so that what it reads is damaged.
            bytes[27] &+= 1
            let page = try #require(
                try connection.first("SELECT rootpage FROM sqlite_schema WHERE name = 'name'") { $0.int(0) }
            )
            bytes[page * 4096 - 20] ^= 1
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.write(contentsOf: Data(bytes))
            try file.close()
            for sql in ["SELECT count(*) FROM revision", "SELECT text FROM name"] {
                let error = #expect(throws: SQLiteError.self) { try connection.all(sql) { $0.text(0) } }
                #expect(
                    error.map { [.corrupt, .notADatabase].contains(StoreError($0).code) } == true,
                    "\(sql): \(error as Any)"
                )
            }
        }
    }

    /// A file there stops every manager, or is taken up by the next one.
    @Test(arguments: ["manager.db-wal", "manager.db-journal", "manager.db-shm", "manager.db.lock", "global.config"])
    func nothingIsWrittenWhereTheStoreLooks(_ name: String) async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            try await leader.append([.set("a", 1)])
            let configuration = StoreConfiguration(path: leader.store.path)
            for target in ["\(directory)/\(name)", "\(directory)/./\(name)"] {
                let repair = try await failure { try await Store.repair(configuration, to: target, within: patience) }
                let backup = try await failure { try await leader.store.backup(to: target, within: patience) }
                for error in [repair, backup] {
                    #expect(error.code == .conflict && error.message.contains("of the store itself"), "\(error)")
                }
                #expect(access(target, F_OK) != 0)
            }
            try await leader.append([.set("a", 2)])
        }
    }
}
