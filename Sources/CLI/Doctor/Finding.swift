internal import GroupSPI
internal import Terminal

/// What one check of `doctor` has found.
struct Finding {
    enum Level: String {
        case ok, warning, fatal
    }

    let check: String
    let level: Level
    let message: String
    /// What to do; nil where nothing is wrong.
    let fix: String?

    init(_ check: String, _ level: Level, _ message: String, fix: String? = nil) {
        self.check = check
        self.level = level
        self.message = message
        self.fix = fix
    }

    var json: JSON {
        [
            "check": .string(check), "level": .string(level.rawValue), "message": .string(message),
            "fix": .string(fix),
        ]
    }

    func text(colored: Bool) -> TerminalText {
        let word = level.rawValue + String(repeating: " ", count: 7 - level.rawValue.count)
        let shown = colored ? TerminalText(exact: "\u{1B}[\(color)m\(word)\u{1B}[0m") : "\(word)"
        let advice: TerminalText = fix.map { "\n         fix: \($0)" } ?? ""
        return "\(shown)  \(check): \(message)\(advice)\n"
    }

    private var color: Int {
        switch level {
        case .ok: 32
        case .warning: 33
        case .fatal: 31
        }
    }
}
