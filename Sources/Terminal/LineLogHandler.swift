public import Logging

/// Writes each event as one ``LogLine``.
public struct LineLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let format: LogLine.Format
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - level: the lowest that is written.
    ///   - format: of a line.
    ///   - now: tells the time.
    ///   - write: takes a whole line, with its line feed.
    public init(
        level: Logger.Level,
        format: LogLine.Format,
        now: @escaping @Sendable () -> Timestamp = { Timestamp.now() },
        write: @escaping @Sendable (String) -> Void
    ) {
        self.logLevel = level
        self.format = format
        self.now = now
        self.write = write
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let fields = all.sorted { $0.key < $1.key }.map { (key: $0.key, value: "\($0.value)") }
        write(LogLine(level: event.level.word, message: "\(event.message)", time: now(), fields: fields).text(format))
    }
}

extension Logger.Level {
    /// `--log`: 0 is least verbose, 5 is most, as with the original.
    public init(verbosity: Int) {
        switch verbosity {
        case ...1: self = .critical
        case 2: self = .error
        case 3: self = .warning
        case 4: self = .info
        default: self = .debug
        }
    }

    /// The original's name of the level.
    fileprivate var word: String {
        switch self {
        case .trace, .debug: "debug"
        case .info, .notice: "info"
        case .warning: "warning"
        case .error: "error"
        case .critical: "fatal"
        }
    }
}
