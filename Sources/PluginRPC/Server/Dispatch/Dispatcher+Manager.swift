internal import GroupSPI

extension Dispatcher {
    func answer(_ call: ManagerCall, from manager: any ManagerEndpoint) async throws(RPCFailure) -> JSON {
        switch call {
        case .isLeader:
            return ["Leader": .bool(await manager.isLeader())]
        case .leaderLocation:
            guard let location = await manager.leaderLocation() else { return ["Location": nil] }
            return ["Location": LeaderURL(location).json]
        case .specs:
            return ["Specs": .array(try await allSpecs(manager).map { specJSON($0) })]
        case .inspect:
            return ["Objects": .array(try await allSpecs(manager).map { objectJSON($0, state: nil) })]
        case .status:
            return ["Status": await manager.status()]
        case .lookForRequests:
            return ["Leader": .bool(await manager.lookForRequests())]
        case .findLoop(let managers):
            return ["Loop": await manager.findLoop(through: managers).map { .bool($0) } ?? .null]
        case .storeOutcomes:
            return ["Stored": .bool(await manager.storeOutcomes())]
        // The recorded refusals of InfraKit's own manager, word for word: a manager of groups enforces no stack.
        case .enforce:
            throw RPCFailure(.server, "not implemented -- commit to individual plugins")
        case .terminate:
            throw RPCFailure(.server, "not implemented -- destroy via direct calls to plugins")
        }
    }

    func allSpecs(_ manager: any ManagerEndpoint) async throws(RPCFailure) -> [GroupSpec] {
        do {
            return try await manager.specs(within: nil)
        } catch {
            throw RPCFailure(error)
        }
    }

    /// A group's spec as the head generation writes specs of any kind.
    func specJSON(_ spec: GroupSpec) -> JSON {
        [
            "kind": "group", "version": "", "metadata": ["name": .string(spec.id), "tags": nil],
            "properties": .raw(spec.properties),
        ]
    }

    /// A spec, and what is live of it.
    func objectJSON(_ spec: GroupSpec, state: GroupDescription?) -> JSON {
        [
            "kind": "group", "version": "",
            // The identity, which InfraKit's programs print: an object has one, a spec has none.
            "metadata": ["id": .string(spec.id), "name": .string(spec.id), "tags": nil],
            "properties": .raw(spec.properties), "state": stateJSON(state),
        ]
    }

    func stateJSON(_ state: GroupDescription?) -> JSON {
        guard let state else { return .null }
        guard let isConverged = state.isConverged else { return ["Instances": .raw(state.instances)] }
        return ["Instances": .raw(state.instances), "Converged": .bool(isConverged)]
    }
}
