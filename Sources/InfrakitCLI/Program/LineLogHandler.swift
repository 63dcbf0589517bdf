internal import Logging

/// Writes what the libraries log as the original's logger writes its lines.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let session: Session

    init(session: Session, level: Logger.Level) {
        self.session = session
        self.logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let words = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let line = LogLine(level: event.level.word, message: "\(event.message)\(words)", time: session.now())
        session.standardError(line.text)
    }
}

extension Logger.Level {
    /// `--log`: 0 is least verbose, 5 is most.
    init(verbosity: Int) {
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
