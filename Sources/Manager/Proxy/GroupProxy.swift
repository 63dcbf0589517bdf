public import GroupSPI
internal import Store

/// The Group plugin that users see: writes go to the history and then to the plugin behind, reads go to the plugin.
///
/// On a replica that does not lead, the configuration is read from the store, and everything else is refused with the
/// leader's name.
public struct GroupProxy: GroupEndpoint, ManagerEndpoint {
    let keeper: GroupKeeper
    let plugin: any GroupPlugin
    let store: any StateStore
    let gate: LeadershipGate
    let board: StandingBoard
    let settings: KeeperSettings

    public func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        switch request {
        case .watch(let spec): try await set(.watch, spec, request, caller)
        case .update(let spec): try await set(.update, spec, request, caller)
        case .commit(let spec, pretend: false): try await set(.commit, spec, request, caller)
        case .unwatch(let id), .free(let id):
            try await keeper.write(.free, id, from: caller) { _ in .init(action: .free, request: request) }
        case .destroy(let id):
            try await keeper.write(.destroy, id, from: caller) { _ in .init(action: .destroy, request: request) }
        case .setSize(let id, let size): try await keeper.resize(id, to: size, from: caller)
        case .inspect where gate.epoch == nil: .groups(try await specs())
        // An update that is under way holds the group's lane: what stops it must not wait for it.
        case .stopUpdate, .destroyInstances: try await keeper.pass(request)
        case .inspect, .describe, .describeUpdate, .size, .commit: try await passOn(request)
        }
    }

    private func set(
        _ operation: Operation,
        _ spec: GroupSpec,
        _ request: GroupRequest,
        _ caller: Caller
    ) async throws(GroupError) -> GroupReply {
        guard !spec.id.isEmpty else { throw GroupError(.rejected, "Group ID must not be blank") }
        return try await keeper.write(operation, spec.id, from: caller) { [settings] _ in
            .init(action: .set(spec.properties, plugin: settings.pluginName), request: request)
        }
    }

    private func passOn(_ request: GroupRequest) async throws(GroupError) -> GroupReply {
        guard gate.epoch != nil else { throw GroupError(.notLeader, board.refusal) }
        return try await plugin.call(request, within: settings.rpcTimeout)
    }

    // MARK: - ManagerEndpoint

    public func isLeader() async -> Bool { gate.epoch != nil }

    public func leaderLocation() async -> String? {
        guard let lease = board.current.lease, lease.isHeld else { return nil }
        return "unix://\(lease.process.host)\(lease.socket)"
    }

    public func specs() async throws(GroupError) -> [GroupSpec] {
        do {
            return try await store.states(at: nil, within: settings.storeTimeout).compactMap { $0.spec?.spec }
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }
}
