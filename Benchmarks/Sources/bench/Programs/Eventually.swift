internal import BenchmarkSupport

/// Waits until something is so, looking every few milliseconds.
///
/// - Parameters:
///   - what: what is waited for, for the error.
///   - pause: between two looks.
///   - body: nil for not yet.
@discardableResult
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(60),
    pause: Duration = .milliseconds(5),
    _ body: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    while true {
        if let value = try await body() { return value }
        guard ContinuousClock.now < end else { throw BenchmarkError("waited \(limit) for this in vain: \(what)") }
        try await Task.sleep(for: pause, clock: .suspending)
    }
}
