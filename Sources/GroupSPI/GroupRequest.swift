/// One call of the Group plugin interface, of either generation.
///
/// The first generation watches, updates and unwatches; the later one commits and frees. A plugin may know only one of
/// the two; the client of `PluginRPC` translates.
public enum GroupRequest: Hashable, Sendable {
    case watch(GroupSpec)
    case update(GroupSpec)
    case describeUpdate(GroupSpec)
    case stopUpdate(id: Identifier)
    case unwatch(id: Identifier)
    case commit(GroupSpec, pretend: Bool)
    case free(id: Identifier)
    case describe(id: Identifier)
    case inspect
    case destroy(id: Identifier)
    case size(id: Identifier)
    case setSize(id: Identifier, Int)
    case destroyInstances(id: Identifier, [Identifier])
}

/// The answer to a ``GroupRequest``.
public enum GroupReply: Hashable, Sendable {
    /// Done: watch, update, stopUpdate, unwatch, free, destroy, setSize, destroyInstances.
    case ok
    /// What a commit did, or would do, in the plugin's own words.
    case details(String)
    /// What an update would do, in the plugin's own words.
    case plan(String)
    case description(GroupDescription)
    case groups([GroupSpec])
    /// The groups as the store has them, from a replica whose plugin watches none.
    case storedGroups([GroupSpec], ReadStamp)
    case size(Int)
}

extension GroupRequest {
    /// The group that the call is about; nil for `inspect`, which is about all.
    public var groupID: Identifier? {
        switch self {
        case .watch(let spec), .update(let spec), .describeUpdate(let spec), .commit(let spec, _): spec.id
        case .stopUpdate(let id), .unwatch(let id), .free(let id), .describe(let id), .destroy(let id), .size(let id):
            id
        case .setSize(let id, _), .destroyInstances(let id, _): id
        case .inspect: nil
        }
    }

    /// The method's name on the wire, without the service: `WatchGroup`, `CommitGroup`, …
    public var method: String {
        switch self {
        case .watch: "WatchGroup"
        case .update: "UpdateGroup"
        case .describeUpdate: "DescribeUpdate"
        case .stopUpdate: "StopUpdate"
        case .unwatch: "UnwatchGroup"
        case .commit: "CommitGroup"
        case .free: "FreeGroup"
        case .describe: "DescribeGroup"
        case .inspect: "InspectGroups"
        case .destroy: "DestroyGroup"
        case .size: "Size"
        case .setSize: "SetSize"
        case .destroyInstances: "DestroyInstances"
        }
    }
}
