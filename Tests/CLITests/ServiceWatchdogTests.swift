import Logging
import Synchronization
import Testing

@testable import CLI

@Suite struct ServiceWatchdogTests {
    /// A leadership loop that a test stops and starts.
    private final class Heart: Sendable {
        private struct State {
            var beats = true
            var asked = 0
            var pings = 0
        }

        private let state = Mutex(State())
        var asked: Int { state.withLock(\.asked) }
        var pings: Int { state.withLock(\.pings) }

        func set(_ beats: Bool) { state.withLock { $0.beats = beats } }

        func ask() -> Bool {
            state.withLock { state in
                state.asked += 1
                return state.beats
            }
        }

        func ping() { state.withLock { $0.pings += 1 } }
    }

    private func eventually(_ condition: () -> Bool) async throws {
        for _ in 0..<10_000 where !condition() { try await Task.sleep(for: .milliseconds(3), clock: .suspending) }
        try #require(condition())
    }

    @Test func pingsOnlyWhileTheLoopTurns() async throws {
        let heart = Heart()
        let watchdog = ServiceWatchdog(
            interval: .milliseconds(2),
            isAlive: { heart.ask() },
            ping: { heart.ping() },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await watchdog.run() }
            try await eventually { heart.pings >= 3 }

            heart.set(false)
            // The question that was under way when the loop stopped may still end with a ping.
            let stopped = heart.asked
            try await eventually { heart.asked >= stopped + 2 }
            let (asked, pings) = (heart.asked, heart.pings)
            try await eventually { heart.asked >= asked + 5 }
            #expect(heart.pings == pings)

            heart.set(true)
            try await eventually { heart.pings >= pings + 3 }
            tasks.cancelAll()
        }
    }

    @Test func pingsAtHalfOfWhatIsAllowed() {
        #expect(ServiceWatchdog.interval(.seconds(60)) == .seconds(30))
        // Whatever is asked for, it is no busy loop.
        #expect(ServiceWatchdog.interval(.microseconds(1)) == .milliseconds(1))
    }
}
