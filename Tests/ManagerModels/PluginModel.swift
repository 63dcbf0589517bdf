public import GroupSPI

/// What a group plugin does with a call, as a value: it watches groups, and keeps nothing else.
public struct PluginModel: Sendable {
    public var groups: [Identifier: GroupSpec] = [:]

    public init() {}

    public mutating func carryOut(_ request: GroupRequest) -> Result<GroupReply, GroupError> {
        switch request {
        case .watch(let spec):
            guard groups[spec.id] == nil else { return .failure(.alreadyWatched(spec.id)) }
            groups[spec.id] = spec
            return .success(.ok)
        case .commit(let spec, let pretend):
            if !pretend { groups[spec.id] = spec }
            return .success(.details("Managing \(spec.id)"))
        case .inspect: return .success(.groups(groups.values.sorted { $0.id < $1.id }))
        default: break
        }
        let id = request.groupID ?? ""
        guard groups[id] != nil else { return .failure(.notWatched(id)) }
        switch request {
        case .update(let spec): groups[id] = spec
        case .free, .unwatch, .destroy: groups[id] = nil
        case .describe: return .success(.description(GroupDescription([], isConverged: true)))
        case .size: return .success(.size(groups[id]?.size ?? 7))
        // As the plugins of the last generation: a group has so many fewer afterwards.
        case .destroyInstances(_, let instances):
            if let spec = groups[id], let size = spec.size, size >= instances.count,
                let smaller = try? spec.settingSize(size - instances.count)
            {
                groups[id] = smaller
            }
        case .describeUpdate: return .success(.plan("Noop"))
        default: break
        }
        return .success(.ok)
    }
}
