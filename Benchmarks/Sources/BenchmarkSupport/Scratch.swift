internal import Glibc
package import Store

/// A directory for one benchmark, on the disk that `BENCH_DIR` names, or else the one of the current directory.
///
/// What is measured there waits for a disk. In memory a durable write costs nothing, so memory is refused.
package struct Scratch: Sendable {
    package let path: String

    package init() throws {
        let parent = try Self.parent
        _ = try Self.storage
        var template = Array("\(parent)/.bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchmarkError("\(parent): \(String(cString: strerror(errno)))") }
        path = template.withUnsafeBufferPointer { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) }
    }

    /// Where such directories are made.
    package static var parent: String {
        get throws {
            let named = getenv("BENCH_DIR").map { String(cString: $0) } ?? "."
            guard let whole = realpath(named, nil) else {
                throw BenchmarkError("BENCH_DIR, \(named): \(String(cString: strerror(errno)))")
            }
            defer { free(whole) }
            return String(cString: whole)
        }
    }

    /// What the directories are on.
    ///
    /// - Throws: ``BenchmarkError`` when it is no disk.
    package static var storage: StorageClass {
        get throws {
            let parent = try parent
            let storage = try StorageClass(of: "\(parent)/\(StoreConfiguration.fileName)")
            guard !["tmpfs", "ramfs"].contains(storage.type) else {
                throw BenchmarkError(
                    "\(parent) is memory (\(storage.type)), where a durable write costs nothing. Name a directory on a disk "
                        + "as BENCH_DIR."
                )
            }
            return storage
        }
    }

    package func remove() { Files.remove(path) }
}
