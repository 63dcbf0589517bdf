internal import Terminal

extension Timestamp {
    /// How long ago, for people: `just now`, `3 minutes ago`.
    func age(at now: Timestamp) -> String {
        let seconds = (now.milliseconds - milliseconds) / 1000
        let (count, unit): (Int, String) =
            switch seconds {
            case ..<0: (-seconds, "second")
            case 0: (0, "")
            case ..<60: (seconds, "second")
            case ..<3600: (seconds / 60, "minute")
            case ..<86400: (seconds / 3600, "hour")
            default: (seconds / 86400, "day")
            }
        if count == 0 { return "just now" }
        let words = "\(count) \(unit)\(count == 1 ? "" : "s")"
        return seconds < 0 ? "in \(words)" : "\(words) ago"
    }
}
