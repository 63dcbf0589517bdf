internal import GroupSPI

/// One event on standard error: a line of `key=value` words, or of JSON.
public struct LogLine: Sendable {
    public enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    /// The level's name: `debug`, `info`, `warning`, `error`, `fatal`.
    public let level: String
    /// The event's stable name, or a sentence.
    public let message: String
    public let time: Timestamp
    /// In the order in which they are shown.
    public let fields: [(key: String, value: String)]

    public init(level: String, message: String, time: Timestamp, fields: [(key: String, value: String)] = []) {
        self.level = level
        self.message = message
        self.time = time
        self.fields = fields
    }

    /// So many lines before this one are missing.
    public static func dropped(_ count: Int, time: Timestamp) -> LogLine {
        LogLine(level: "warning", message: "log lines dropped", time: time, fields: [("lines", "\(count)")])
    }

    /// With its line feed.
    public func text(_ format: Format) -> String {
        switch format {
        case .text:
            let words = fields.map { " \($0.key)=\(Self.word($0.value))" }.joined()
            return "time=\"\(time.rfc3339)\" level=\(level) msg=\(Self.quoted(message))\(words)\n"
        case .json:
            let head: [JSON.Member] = [
                .init("time", .string(time.rfc3339)), .init("level", .string(level)), .init("msg", .string(message)),
            ]
            return JSON.object(head + fields.map { .init(Identifier($0.key), .string($0.value)) }).raw.text + "\n"
        }
    }

    /// Quoted only when it has to be.
    private static func word(_ value: String) -> String {
        let isPlain = value.unicodeScalars.allSatisfy { scalar in
            scalar != " " && scalar != "\"" && scalar != "=" && scalar != "\\" && !TerminalText.isObeyed(scalar)
        }
        return isPlain && !value.isEmpty ? value : quoted(value)
    }

    /// As Go's `%q`.
    public static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case _ where TerminalText.isObeyed(scalar): output += TerminalText.escape(scalar)
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
