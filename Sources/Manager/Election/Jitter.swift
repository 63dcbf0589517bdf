/// Small, repeatable differences between intervals (SplitMix64), so that replicas do not meet at the file for ever.
struct Jitter: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    /// - Returns: 90 to 100 percent of the duration. Never more: the limits are counted from the full one.
    mutating func shorten(_ duration: Duration) -> Duration {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        value ^= value >> 31
        return duration * Int(900 + value % 101) / 1000
    }
}
