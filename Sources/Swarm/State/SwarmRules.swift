package import Store

/// What a ``SwarmStore`` decides by. A simulation breaks these on purpose, to see that it notices.
package struct SwarmRules: Sendable {
    package typealias Find = @Sendable (LabelContent, _ label: String?, _ known: HistoryImage?) -> LabelFinding

    /// What a label means to a node that knows something already.
    package var find: Find = { LabelFinding($0, label: $1, known: $2) }

    package init() {}
}
