import CSQLite
import Foundation
import GroupSPI
import Testing

@testable import Store

/// The host loses power amid a commit: what lies on the disk then is the database, half written, and the journal beside
/// it.
@Suite struct HotJournalTests {
    /// Copies both files at the moment when the database is written but not synced.
    private func crash(in directory: String, _ body: (Leader) async throws -> Void) async throws -> StoreConfiguration {
        let original = StoreConfiguration.path(in: directory)
        let copy = "\(directory)/crashed/manager.db"
        try FileManager.default.createDirectory(atPath: "\(directory)/crashed", withIntermediateDirectories: true)
        let disk = FaultyDisk(original)
        defer { disk.remove() }
        let leader = try await lead(try await openStore(in: directory))
        for index in 0..<40 { try await leader.append([.set("g\(index % 4)", index)]) }
        let copies = Counter()
        disk.beforeSync { file in
            guard file == .database, copies.value == 0 else { return SQLITE_OK }
            copies.add()
            // A process of its own: a descriptor of ours would drop our locks when it closes.
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/cp")
            process.arguments = [original, original + "-journal", "\(directory)/crashed/"]
            guard (try? process.run()) != nil else { return SQLITE_IOERR }
            process.waitUntilExit()
            return process.terminationStatus == 0 ? SQLITE_OK : SQLITE_IOERR
        }
        try await body(leader)
        #expect(copies.value == 1)
        #expect(try names(in: "\(directory)/crashed") == ["manager.db", "manager.db-journal"])
        return StoreConfiguration(path: copy, busyTimeout: 10_000)
    }

    @Test(arguments: [true, false]) func whatWasNotCommittedIsUndone(_ byACommand: Bool) async throws {
        try await withScratch { directory in
            let configuration = try await crash(in: directory) { leader in
                try await leader.append([.set("g1", 99), .destroy("g2")])
            }
            let store =
                byACommand
                ? Store.openForCommand(configuration) : try await Store.openForManager(configuration)
            #expect(try await store.summary(within: patience).newest == 40)
            #expect(try await store.state(of: "g2", within: patience)?.spec != nil)
            #expect(try await store.verify(within: patience) == Verification(newest: 40, revisions: 40, problems: []))
            #expect(try await store.verifyFile(within: patience) == [])
            #expect(try names(in: "\(directory)/crashed") == ["manager.db"])
            let next = try await lead(store, as: "n2/group", reason: "the host is gone")
            #expect(next.fence.epoch == 2)
            #expect(try await next.append([.free("g1")]).number == 41)
        }
    }

    /// As a backup program brings it back that had copied the directory amid a change.
    @Test func aJournalOfAnEarlierChangeUndoesNothing() async throws {
        try await withScratch { directory in
            let original = StoreConfiguration.path(in: directory)
            let crashed = try await crash(in: directory) { leader in
                try await leader.append([.set("g1", 99)])
                for index in 0..<3 { try await leader.append([.set("g2", index)]) }
            }
            let store = Store.openForCommand(StoreConfiguration(path: original))
            let newest = try await store.summary(within: patience).newest
            let before = try contents(of: original)
            try FileManager.default.moveItem(atPath: crashed.path + "-journal", toPath: original + "-journal")
            let reader = Store.openForCommand(StoreConfiguration(path: original))
            for error in [
                try await failure { try await reader.summary(within: patience) },
                try await failure { try await store.cancelRequest("r", within: patience) },
                try await failure { try await Store.openForManager(StoreConfiguration(path: original)) },
            ] {
                #expect(error.code == .corrupt && error.message.contains("Move it away"), "\(error)")
            }
            #expect(try contents(of: original) == before)
            #expect(unlink(original + "-journal") == 0)
            #expect(try await reader.summary(within: patience).newest == newest && newest == 44)
            #expect(try await reader.verify(within: patience).problems == [])
        }
    }

    @Test func aLeaseThatWasNotCommittedIsNobodys() async throws {
        try await withScratch { directory in
            let configuration = try await crash(in: directory) { leader in
                _ = try await lead(leader.store, as: "n2/group")
            }
            let store = Store.openForCommand(configuration)
            let lease = try await store.lease(within: patience)
            #expect(lease.epoch == 1 && lease.holder == "n1/group")
            #expect(try await store.terms(within: patience).count == 1)
        }
    }
}
