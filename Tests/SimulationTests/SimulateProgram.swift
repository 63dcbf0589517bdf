import Dispatch
import Glibc

/// The program `simulate`, which the build puts beside the test runner.
///
/// A process of its own, because the order of sets and dictionaries is settled when a process starts.
enum SimulateProgram {
    struct Run: CustomStringConvertible {
        let command: String
        let status: Int32
        let lines: [String]

        var description: String { "\(command) → \(status)\n\(lines.suffix(200).joined(separator: "\n"))" }

        /// The last line that begins so, without its beginning.
        func line(_ beginning: String) -> String? {
            lines.last { $0.hasPrefix(beginning) }.map { String($0.dropFirst(beginning.count)) }
        }
    }

    static func run(_ arguments: String...) async throws -> Run {
        try await run(command: ([try path()] + arguments).joined(separator: " "))
    }

    /// A command line that the program has printed.
    static func run(command: String) async throws -> Run {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "simulate").async {
                continuation.resume(with: Result { try wait(for: command) })
            }
        }
    }

    private static func wait(for command: String) throws -> Run {
        guard let pipe = popen("\(command) 2>&1", "r") else { throw Missing(description: "cannot start \(command)") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        let status = pclose(pipe)
        let text = String(decoding: bytes, as: UTF8.self)
        return Run(
            command: command,
            status: status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F),
            lines: text.split(separator: "\n").map(String.init)
        )
    }

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private static func path() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = length > 0 ? String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        let places = ([own] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }).compactMap { path in
            path.lastIndex(of: "/").map { "\(path[..<$0])/simulate" }
        }
        guard let found = places.first(where: { access($0, X_OK) == 0 }) else {
            throw Missing(description: "no program simulate; looked for \(places.joined(separator: ", "))")
        }
        return found
    }
}
