import Glibc
import Platform
import Testing

@testable import ProcessGroup

struct FileLockTests {
    @Test func oneHolderAtATime() async throws {
        try await PluginHarness.with { harness in
            let path = "\(harness.folder)/lock"
            let first = try #require(try FileLock.attempt(path))
            #expect(try FileLock.attempt(path) == nil)
            first.release()
            #expect(File.names(in: harness.folder).isEmpty)
            let second = try #require(try FileLock.attempt(path))
            // The first one is through with it, whatever is called once more.
            first.release()
            #expect(try FileLock.attempt(path) == nil)
            second.release()
        }
    }

    /// Many take, remove and make the same file at the same time.
    @Test func isExclusiveThroughRemovals() async throws {
        try await PluginHarness.with { harness in
            let path = "\(harness.folder)/lock"
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var taken = 0
                        for _ in 0..<2000 {
                            guard let lock = try FileLock.attempt(path) else { continue }
                            taken += 1
                            // Only the holder makes and removes this one.
                            #expect(mkdir("\(path).held", 0o700) == 0)
                            #expect(rmdir("\(path).held") == 0)
                            lock.release()
                        }
                        return taken
                    }
                }
                let taken = try await group.reduce(0, +)
                #expect(taken > 0)
            }
        }
    }

    @Test func endOfTheHolderLeavesTheFileAndNoLock() async throws {
        try await PluginHarness.with { harness in
            let path = "\(harness.folder)/lock"
            var holder = try FileLock.attempt(path)
            #expect(holder != nil)
            holder = nil
            #expect(File.names(in: harness.folder) == ["lock"])
            let next = try #require(try FileLock.attempt(path))
            next.release()
        }
    }

    @Test func unusablePathIsNamed() {
        let error = #expect(throws: SystemError.self) { try FileLock.attempt("/proc/no/lock") }
        #expect(error?.function == "open")
        #expect(error?.subject == "/proc/no/lock")
    }
}
