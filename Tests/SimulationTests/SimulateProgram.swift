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

    /// Where an optimized build of the program is, if somebody has said so.
    private static let optimized = getenv("SIMULATE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }

    static var isOptimized: Bool { optimized != nil }

    /// What a person would type to see a schedule again, as a command of the program that is tried here: an optimized one
    /// says what to ask of make, which would build it anew.
    static func here(_ command: String) throws -> String {
        guard command.hasPrefix("make simulate ") else { return command }
        let words = command.split(separator: " ").dropFirst(2).map { $0.split(separator: "=", maxSplits: 1) }
        let options = words.map { word in
            switch word[0] {
            case "SEED": "--seed \(word[1])"
            case "BREAK": "--break \(word[1])"
            default: "--swarm"
            }
        }
        return ([try path()] + options).joined(separator: " ")
    }

    private static func path() throws -> String {
        if let optimized { return optimized }
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
