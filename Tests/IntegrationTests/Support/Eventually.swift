import Testing

/// Waits until a condition holds. The deadline is only there to make a broken test fail.
///
/// - Throws: when the condition has not come true for a very long time.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(30),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    try await eventually(what, within: limit, sourceLocation: sourceLocation) { try await condition() ? () : nil }
}

/// Waits for a condition that gives a value.
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(30),
    sourceLocation: SourceLocation = #_sourceLocation,
    find: () async throws -> Value?
) async throws -> Value {
    guard let found = try await found(within: limit, find) else {
        Issue.record("waited \(limit) in vain until \(what)", sourceLocation: sourceLocation)
        throw Trouble("waited \(limit) in vain until \(what)")
    }
    return found
}

/// Looks for a value again and again.
///
/// - Returns: nil when there was none for so long.
func found<Value>(within limit: Duration, _ find: () async throws -> Value?) async throws -> Value? {
    let end = ContinuousClock.now + limit
    while true {
        if let found = try await find() { return found }
        guard ContinuousClock.now < end else { return nil }
        try await Task.sleep(for: .milliseconds(15), clock: .suspending)
    }
}

/// Why a test cannot go on.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
