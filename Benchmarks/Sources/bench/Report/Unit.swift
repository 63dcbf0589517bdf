internal import Glibc

/// What a number counts, and how it is written.
enum Unit {
    case microseconds, milliseconds, seconds, perSecond, megabytes, bytes, percent, times, count

    /// As it stands behind a number, or at an axis.
    var name: String {
        switch self {
        case .microseconds: "µs"
        case .milliseconds: "ms"
        case .seconds: "s"
        case .perSecond: "/s"
        case .megabytes: "MB"
        case .bytes: "B"
        case .percent: "%"
        case .times: "×"
        case .count: ""
        }
    }

    func text(_ value: Double) -> String {
        guard value.isFinite else { return "none" }
        let isWhole = self == .count && value == value.rounded()
        let number = isWhole ? Self.grouped(Int(value)) : Self.number(value)
        return switch self {
        case .perSecond, .times, .count: number + name
        default: "\(number) \(name)"
        }
    }

    /// Three digits that say something.
    private static func number(_ value: Double) -> String {
        let size = abs(value)
        if size >= 100 || size == 0 { return grouped(Int(value.rounded())) }
        let digits = size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 5
        let scale = pow(10, Double(digits))
        let scaled = Int((size * scale).rounded())
        let fraction = String(scaled % Int(scale))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(value < 0 ? "-" : "")\(scaled / Int(scale)).\(zeros)\(fraction)"
    }

    /// `1,000,000`.
    private static func grouped(_ value: Int) -> String {
        var text = ""
        for (index, digit) in String(abs(value)).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + String(text.reversed())
    }
}
