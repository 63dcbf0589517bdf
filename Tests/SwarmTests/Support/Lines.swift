import Logging
import Synchronization

/// Keeps what is logged.
final class Lines: Sendable {
    private let messages = Mutex<[(Logger.Level, String)]>([])

    func count(_ message: String, _ level: Logger.Level = .warning) -> Int {
        messages.withLock { $0.count { $0 == (level, message) } }
    }

    fileprivate func add(_ level: Logger.Level, _ message: String) {
        messages.withLock { $0.append((level, message)) }
    }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.add(event.level, "\(event.message)") }
    }
}
