import Foundation

/// A directory for one test, short enough for socket paths, gone when the test ends.
public func withScratchDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = "/tmp/ik-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Waits until the condition holds; false when it has not come true for a very long time.
public func comesTrue(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<6000 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5), clock: .suspending)
    }
    return false
}
