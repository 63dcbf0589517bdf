internal import Terminal

/// A line as the original's logger ends a program: `time="…" level=fatal msg="…" `.
struct FatalLine {
    let level: Failure.Level
    let message: String
    let time: Timestamp

    /// With its line feed. Scripts that cut the line at its columns rely on the blank before it.
    var text: String {
        "time=\"\(time.rfc3339Seconds)\" level=\(level.rawValue) msg=\(LogLine.quoted(message)) \n"
    }
}
