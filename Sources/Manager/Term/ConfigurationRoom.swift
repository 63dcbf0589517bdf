internal import GroupSPI
internal import Store

/// How much of what may be stored together the groups take. What is accepted here, a plugin can give back in a reply that is
/// read, and an export can be imported.
struct ConfigurationRoom {
    let limit: Int
    private var sizes: [Identifier: Int] = [:]
    private(set) var taken = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Starts anew with the groups that stand.
    mutating func reset(_ states: [GroupState]) {
        (sizes, taken) = ([:], 0)
        for state in states { note(state.group, state) }
    }

    /// A group stands like this, whether there is room or not.
    mutating func note(_ group: Identifier, _ state: GroupState?) { set(group, Self.size(group, state?.change.action)) }

    /// Takes the room for changes that are about to be stored. Whoever does not store them gives it back: ``note(_:_:)``.
    ///
    /// - Throws: ``GroupError`` `rejected` when there is too little, and the changes need more than the groups had; or when one of
    ///   them would not fit into a call to the plugin, and would stay pending for ever.
    mutating func take(_ changes: [Change]) throws(GroupError) {
        for change in changes {
            guard case .set(let properties, _) = change.action,
                !GroupSpec(id: change.group, properties: properties).fitsIntoRequest
            else { continue }
            throw GroupError(
                .rejected,
                "the specification of group '\(change.group)' has \(properties.bytes.count) bytes; at most "
                    + "\(GroupSpec.largestOne) are accepted, with its name. Nothing was changed."
            )
        }
        let new = changes.map { (group: $0.group, size: Self.size($0.group, $0.action)) }
        let more = new.reduce(0) { $0 + $1.size - (sizes[$1.group] ?? 0) }
        guard more <= 0 || taken + more <= limit else {
            throw GroupError(
                .rejected,
                "the specifications of all groups would take \(taken + more) bytes when sent; at most \(limit) are "
                    + "accepted. Nothing was changed. Make specifications smaller, or free groups."
            )
        }
        for (group, size) in new { set(group, size) }
    }

    private mutating func set(_ group: Identifier, _ size: Int) {
        taken += size - (sizes[group] ?? 0)
        sizes[group] = size > 0 ? size : nil
    }

    private static func size(_ group: Identifier, _ action: Change.Action?) -> Int {
        guard case .set(let properties, _) = action else { return 0 }
        return GroupSpec(id: group, properties: properties).largestText
    }
}
