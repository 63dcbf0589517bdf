extension Duration {
    /// As Go writes a duration, to the millisecond: `5s`, `1m30s`, `1.5s`, `250ms`.
    public var goText: String {
        guard milliseconds >= 1000 else { return "\(milliseconds)ms" }
        guard milliseconds % 1000 == 0 || milliseconds >= 60_000 else { return "\(Double(milliseconds) / 1000)s" }
        let seconds = milliseconds / 1000
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
        return (hours > 0 ? "\(hours)h" : "") + (minutes > 0 ? "\(minutes)m" : "") + (rest > 0 ? "\(rest)s" : "")
    }
}
