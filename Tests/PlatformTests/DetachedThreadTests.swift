import Platform
import Testing

struct DetachedThreadTests {
    @Test func runsItsBodyOnceAndKeepsWhatItNeedsUntilThen() async throws {
        final class Token: Sendable {}
        weak var kept: Token?
        let ran = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Bool, any Error>) in
            let token = Token()
            kept = token
            do {
                try DetachedThread.start {
                    withExtendedLifetime(token) {}
                    continuation.resume(returning: true)
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        #expect(ran)
        // The thread lets go of it when it ends.
        while kept != nil { await Task.yield() }
    }
}
