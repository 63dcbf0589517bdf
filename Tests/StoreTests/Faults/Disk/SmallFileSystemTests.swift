import Foundation
import GroupSPI
import SmallFileSystems
import Testing

@testable import Store

/// Real file systems that fill up or become read-only under an open store.
@Suite(.serialized) struct SmallFileSystemTests {
    private func draft(_ index: Int) -> RevisionDraft {
        let text = #"{"Note":"\#(index) \#(String(repeating: "x", count: 3000))"}"#
        let change = Change(group: "a", action: .set(RawJSON(checked: Array(text.utf8)), plugin: "group-stateless"))
        return RevisionDraft(author: .tester, operation: .commit, message: "\(index)", changes: [change])
    }

    /// Exactly what was acknowledged is there, in a file that is sound.
    private func check(_ store: Store, _ acknowledged: [Int]) async throws {
        let messages = try await store.history(HistoryQuery(), within: patience).revisions.map(\.message)
        #expect(messages.reversed() == acknowledged.map(String.init))
        #expect(try await store.verifyFile(within: patience) == [])
        #expect(try await store.verify(within: patience).problems == [])
    }

    @Test(arguments: SmallFileSystem.Kind.allCases) func aFullDisk(_ kind: SmallFileSystem.Kind) async throws {
        try await SmallFileSystem.with(kind) { system in
            let ballast = "\(system.directory)/ballast"
            try Data(repeating: 1, count: 300_000).write(to: URL(fileURLWithPath: ballast))
            let leader = try await lead(try await openStore(in: system.directory))
            let store = leader.store
            var acknowledged: [Int] = []
            var refused = 0
            for index in 1...5000 {
                do throws(StoreError) {
                    _ = try await store.append(draft(index), fence: leader.fence, within: patience)
                    acknowledged.append(index)
                } catch {
                    #expect(error.code == .full && error.message.contains("nothing was stored"), "\(error)")
                    refused += 1
                    if refused == 20 { break }
                }
            }
            #expect(acknowledged.count > 50 && refused == 20)
            try await check(store, acknowledged)

            try FileManager.default.removeItem(atPath: ballast)
            _ = try await store.renewLease(leader.fence, within: patience)
            for index in 6000...6005 {
                _ = try await store.append(draft(index), fence: leader.fence, within: patience)
                acknowledged.append(index)
            }
            try await check(store, acknowledged)
            try await check(try await openStore(in: system.directory), acknowledged)
        }
    }

    @Test(arguments: SmallFileSystem.Kind.allCases) func aReadOnlyRemount(_ kind: SmallFileSystem.Kind) async throws {
        try await SmallFileSystem.with(kind) { system in
            let fence = try await lead(try await openStore(in: system.directory)).fence
            let path = StoreConfiguration.path(in: system.directory)
            // Open, but without a descriptor: the kernel remounts nothing read-only on which somebody could write.
            let store = Store.openForCommand(StoreConfiguration(path: path))
            try await system.remount("ro")
            for index in 1...2 {
                let error = try await failure { try await store.append(draft(index), fence: fence, within: patience) }
                #expect(error.code == .readOnly, "\(error)")
                try await check(store, [])
            }
            try await system.remount("rw")
            _ = try await store.append(draft(3), fence: fence, within: patience)
            try await check(store, [3])
        }
    }

    /// What ext4 does when its disk fails: read-only at once, under open files, until somebody mounts it anew.
    @Test func aFileSystemThatBreaksDown() async throws {
        try await SmallFileSystem.with(.ext4) { system in
            let leader = try await lead(try await openStore(in: system.directory))
            let store = leader.store
            _ = try await store.append(draft(1), fence: leader.fence, within: patience)
            try await check(store, [1])
            guard try system.breakDown() else {
                try Test.cancel("SKIPPED: a file system that breaks down: this kernel has no trigger_fs_error")
            }
            for index in 2...4 {
                let error = try await failure {
                    try await store.append(draft(index), fence: leader.fence, within: patience)
                }
                #expect([.readOnly, .io, .permission].contains(error.code), "\(error)")
                try await check(store, [1])
            }
            try system.repair()
            _ = try await store.append(draft(5), fence: leader.fence, within: patience)
            try await check(store, [1, 5])
        }
    }
}
