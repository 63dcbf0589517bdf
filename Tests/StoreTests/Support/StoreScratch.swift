import Foundation

@testable import Store

/// Long enough for a machine that is busy with other tests; no test waits for it to pass.
let patience = Duration.seconds(60)

/// A directory for one test, gone when the test ends.
///
/// - Parameter inMemory: on a file system without a disk, where there is one: a sync costs nothing there.
func withScratch<Result>(
    inMemory: Bool = false,
    _ body: (String) async throws -> Result
) async throws -> Result {
    let parent = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    let path = "\(parent)/store-test-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// A new, empty store in a directory of its own.
func withStore<Result>(_ body: (Store) async throws -> Result) async throws -> Result {
    try await withScratch { directory in
        try await body(try await openStore(in: directory))
    }
}

func openStore(in directory: String, busyTimeout: Int = 10_000) async throws -> Store {
    let path = StoreConfiguration.path(in: directory)
    return try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: busyTimeout))
}

/// A second connection to the file, as another process has it.
func rawConnection(_ path: String, mode: Connection.Mode = .readWrite, busyTimeout: Int = 10_000) throws -> Connection {
    try Connection(path: path, mode: mode, busyTimeout: busyTimeout)
}

/// Runs what is to fail, and returns how.
func failure<Result>(of body: () async throws -> Result) async throws -> StoreError {
    do {
        let result = try await body()
        throw Unexpected("no error, but \(result)")
    } catch let error as StoreError {
        return error
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func contents(of path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

func names(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
}
