import Synchronization

@testable import Store

/// A host's boot-time clock, in milliseconds, which a test moves.
final class ManualClock: Sendable {
    private let time: Mutex<Int>

    init(_ time: Int = 5_000_000) {
        self.time = Mutex(time)
    }

    func pass(_ milliseconds: Int) { time.withLock { $0 += milliseconds } }

    /// A store that a process of that host has opened.
    func open(in directory: String) async throws -> Store {
        try await Store.openForManager(
            StoreConfiguration(path: StoreConfiguration.path(in: directory), busyTimeout: 10_000)
        ) { self.time.withLock(\.self) }
    }
}

func withLeader<Result>(_ clock: ManualClock, _ body: (Leader) async throws -> Result) async throws -> Result {
    try await withScratch { directory in try await body(try await lead(try await clock.open(in: directory))) }
}
