import Glibc
import Manager

/// A condition that did not come true.
struct NeverCame: Error, CustomStringConvertible {
    let description: String
}

/// Waits until the condition holds; fails when it has not come true for a very long time.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<10_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(3), clock: .suspending)
    }
    throw NeverCame(description: "never: \(what)")
}

/// The same, while time passes: in small steps, so that what happens in between is not skipped.
func eventually(
    _ what: String,
    on clock: TestClock,
    step: Duration = .milliseconds(100),
    _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<10_000 {
        if try await condition() { return }
        try await clock.step(by: step)
    }
    throw NeverCame(description: "never: \(what)")
}

/// Lets time pass in small steps.
func pass(_ duration: Duration, on clock: TestClock, step: Duration = .milliseconds(100)) async throws {
    let end = clock.now() + duration
    while clock.now() < end {
        try await clock.step(by: step)
    }
}

/// A directory for one test, gone when the test ends.
func withScratchDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = "/tmp/ik-manager-\(UInt64.random(in: 0 ... .max))"
    guard mkdir(path, 0o700) == 0 else { throw NeverCame(description: "no directory \(path)") }
    defer { remove(path) }
    return try await body(path)
}

private func remove(_ path: String) {
    guard let folder = opendir(path) else { return }
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { unlink("\(path)/\(name)") }
    }
    closedir(folder)
    rmdir(path)
}

func write(_ text: String, to path: String) {
    guard let file = fopen(path, "we") else { return }
    fputs(text, file)
    fclose(file)
}
