package import Store

/// What a ``ReplicatedStore`` decides by. A simulation breaks these on purpose, to see that it notices.
package struct ReplicationRules: Sendable {
    package typealias Find = @Sendable (RegisterContent, _ isLegacy: Bool, _ known: Snapshot?) -> RegisterFinding

    /// What a register's content means to a node that knows something already.
    package var find: Find = { RegisterFinding($0, isLegacy: $1, known: $2) }
    /// Whether what was not in the register in the version `since` cannot come into it any more.
    package var isGone: @Sendable (_ since: UInt64, _ version: UInt64) -> Bool = { $1 > $0 }

    package init() {}
}
