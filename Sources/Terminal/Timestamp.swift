internal import Glibc

/// A moment, as people and scripts read it.
public struct Timestamp: Hashable, Sendable {
    /// Milliseconds since 1970, UTC.
    public let milliseconds: Int

    public init(milliseconds: Int) {
        self.milliseconds = milliseconds
    }

    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
    }

    /// `2026-11-22T15:04:05.123Z` (RFC 3339).
    public var rfc3339: String { format(zone: 0, withMilliseconds: true) }

    /// `2026-11-22T15:04:05Z`, as Go's logger writes it.
    public var rfc3339Seconds: String { format(zone: 0, withMilliseconds: false) }

    /// `2026-11-22T15:04:05+01:00`, in this host's zone.
    public var local: String {
        var seconds = seconds
        var parts = tm()
        localtime_r(&seconds, &parts)
        return format(zone: parts.tm_gmtoff, withMilliseconds: false)
    }

    /// Whole seconds since 1970.
    public var seconds: Int { milliseconds.floored(by: 1000) }

    private func format(zone: Int, withMilliseconds: Bool) -> String {
        var shifted = seconds + zone
        var parts = tm()
        gmtime_r(&shifted, &parts)
        let date = "\(parts.tm_year + 1900)-\(two(Int(parts.tm_mon) + 1))-\(two(Int(parts.tm_mday)))"
        let clock = "\(two(Int(parts.tm_hour))):\(two(Int(parts.tm_min))):\(two(Int(parts.tm_sec)))"
        let fraction = withMilliseconds ? "." + three(milliseconds - seconds * 1000) : ""
        return "\(date)T\(clock)\(fraction)\(Self.offset(zone))"
    }

    private static func offset(_ zone: Int) -> String {
        guard zone != 0 else { return "Z" }
        let minutes = abs(zone) / 60
        return "\(zone < 0 ? "-" : "+")\(Timestamp.pad(minutes / 60, 2)):\(Timestamp.pad(minutes % 60, 2))"
    }

    private func two(_ number: Int) -> String { Self.pad(number, 2) }
    private func three(_ number: Int) -> String { Self.pad(number, 3) }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Int {
    fileprivate func floored(by divisor: Int) -> Int {
        self >= 0 ? self / divisor : (self - divisor + 1) / divisor
    }
}

extension Timestamp {
    private static func days(_ month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Reads `2026-11-22T15:04:05Z`, with or without fraction, with `Z` or an offset.
    ///
    /// - Returns: nil for any other text, and for a time without a zone.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t") || bytes[10] == 0x20, bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            let digits = bytes[range]
            guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
            return Int(String(decoding: digits, as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...Self.days(month, of: year)).contains(day), hour < 24, minute < 60,
            second < 61
        else { return nil }
        var index = 19
        var fraction = 0
        if bytes[index] == UInt8(ascii: ".") {
            index += 1
            let start = index
            while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
            let digits = String(decoding: bytes[start..<index], as: UTF8.self).prefix(3)
            guard !digits.isEmpty else { return nil }
            fraction = (Int(digits) ?? 0) * [100, 10, 1][digits.count - 1]
        }
        var offset = 0
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "z") {
            index += 1
        } else {
            guard index + 6 == bytes.count, bytes[index + 3] == UInt8(ascii: ":"),
                let hours = number((index + 1)..<(index + 3)), let minutes = number((index + 4)..<(index + 6)),
                bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-")
            else { return nil }
            offset = (hours * 60 + minutes) * (bytes[index] == UInt8(ascii: "-") ? -60 : 60)
            index += 6
        }
        guard index == bytes.count else { return nil }
        var parts = tm()
        parts.tm_year = Int32(year - 1900)
        parts.tm_mon = Int32(month - 1)
        parts.tm_mday = Int32(day)
        parts.tm_hour = Int32(hour)
        parts.tm_min = Int32(minute)
        parts.tm_sec = Int32(second)
        self.init(milliseconds: (timegm(&parts) - offset) * 1000 + fraction)
    }
}
