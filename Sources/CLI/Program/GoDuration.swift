internal import ArgumentParser
internal import Manager

/// A duration as Go writes it: `5s`, `1m30s`, `1500ms`; and with `d` for 24 hours.
struct GoDuration: ExpressibleByArgument, Hashable {
    let duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86400e9),
    ]

    /// - Returns: nil for anything but a sequence of numbers with units, and for what is not positive.
    init?(argument: String) {
        var rest = Substring(argument)
        var nanoseconds = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(digits), let scale = Self.units.first(where: { $0.name == unit }) else {
                return nil
            }
            nanoseconds += value * scale.nanoseconds
        }
        guard nanoseconds > 0, nanoseconds < 1e18 else { return nil }
        duration = .nanoseconds(Int(nanoseconds))
    }

    var defaultValueDescription: String { description }
}

extension GoDuration: CustomStringConvertible {
    var description: String { duration.goText }
}
