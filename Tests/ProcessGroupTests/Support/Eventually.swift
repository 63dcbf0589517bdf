import Testing

/// Waits until the condition holds; records an issue when it does not within the deadline.
///
/// The deadline is for a machine under load; a test that passes does not wait for it.
func eventually(
    _ what: Comment,
    within deadline: Duration = .seconds(120),
    isolation: isolated (any Actor)? = #isolation,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + deadline
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < end else {
            Issue.record(what, sourceLocation: sourceLocation)
            throw DeadlinePassed()
        }
        try await Task.sleep(for: .milliseconds(10), clock: .suspending)
    }
}

struct DeadlinePassed: Error {}
