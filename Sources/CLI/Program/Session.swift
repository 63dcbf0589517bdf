internal import Glibc
internal import GroupSPI
internal import Logging
internal import PluginRPC
internal import Terminal

/// What a command may use of the world: the environment, the standard streams, the clock.
struct Session: Sendable {
    let environment: [String: String]
    let standardOutput: @Sendable (String) -> Void
    let standardError: @Sendable (String) -> Void
    /// Where programs that keep running write what happens: whoever logs never waits for whoever reads it.
    let log: LogBuffer
    let isTerminal: Bool
    /// Whether somebody sits at standard error, and may wonder what takes so long.
    let isAttended: Bool
    /// Columns of the terminal; nil when results go elsewhere.
    let width: Int?
    let now: @Sendable () -> Timestamp

    var plugins: PluginDirectory { .fromEnvironment(environment) }

    var service: ServiceEnvironment { ServiceEnvironment(environment, pid: getpid()) }

    /// The user's home directory; empty when the environment names none.
    var home: String { environment["HOME"] ?? "" }

    /// Only people at a terminal see colours, and not when they have asked for none (https://no-color.org).
    var isColored: Bool { isTerminal && environment["NO_COLOR", default: ""].isEmpty }

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
    func write(_ text: @autoclosure () -> String, _ json: @autoclosure () -> JSON, _ format: OutputFormat) {
        switch format {
        case .table: standardOutput(text())
        case .json: standardOutput(json().indented + "\n")
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
        let log = LogBuffer { StandardStream.error.write($0) }
        return Session(
            environment: readEnvironment(),
            standardOutput: { StandardStream.output.write($0) },
            // A program that logs must not wait for its last sentence either, which comes behind its log.
            standardError: { if log.isInUse { log.put($0) } else { StandardStream.error.write($0) } },
            log: log,
            isTerminal: StandardStream.output.isTerminal,
            isAttended: StandardStream.error.isTerminal,
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
