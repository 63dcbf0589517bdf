/// A line as the original's logger writes it: `time="…" level=fatal msg="…" `.
struct LogLine {
    let level: String
    let message: String
    let time: Timestamp

    init(level: String, message: String, time: Timestamp) {
        self.level = level
        self.message = message
        self.time = time
    }

    init(level: Failure.Level, message: String, time: Timestamp) {
        self.init(level: level.rawValue, message: message, time: time)
    }

    /// With its line feed. Scripts that cut the line at its columns rely on the blank before it.
    var text: String { "time=\"\(time.rfc3339)\" level=\(level) msg=\(Self.quoted(message)) \n" }

    /// As Go's `%q`.
    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                output += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
