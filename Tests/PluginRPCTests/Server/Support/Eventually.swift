/// Waits for a condition that nothing announces. The timeout is only there to make a broken test fail.
func eventually(
    orFailAfter timeout: Duration = .seconds(20),
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + timeout
    while try await !condition() {
        guard clock.now < end else { throw TestTrouble("a condition did not come true within \(timeout)") }
        try await Task.sleep(for: .milliseconds(5), clock: .suspending)
    }
}
