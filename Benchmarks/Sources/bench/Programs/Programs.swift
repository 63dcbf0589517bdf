internal import BenchmarkSupport

/// The released programs.
struct Programs: Sendable {
    let directory: String

    /// - Throws: when one is missing.
    init(in directory: String) throws {
        self.directory = directory
        for path in [manager, infrakit] where !Files.exists(path) {
            throw BenchmarkError("\(path) is missing; make release builds it")
        }
    }

    var manager: String { "\(directory)/infrakit-manager" }
    var infrakit: String { "\(directory)/infrakit" }
}
