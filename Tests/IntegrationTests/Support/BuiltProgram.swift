import Glibc

/// The programs under test, which the build puts beside the test runner.
enum BuiltProgram: String, CaseIterable {
    case manager = "infrakit-manager"
    case infrakit = "infrakit"
    /// A library, to be loaded before a program's others.
    case wallClock = "libWallClock.so"

    /// - Throws: ``Trouble`` that names every place that was looked at.
    func path() throws -> String {
        let places = Self.directories().map { "\($0)/\(rawValue)" }
        guard let found = places.first(where: { access($0, R_OK) == 0 }) else {
            let text =
                "the program \(rawValue) is missing; looked for \(places.joined(separator: ", ")). Build it first."
            printError(text)
            throw Trouble(text)
        }
        return found
    }

    /// The directory of the running program, or of the bundle of tests that another program has loaded.
    private static func directories() -> [String] {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = length > 0 ? String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        return ([own] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }).compactMap { path in
            path.lastIndex(of: "/").map { String(path[..<$0]) }
        }
    }
}
