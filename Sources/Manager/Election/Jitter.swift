/// Small, repeatable differences between intervals (SplitMix64), so that replicas do not meet at the file for ever.
struct Jitter: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    /// - Returns: 90 to 100 percent of the duration. Never more: the limits are counted from the full one.
    mutating func shorten(_ duration: Duration) -> Duration { duration * Int(900 + next() % 101) / 1000 }

    /// - Returns: up to so long, for those who are woken at the same moment and are not to arrive at the same moment.
    mutating func spread(over duration: Duration) -> Duration { duration * Int(next() % 1001) / 1000 }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
