import CSQLite
import Foundation
import GroupSPI
import Migrations
import Testing

@testable import Store

/// What stands in the way of a store, each with a code of its own and a sentence that says what to do; and nothing of
/// what was found is touched.
@Suite struct OpeningTests {
    private func openForManager(_ path: String) async throws -> StoreError {
        try await failure { try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 100)) }
    }

    /// The errors of a read and of a write of a command.
    private func openForCommand(_ path: String) async throws -> [StoreError] {
        let store = Store.openForCommand(StoreConfiguration(path: path, busyTimeout: 100))
        let read = try await failure { try await store.lease(within: patience) }
        let write = try await failure { try await store.cancelRequest("r", within: patience) }
        return [read, write]
    }

    private func expect(
        _ errors: [StoreError],
        _ code: StoreError.Code,
        _ words: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        for error in errors {
            #expect(error.code == code, "\(error.code): \(error)", sourceLocation: location)
            #expect(error.message.contains(words), "\(error)", sourceLocation: location)
        }
    }

    /// What somebody else has put there leads nowhere that we should write.
    @Test(.enabled(if: getuid() == 0, "only root can make another user's link"))
    func aLinkOfAnotherUser() async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            #expect(symlink("elsewhere.db", path) == 0)
            _ = try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 100))
            #expect(try names(in: directory) == ["elsewhere.db", "manager.db"])
            #expect(lchown(path, 4711, 4711) == 0)
            expect(
                try await openForCommand(path) + [try await openForManager(path)],
                .permission,
                "another user could have"
            )
        }
    }

    @Test func missing() async throws {
        try await withScratch { directory in
            expect(try await openForCommand("\(directory)/manager.db"), .missing, "--store-dir")
            #expect(try names(in: directory) == [])
        }
    }

    @Test func directoryMissing() async throws {
        try await withScratch { directory in
            let path = "\(directory)/a/b/manager.db"
            expect(try await openForCommand(path) + [openForManager(path)], .directoryMissing, "Create it")
            #expect(try names(in: directory) == [])
        }
    }

    @Test func aFileInPlaceOfTheDirectory() async throws {
        try await withScratch { directory in
            try Data().write(to: URL(fileURLWithPath: "\(directory)/file"))
            let path = "\(directory)/file/manager.db"
            #expect(try await openForManager(path).code == .directoryMissing)
            for error in try await openForCommand(path) { #expect(error.code == .directoryMissing) }
        }
    }

    /// A question that failed has no answer: what cannot be looked at is neither missing nor another thing.
    @Test func whatCannotBeLookedAtIsNotCalledMissing() async throws {
        try await withScratch { directory in
            // A symbolic link that names itself.
            let path = "\(directory)/manager.db"
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
            for error in try await openForCommand(path) + [openForManager(path)] {
                #expect(error.code == .io, "\(error)")
                #expect(error.message.contains("Too many levels of symbolic links"), "\(error)")
                #expect(!error.message.contains("no such file") && !error.message.contains("no database"), "\(error)")
            }
            let aside = try await failure { try Store.quarantine(StoreConfiguration(path: path), as: "aside") }
            #expect(aside.code == .io, "\(aside)")
            let backup = try await failure { try Connection.requireAbsent(path) }
            #expect(backup.code == .io, "\(backup)")
        }
        for (error, code) in [
            (ENOENT, .directoryMissing), (ENOTDIR, .directoryMissing), (ELOOP, .directoryMissing),
            (EACCES, .permission), (ESTALE, .io), (EIO, .io), (ETIMEDOUT, .io), (EMFILE, .io),
        ] as [(Int32, StoreError.Code)] {
            let unusable = StorageClass.unusable("/mnt/store", error)
            #expect(unusable.code == code && !unusable.message.contains("is not a directory"), "\(unusable)")
            #expect(unusable.message.contains("Create it") == (error == ENOENT), "\(unusable)")
        }
    }

    @Test func aDirectoryInPlaceOfTheFile() async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            expect(try await openForCommand(path) + [openForManager(path)], .notADatabase, "Move it away")
        }
    }

    @Test func empty() async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            try Data().write(to: URL(fileURLWithPath: path))
            expect(try await openForCommand(path), .empty, "no manager has used it yet")
            #expect(try contents(of: path).isEmpty)
            // A manager that was killed as it created the file is no reason to do anything by hand.
            let store = try await openStore(in: directory)
            #expect(try await store.summary(within: patience).newest == 0)
        }
    }

    @Test func notADatabase() async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            let text = Data(String(repeating: "This is a letter to my aunt.\n", count: 200).utf8)
            try text.write(to: URL(fileURLWithPath: path))
            expect(try await openForCommand(path) + [openForManager(path)], .notADatabase, "another store directory")
            #expect(try contents(of: path) == text)
            #expect(try names(in: directory) == ["manager.db"])
        }
    }

    @Test(arguments: ["", "PRAGMA user_version = 1;", "PRAGMA application_id = 77; PRAGMA user_version = 1;"])
    func foreign(_ marks: String) async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            try rawConnection(path, mode: .create).executeScript(marks + "CREATE TABLE photo (id INTEGER)")
            let before = try contents(of: path)
            expect(try await openForCommand(path) + [openForManager(path)], .foreign, "another program's database")
            #expect(try contents(of: path) == before)
        }
    }

    @Test func newerSchema() async throws {
        try await withScratch { directory in
            let store = try await openStore(in: directory)
            try rawConnection(store.path).executeScript("PRAGMA user_version = \(Schema.currentVersion + 1)")
            let before = try contents(of: store.path)
            expect(
                try await openForCommand(store.path) + [openForManager(store.path)],
                .newerSchema,
                "Upgrade this host"
            )
            #expect(try contents(of: store.path) == before)
            #expect(try names(in: directory) == ["manager.db"])
        }
    }

    /// Only managers migrate: a command leaves an older file as it is.
    @Test func olderSchema() async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            let raw = try rawConnection(path, mode: .create)
            try raw.executeScript("PRAGMA application_id = \(Schema.applicationID); CREATE TABLE name (id INTEGER)")
            let before = try contents(of: path)
            for error in try await openForCommand(path) { #expect(error.code != .foreign) }
            #expect(try contents(of: path) == before)
        }
    }

    @Test func corrupt() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            for index in 0..<50 { try await leader.append([.set("g\(index)", index)]) }
            let path = "\(directory)/damaged.db"
            var bytes = try contents(of: leader.store.path)
            bytes.replaceSubrange(4096..., with: Data(repeating: 0xA5, count: bytes.count - 4096))
            try bytes.write(to: URL(fileURLWithPath: path))
            expect(try await openForCommand(path), .corrupt, "restore a backup")
        }
    }

    @Test func lockedByAWriter() async throws {
        try await withScratch { directory in
            let store = try await openStore(in: directory, busyTimeout: 50)
            let other = try rawConnection(store.path)
            try other.execute("BEGIN EXCLUSIVE")
            expect(try await openForCommand(store.path), .busy, "Try again")
            expect([try await failure { try await store.lease(within: patience) }], .busy, "locked by another process")
            try other.execute("ROLLBACK")
            // A lock that only writers want.
            try other.execute("BEGIN IMMEDIATE")
            #expect(try await store.lease(within: patience).epoch == 0)
            expect(
                [try await failure { try await store.cancelRequest("r", within: patience) }],
                .busy,
                "nothing was changed"
            )
            try other.execute("ROLLBACK")
            #expect(try await store.cancelRequest("r", within: patience) == false)
        }
    }

    /// A reader that will not let go keeps a commit out; nothing is stored then, and the next try works.
    @Test func lockedByAReader() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory, busyTimeout: 50))
            let other = try rawConnection(leader.store.path)
            try other.execute("BEGIN")
            _ = try other.lease()
            expect([try await failure { try await leader.append([.set("a", 1)]) }], .busy, "nothing was changed")
            try other.execute("COMMIT")
            #expect(try await leader.append([.set("a", 1)]).number == 1)
        }
    }

    @Test func readOnly() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            try await leader.append([.set("a", 1)])
            let disk = FaultyDisk(leader.store.path)
            defer { disk.remove() }
            disk.makeReadOnly()
            let store = Store.openForCommand(leader.store.configuration)
            #expect(try await store.summary(within: patience).newest == 1)
            let write = try await failure { try await store.cancelRequest("r", within: patience) }
            // A manager would find out only when it is to lead.
            let manager = try await openForManager(leader.store.path)
            expect([write, manager], .readOnly, "Check the mount and the permissions")
        }
    }

    /// Root may do everything, so this is for others to run.
    @Test(.enabled(if: geteuid() != 0)) func permission() async throws {
        try await withScratch { directory in
            let store = try await openStore(in: directory)
            #expect(chmod(store.path, 0) == 0)
            expect(try await openForCommand(store.path) + [openForManager(store.path)], .permission, "owner and mode")
            #expect(chmod(store.path, 0o400) == 0)
            let reader = Store.openForCommand(store.configuration)
            #expect(try await reader.lease(within: patience).epoch == 0)
            let write = try await failure { try await reader.cancelRequest("r", within: patience) }
            #expect(write.code == .readOnly)
            #expect(chmod(directory, 0o500) == 0)
            #expect(try await openForManager("\(directory)/other.db").code == .permission)
            #expect(chmod(directory, 0o700) == 0)
        }
    }

    @Test func fullDisk() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            try await leader.append([.set("a", 1)])
            let disk = FaultyDisk(leader.store.path)
            defer { disk.remove() }
            for file in [FaultyDisk.File.database, .journal] {
                let store = Leader(
                    store: Store.openForCommand(leader.store.configuration),
                    fence: leader.fence,
                    lease: leader.lease
                )
                // What is there can be written over, and so what was begun can be undone.
                disk.beforeWrite { written in
                    guard written == file else { return SQLITE_OK }
                    disk.beforeWrite(nil)
                    return SQLITE_FULL
                }
                expect([try await failure { try await store.append([.set("a", 2)]) }], .full, "Free some space")
                #expect(try await store.store.summary(within: patience).newest == 1)
            }
            #expect(try await leader.append([.set("a", 2)]).number == 2)
        }
    }

    @Test func theCodesAreDistinct() {
        let codes: [Int32] = [
            SQLITE_BUSY, SQLITE_FULL, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_READONLY, SQLITE_PERM, SQLITE_IOERR,
            SQLITE_CONSTRAINT,
        ]
        let errors = codes.map {
            StoreError(SQLiteError(extendedCode: $0, message: "words", path: "/x/manager.db", action: "a"))
        }
        #expect(Set(errors.map(\.code)).count == codes.count)
        for (code, error) in zip(codes, errors) {
            #expect(error.message.contains("/x/manager.db") && error.cause?.extendedCode == code)
        }
        // A quota looks like any I/O error to SQLite.
        for number in [EDQUOT, ENOSPC] {
            let error = SQLiteError(
                extendedCode: SQLITE_IOERR | 3 << 8,
                message: "disk I/O error",
                path: "/x",
                action: "a",
                systemError: number
            )
            #expect(StoreError(error).code == .full)
        }
    }

    /// A write-ahead log between two hosts corrupts, and to ask SQLite for the mode is to take part in it.
    @Test(arguments: [true, false]) func aWriteAheadLogIsRefusedUntouched(_ isOurs: Bool) async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            if isOurs { _ = try await openStore(in: directory) }
            // As another program does it: through our own way to a file there can be no such log.
            var other: OpaquePointer?
            #expect(sqlite3_open(path, &other) == SQLITE_OK)
            #expect(sqlite3_exec(other, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)", nil, nil, nil) == SQLITE_OK)
            #expect(sqlite3_close(other) == SQLITE_OK)
            let before = try contents(of: path)
            let errors = try await openForCommand(path) + [openForManager(path)]
            if isOurs {
                expect(errors, .unsafeStorage, "journal_mode=DELETE")
            } else {
                expect(errors, .foreign, "another program's")
            }
            #expect(try names(in: directory) == ["manager.db"])
            #expect(try contents(of: path) == before)
        }
    }

    /// A journal lies beside one name only: whoever opens the file by the other would not find what is to be undone.
    @Test func aFileWithTwoNamesIsRefusedUntouched() async throws {
        try await withScratch { directory in
            let path = "\(directory)/manager.db"
            _ = try await openStore(in: directory)
            let before = try contents(of: path)
            let other = "\(directory)/other/manager.db"
            try FileManager.default.createDirectory(atPath: "\(directory)/other", withIntermediateDirectories: false)
            #expect(link(path, other) == 0)
            for name in [path, other] {
                expect(try await openForCommand(name) + [openForManager(name)], .unsafeStorage, "2 names")
            }
            #expect(try contents(of: path) == before)
            #expect(
                try names(in: directory) == ["manager.db", "other"] && names(in: "\(directory)/other") == ["manager.db"]
            )
            // A backup may be kept under many names: it is only read.
            let backup = Store.openForCommand(StoreConfiguration(path: other, mayHaveOtherNames: true))
            #expect(try await backup.summary(within: patience).newest == 0)
            // A symbolic link is no second name: SQLite follows it to the directory in which the journal lies.
            #expect(unlink(other) == 0 && symlink(path, other) == 0)
            _ = try await Store.openForManager(StoreConfiguration(path: other))
            #expect(
                try await Store.openForCommand(StoreConfiguration(path: other)).summary(within: patience).newest == 0
            )
        }
    }

    @Test func aFileThatWasReplacedIsReadAnew() async throws {
        try await withScratch { directory in
            let leader = try await lead(try await openStore(in: directory))
            try await leader.append([.set("a", 1)])
            let backup = try contents(of: leader.store.path)
            try await leader.append([.set("a", 2)])
            #expect(try await leader.store.summary(within: patience).newest == 2)
            try FileManager.default.removeItem(atPath: leader.store.path)
            expect([try await failure { try await leader.append([.free("a")]) }], .missing, "no database")
            expect([try await failure { try await leader.store.summary(within: patience) }], .missing, "no database")
            try backup.write(to: URL(fileURLWithPath: leader.store.path))
            #expect(try await leader.store.summary(within: patience).newest == 1)
            #expect(try await leader.append([.set("a", 3)]).number == 2)
        }
    }
}
