/// Orders what is known of the swarm: what was read in a version, and what was written on one, whose new version the Engine
/// does not tell.
public struct SwarmPosition: Hashable, Sendable, Comparable {
    /// Twice the version, and one more for what was written on it.
    public let value: Int

    public init(seen version: UInt64) { value = Self.doubled(version) }

    public init(writtenOn version: UInt64) { value = Self.doubled(version) + 1 }

    private static func doubled(_ version: UInt64) -> Int { Int(clamping: version) &<< 1 & (.max - 1) }

    public static func < (left: SwarmPosition, right: SwarmPosition) -> Bool { left.value < right.value }
}
