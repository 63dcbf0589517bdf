import Foundation
import GroupSPI
import Testing

@testable import Store

/// A database that is gone, or cut to nothing, is not a new one.
@Suite struct LostDatabaseTests {
    enum Loss: CaseIterable {
        case cut, removed, renamed, cutBesideItsJournal, movedWithAllElse
    }

    private func manager(_ path: String) -> StoreConfiguration {
        var configuration = StoreConfiguration(path: path, busyTimeout: 10_000)
        configuration.mayBeginAnew = false
        return configuration
    }

    private func lose(_ path: String, _ loss: Loss) throws {
        switch loss {
        case .cut: #expect(truncate(path, 0) == 0)
        case .removed: #expect(unlink(path) == 0)
        case .renamed:
            #expect(rename(path, path + ".old") == 0 && unlink(DatabaseTraces.mark(beside: path)) == 0)
        case .cutBesideItsJournal:
            #expect(truncate(path, 0) == 0 && unlink(DatabaseTraces.mark(beside: path)) == 0)
            try Data("what was before".utf8).write(to: URL(fileURLWithPath: path + "-journal"))
        case .movedWithAllElse:
            #expect(unlink(path) == 0 && unlink(DatabaseTraces.mark(beside: path)) == 0)
        }
    }

    @Test(arguments: Loss.allCases) func whatWasLostIsNotNew(_ loss: Loss) async throws {
        try await withScratch { directory in
            let path = StoreConfiguration.path(in: directory)
            do {
                let leader = try await lead(try await Store.openForManager(manager(path)))
                try await leader.append([.set("a", 1)])
            }
            try lose(path, loss)
            let before = try names(in: directory)
            if loss == .movedWithAllElse {
                // Nothing is at hand that tells of it.
                let error = try await failure {
                    try await Store.openForCommand(StoreConfiguration(path: path)).summary(within: patience)
                }
                #expect(error.code == .missing, "\(error)")
                _ = try await Store.openForManager(manager(path))
                return
            }
            for error in [
                try await failure { try await Store.openForManager(manager(path)) },
                try await failure {
                    try await Store.openForCommand(StoreConfiguration(path: path)).summary(within: patience)
                },
                try await failure {
                    try await Store.openForCommand(StoreConfiguration(path: path)).cancelRequest("r", within: patience)
                },
                try await failure {
                    try await Store.openForCommand(StoreConfiguration(path: path))
                        .backup(to: "\(directory)/b", within: patience)
                },
            ] {
                #expect(error.code == .lost && error.message.contains("accept --empty"), "\(error)")
            }
            // Nothing was made, and no journal removed, as SQLite does it beside an empty file.
            #expect(try names(in: directory) == before)
            try await Store.beginAnew(StoreConfiguration(path: path))
            let next = try await lead(try await Store.openForManager(manager(path)))
            #expect(try await next.append([.set("a", 1)]).number == 1)
            let left = try names(in: directory)
            if loss == .renamed { #expect(left.contains("manager.db.old")) }
            if loss == .cutBesideItsJournal { #expect(left.contains { $0.hasPrefix("manager.db.lost-journal-") }) }
            let again = try await failure { try await Store.beginAnew(StoreConfiguration(path: path)) }
            #expect(again.code == .conflict)
        }
    }

    /// What lies where SQLite has files of its own is named, and waited for by nobody.
    @Test(arguments: ["-journal", "-wal"]) func aStrangerBesideTheDatabaseIsNamed(_ suffix: String) async throws {
        try await withScratch { directory in
            let path = StoreConfiguration.path(in: directory)
            do {
                let leader = try await lead(try await openStore(in: directory))
                try await leader.append([.set("a", 1)])
            }
            let stranger = path + suffix
            if suffix == "-journal" {
                #expect(mkfifo(stranger, 0o600) == 0)
            } else {
                try Data(repeating: 7, count: 100).write(to: URL(fileURLWithPath: stranger))
            }
            let command = Store.openForCommand(StoreConfiguration(path: path, busyTimeout: 10_000))
            let error = try await failure { try await command.summary(within: patience) }
            #expect(error.code == .io && error.message.contains(stranger), "\(error)")
            #expect(error.message.lowercased().contains("move it away"), "\(error)")
            #expect(unlink(stranger) == 0)
            #expect(try await command.summary(within: patience).newest == 1)
        }
    }

    /// A first start, also of two managers, and beside files of other names.
    @Test func whatIsNewIsNew() async throws {
        try await withScratch { directory in
            let path = StoreConfiguration.path(in: directory)
            for name in ["global.config", ".manager.lockprobe-1", "notes.db"] {
                try Data("x".utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
            }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 { tasks.addTask { _ = try await Store.openForManager(manager(path)) } }
                try await tasks.waitForAll()
            }
            let error = try await failure { try await Store.beginAnew(StoreConfiguration(path: path)) }
            #expect(error.code == .conflict)
            // Of a database that was made before there were such marks, too.
            #expect(unlink(DatabaseTraces.mark(beside: path)) == 0)
            _ = try await Store.openForManager(manager(path))
            #expect(try names(in: directory).contains(".manager.db.used"))
        }
    }
}
