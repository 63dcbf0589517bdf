internal import Glibc
internal import GroupSPI
internal import Logging
internal import PluginRPC
internal import Terminal

/// What a command may use of the world: the environment, the standard streams, the clock.
struct Session: Sendable {
    let environment: [String: String]
    /// Results. Throws ``StreamError`` when they are not taken: a command that could not tell its result has failed.
    let standardOutput: @Sendable (TerminalText) throws -> Void
    /// Diagnostics. That nobody reads them is no reason to fail.
    let standardError: @Sendable (TerminalText) -> Void
    /// Where programs that keep running write what happens: whoever logs never waits for whoever reads it.
    let log: LogBuffer
    /// To be called when all results are written; throws ``StreamError`` when they are not kept.
    var endOutput: @Sendable () throws -> Void = {}
    /// Whether somebody still reads the results.
    var hasReader: @Sendable () -> Bool = { true }
    let isTerminal: Bool
    /// Whether somebody sits at standard error, and may wonder what takes so long.
    let isAttended: Bool
    /// Whether signals to this process are meant for what the command does.
    var catchesSignals = false
    /// Columns of the terminal; nil when results go elsewhere.
    let width: Int?
    let now: @Sendable () -> Timestamp

    var plugins: PluginDirectory { .fromEnvironment(environment) }

    var service: ServiceEnvironment { ServiceEnvironment(environment, pid: getpid()) }

    /// The user's home directory; empty when the environment names none.
    var home: String { environment["HOME"] ?? "" }

    /// Only people at a terminal that can show colours see them, and not when they have asked for none
    /// (https://no-color.org).
    var isColored: Bool {
        isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }

    /// - Parameter verbosity: from 0, the least, to 5.
    func logger(_ label: String, verbosity: Int, format: LogLine.Format) -> Logger {
        log.tellDropped { [now] count in LogLine.dropped(count, time: now()).text(format) }
        return Logger(label: label) { [log] _ in
            LineLogHandler(
                level: Logger.Level(verbosity: verbosity),
                format: format,
                now: now,
                write: { log.put($0) }
            )
        }
    }

    /// The one place that chooses between the form for people and the one for scripts.
    func write(
        _ text: @autoclosure () -> TerminalText,
        _ json: @autoclosure () -> JSON,
        _ format: OutputFormat
    ) throws {
        switch format {
        case .table: try standardOutput(text())
        case .json: try standardOutput(TerminalText(exact: json().indented + "\n"))
        }
    }

    /// Does something, and tells a person at a terminal what it is about when it takes longer than a second.
    func waiting<Result: Sendable>(_ what: String, _ body: () async throws -> Result) async rethrows -> Result {
        guard isAttended else { return try await body() }
        let note = Task { [standardError] in
            try await Task.sleep(for: .seconds(1), clock: .suspending)
            standardError("\(what) ...\n")
        }
        defer { note.cancel() }
        return try await body()
    }

    static func ofProcess() -> Session {
        let log = LogBuffer { try? StandardStream.error.write($0) }
        return Session(
            environment: readEnvironment(),
            standardOutput: { try StandardStream.output.write($0.text) },
            // A program that logs must not wait for its last sentence either, which comes behind its log.
            standardError: { if log.isInUse { log.put($0.text) } else { try? StandardStream.error.write($0.text) } },
            log: log,
            endOutput: { try StandardStream.output.close() },
            hasReader: { StandardStream.output.hasReader },
            isTerminal: StandardStream.output.isTerminal,
            isAttended: StandardStream.error.isTerminal,
            catchesSignals: true,
            width: StandardStream.output.width,
            now: { Timestamp.now() }
        )
    }

    private static func readEnvironment() -> [String: String] {
        var values: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                values[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            entry += 1
        }
        return values
    }
}
