package import Store

/// What a ``SwarmStore`` decides by. A simulation breaks these on purpose, to see that it notices.
package struct SwarmRules: Sendable {
    package typealias Find = @Sendable (LabelContent, _ label: String?, _ known: HistoryImage?) -> LabelFinding

    /// What a label means to a node that knows something already.
    package var find: Find = { LabelFinding($0, label: $1, known: $2) }
    /// Whether what was in neither label in the version `since` cannot come into one any more.
    package var isGone: @Sendable (_ since: UInt64, _ version: UInt64) -> Bool = { $1 > $0 }

    package init() {}
}
