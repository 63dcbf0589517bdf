/// A condition that did not come true.
struct NeverCame: Error, CustomStringConvertible {
    let description: String
}

/// Waits until the condition holds; fails when it has not come true for a very long time.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<20_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(3), clock: .suspending)
    }
    throw NeverCame(description: "never: \(what)")
}
