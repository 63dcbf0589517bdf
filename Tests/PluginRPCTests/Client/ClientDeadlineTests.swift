import NIOPosix
import Testing

@testable import PluginRPC

@Suite("Work against the clock")
struct ClientDeadlineTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    @Test("is cancelled when the time is up")
    func timeIsUp() async {
        let wasCancelled = await withDeadline(until: .now + .milliseconds(10), on: loop) { await Self.cancellation() }
        #expect(wasCancelled)
    }

    @Test("is cancelled with its caller")
    func callerGivesUp() async {
        let caller = Task { [loop] in
            await withDeadline(until: .now + .seconds(3600), on: loop) { await Self.cancellation() }
        }
        caller.cancel()
        #expect(await caller.value)
    }

    /// A timer that ran on would keep what the work has returned.
    @Test("leaves nothing behind")
    func leavesNothing() async throws {
        let returned = WeakReference(
            to: await withDeadline(until: .now + .seconds(3600), on: loop) { Returned() }
        )
        try await eventually { returned.object == nil }
    }

    /// Returns once the task is cancelled.
    private static func cancellation() async -> Bool {
        while !Task.isCancelled { await Task.yield() }
        return true
    }
}

private final class Returned: Sendable {}

private final class WeakReference: @unchecked Sendable {
    // Written once, before anybody reads it, hence unchecked.
    private(set) weak var object: Returned?
    init(to object: Returned) { self.object = object }
}
