internal import Glibc

/// A moment, to the second.
struct Timestamp {
    /// Seconds since 1970.
    let seconds: Int
    /// Seconds east of Greenwich of the zone to show it in.
    let zone: Int

    static func now() -> Timestamp {
        var seconds = time(nil)
        var local = tm()
        localtime_r(&seconds, &local)
        return Timestamp(seconds: seconds, zone: local.tm_gmtoff)
    }

    /// `2026-11-22T15:04:05Z`, or with the zone's offset in place of `Z`.
    var rfc3339: String {
        var shifted = seconds + zone
        var parts = tm()
        gmtime_r(&shifted, &parts)
        let date = "\(parts.tm_year + 1900)-\(two(Int(parts.tm_mon) + 1))-\(two(Int(parts.tm_mday)))"
        let clock = "\(two(Int(parts.tm_hour))):\(two(Int(parts.tm_min))):\(two(Int(parts.tm_sec)))"
        return "\(date)T\(clock)\(offset)"
    }

    private var offset: String {
        guard zone != 0 else { return "Z" }
        let minutes = abs(zone) / 60
        return "\(zone < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
