import GroupSPI
import PluginFakes
import Synchronization
import Terminal
import Testing

@testable import InfrakitCLI

/// Runs `infrakit` in a plugin directory of its own and keeps what it prints.
final class Keyboard: Sendable {
    /// What one command line gave.
    struct Outcome: Equatable {
        let output: String
        let errors: String
        let status: Int32
    }

    let directory: String
    private let output = Mutex("")
    private let errors = Mutex("")

    init(directory: String) {
        self.directory = directory
    }

    func socket(_ name: String) -> String { "\(directory)/\(name)" }

    /// - Parameter line: the words after `infrakit`, split at blanks.
    func infrakit(_ line: String, input: String = "") async -> Outcome {
        output.withLock { $0 = "" }
        errors.withLock { $0 = "" }
        let session = Session(
            environment: ["INFRAKIT_PLUGINS_DIR": directory],
            standardInput: { () throws(Failure) in Array(input.utf8) },
            standardOutput: { text in self.output.withLock { $0 += text.text } },
            standardError: { text in self.errors.withLock { $0 += text.text } },
            log: LogBuffer { text in self.errors.withLock { $0 += text } },
            now: { Timestamp(milliseconds: 1_795_359_978_000) }
        )
        let status = await Program.run(line.split(separator: " ").map(String.init), in: session)
        return Outcome(output: output.withLock { $0 }, errors: errors.withLock { $0 }, status: status)
    }

    /// Expects a command line to print this and to succeed.
    func expect(
        _ line: String,
        prints expected: String,
        input: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let outcome = await infrakit(line, input: input)
        #expect(outcome == Outcome(output: expected, errors: "", status: 0), sourceLocation: sourceLocation)
    }

    /// Expects a command line to fail with this line.
    func expect(
        _ line: String,
        fails message: String,
        level: String = "fatal",
        input: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let outcome = await infrakit(line, input: input)
        let expected = "time=\"2026-11-22T15:06:18Z\" level=\(level) msg=\"\(message)\" \n"
        #expect(outcome == Outcome(output: "", errors: expected, status: 1), sourceLocation: sourceLocation)
    }
}

/// A terminal with a fake plugin named `group`.
func withTerminal(
    _ apiVersion: FakeAPIVersion,
    script: FakeScript = .none,
    _ body: (Keyboard, FakePlugin) async throws -> Void
) async throws {
    try await withScratchDirectory { directory in
        let terminal = Keyboard(directory: directory)
        let fake = try FakePlugin(apiVersion, at: terminal.socket("group"), script: script)
        defer { fake.stop() }
        try await body(terminal, fake)
    }
}
