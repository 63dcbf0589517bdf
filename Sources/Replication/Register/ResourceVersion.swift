/// Orders what is known of a register: what was read in a version, and what was written on one, whose new version the register
/// does not tell.
package struct ResourceVersion: Hashable, Sendable, Comparable {
    /// Twice the version, and one more for what was written on it.
    package let value: Int

    package init(seen version: UInt64) { value = Self.doubled(version) }

    package init(writtenOn version: UInt64) { value = Self.doubled(version) + 1 }

    private static func doubled(_ version: UInt64) -> Int { Int(clamping: version) &<< 1 & (.max - 1) }

    package static func < (left: ResourceVersion, right: ResourceVersion) -> Bool { left.value < right.value }
}
