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
    let end = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < end else {
            Issue.record("waited \(limit) in vain until \(what)", sourceLocation: sourceLocation)
            throw Trouble("waited \(limit) in vain until \(what)")
        }
        try await Task.sleep(for: .milliseconds(15), clock: .suspending)
    }
}

/// Waits for a condition that gives a value.
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(30),
    sourceLocation: SourceLocation = #_sourceLocation,
    find: () async throws -> Value?
) async throws -> Value {
    var found: Value?
    try await eventually(what, within: limit, sourceLocation: sourceLocation) {
        found = try await find()
        return found != nil
    }
    guard let found else { throw Trouble(what) }
    return found
}

/// Why a test cannot go on.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
