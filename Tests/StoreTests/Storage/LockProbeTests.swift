import CSQLite
import Foundation
import Testing

@testable import Store

@Suite struct LockProbeTests {
    @Test func theProbeKeepsASecondProcessAwayAndLeavesNothing() async throws {
        try await withScratch { directory in
            for _ in 0..<5 { #expect(LockProbe.run(nextTo: "\(directory)/manager.db") == .works) }
            let left = try names(in: directory)
            #expect(left == [])
        }
    }

    @Test func probesAtOnceDoNotMeet() async throws {
        try await withScratch { directory in
            let findings = await withTaskGroup(of: LockProbe.Finding.self) { tasks in
                for _ in 0..<20 { tasks.addTask { LockProbe.run(nextTo: "\(directory)/manager.db") } }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(findings == Array(repeating: .works, count: 20))
        }
    }

    @Test func whereNoFileCanBeCreatedNothingIsTried() {
        #expect(LockProbe.run(nextTo: "/proc/manager.db") == .notTried)
        #expect(LockProbe.run(nextTo: "/no/such/directory/manager.db") == .notTried)
    }

    /// As on a file system that takes locks and does not keep them: the second process is told of another file.
    @Test func aSecondProcessThatGetsTheLockIsNoticed() async throws {
        try await withScratch { directory in
            let paths = ["a", "b"].map { "\(directory)/\($0)" }
            for path in paths { try Data().write(to: URL(fileURLWithPath: path)) }
            let file = open(paths[0], O_RDWR)
            defer { close(file) }
            #expect(csqlite_probe_lock(file, paths[1]) == 1)
            #expect(csqlite_probe_lock(file, paths[0]) == 0)
            #expect(csqlite_probe_lock(file, "\(directory)/none") == -ENOENT)
            #expect(csqlite_probe_lock(-1, paths[0]) == -EBADF)
        }
    }

    /// A lock that another connection of this process holds on the database outlives the probe.
    @Test func theProbeDropsNoLockOfSQLite() async throws {
        try await withStore { store in
            let holder = try rawConnection(store.path)
            try holder.execute("BEGIN IMMEDIATE")
            #expect(LockProbe.run(nextTo: store.path) == .works)
            // Asked of the kernel, by a second process: connections of one process tell each other without it.
            let scratch = open(store.path + "-scratch", O_RDWR | O_CREAT, 0o600)
            defer { close(scratch) }
            #expect(csqlite_probe_lock(scratch, store.path) == 0)
            try holder.execute("ROLLBACK")
            #expect(csqlite_probe_lock(scratch, store.path) == 1)
        }
    }

    @Test(
        arguments: [
            (.works, nil), (.notTried, nil), (.doesNotHold, "a second process got a lock"),
            (.noLocks("No locks available"), "No locks available"),
        ] as [(LockProbe.Finding, String?)]
    )
    func onlyLocksThatHoldAreAccepted(_ finding: LockProbe.Finding, _ words: String?) throws {
        try finding.requireSafe(path: "/x/manager.db", allowed: true)
        guard let words else { return try finding.requireSafe(path: "/x/manager.db", allowed: false) }
        let error = #expect(throws: StoreError.self) { try finding.requireSafe(path: "/x/manager.db", allowed: false) }
        #expect(error?.code == .unsafeStorage)
        for part in [words, "/x/manager.db", "--unsafe-storage"] {
            #expect(error?.message.contains(part) == true, "\(String(describing: error))")
        }
    }
}
