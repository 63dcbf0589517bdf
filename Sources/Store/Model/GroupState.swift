public import GroupSPI

/// What the history says of one group at one revision.
public struct GroupState: Hashable, Sendable {
    public let group: Identifier
    /// The newest change that the plugin has not refused.
    public let change: Change
    /// The revision that made it.
    public let revision: Int
    /// Of a destroy: the spec that the group had before, for a plugin that has to be told the group before it can end it.
    public let previous: Change.Action?

    public init(group: Identifier, change: Change, revision: Int, previous: Change.Action? = nil) {
        self.group = group
        self.change = change
        self.revision = revision
        self.previous = previous
    }

    /// The spec and its plugin, unless the group was freed or destroyed.
    public var spec: (spec: GroupSpec, plugin: Identifier)? {
        guard case .set(let properties, let plugin) = change.action else { return nil }
        return (GroupSpec(id: group, properties: properties), plugin)
    }
}
