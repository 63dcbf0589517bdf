import Foundation
import SmallFileSystems
import Testing

extension SmallFileSystem {
    /// A small file system for one test, which is cancelled where there can be none.
    static func with(_ kind: Kind, _ body: (SmallFileSystem) async throws -> Void) async throws {
        try await withScratch { scratch in
            let directory = "\(scratch)/mounted"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            do {
                try await with(kind, megabytes: kind == .tmpfs ? 1 : 4, at: directory, body)
            } catch let absent as Absent {
                try Test.cancel("SKIPPED: \(absent)")
            }
        }
    }
}
