public import GroupSPI

/// What one socket serves.
public struct ServedPlugin: Sendable {
    /// The socket's name in the plugin directory: `group`, `group-stateless`.
    public let name: Identifier
    /// Answers the calls of the service `Group`.
    public let group: any GroupEndpoint
    /// Answers `Manager`, `Metadata`, `Updatable` and `Controller`; nil for a bare group plugin, which has none of these.
    public let manager: (any ManagerEndpoint)?

    public init(name: Identifier, group: any GroupEndpoint, manager: (any ManagerEndpoint)?) {
        self.name = name
        self.group = group
        self.manager = manager
    }
}
