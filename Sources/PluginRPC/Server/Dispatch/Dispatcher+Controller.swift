internal import GroupSPI

extension Dispatcher {
    /// The head generation's general interface, for the one kind of spec that this server has: `group`.
    func answer(
        _ call: ControllerCall,
        address: Address,
        manager: any ManagerEndpoint,
        caller: Caller
    ) async throws(RPCFailure) -> JSON {
        switch call {
        case .commit(let change):
            return ["Name": .string(address.name), "Object": try await commit(change, caller)]
        case .plan(let change):
            return [
                "Name": .string(address.name), "Object": object(change, state: nil),
                "Plan": ["Message": [.string(try await plan(change, caller))]],
            ]
        case .describe(let name):
            var objects: [JSON] = []
            for spec in try await specs(named: name, manager) {
                objects.append(objectJSON(spec, state: try await state(of: spec.id, mustExist: name != nil, caller)))
            }
            return ["Name": .string(address.name), "Objects": .array(objects)]
        case .free(let name):
            var objects: [JSON] = []
            for spec in try await specs(named: name, manager) {
                _ = try await perform(.free(id: spec.id), caller)
                objects.append(objectJSON(spec, state: nil))
            }
            return ["Name": .string(address.name), "Objects": .array(objects)]
        }
    }

    private func commit(_ change: ControllerChange, _ caller: Caller) async throws(RPCFailure) -> JSON {
        try check(change)
        switch change.operation {
        case .destroy:
            _ = try await perform(.destroy(id: change.spec.id), caller)
            return object(change, state: nil)
        case .enforce:
            _ = try await perform(.commit(change.spec, pretend: false), caller)
            // The commit is done: that its state cannot be read now does not make it fail.
            return object(change, state: try await state(of: change.spec.id, mustExist: false, caller))
        }
    }

    private func plan(_ change: ControllerChange, _ caller: Caller) async throws(RPCFailure) -> String {
        try check(change)
        switch change.operation {
        case .destroy:
            return "Destroys the group \(change.spec.id) and its instances"
        case .enforce:
            let reply = try await perform(.commit(change.spec, pretend: true), caller)
            guard case .details(let details) = reply else { return "" }
            return details
        }
    }

    private func check(_ change: ControllerChange) throws(RPCFailure) {
        guard change.kind == "group" else {
            throw RPCFailure(.server, "specs of kind '\(change.kind)' are not supported here, only of kind 'group'")
        }
        guard !change.spec.id.isEmpty else {
            throw RPCFailure(.server, "the spec has no metadata.name, which is the group's ID")
        }
    }

    private func specs(
        named name: Identifier?,
        _ manager: any ManagerEndpoint
    ) async throws(RPCFailure) -> [GroupSpec] {
        let specs = try await allSpecs(manager)
        guard let name else { return specs }
        let named = specs.filter { $0.id == name }
        guard !named.isEmpty else { throw RPCFailure(GroupError.notWatched(name)) }
        return named
    }

    /// What is live of a group; nil when it cannot be told and nobody asked for this group by name.
    private func state(
        of id: Identifier,
        mustExist: Bool,
        _ caller: Caller
    ) async throws(RPCFailure) -> GroupDescription? {
        do {
            guard case .description(let state) = try await perform(.describe(id: id), caller) else { return nil }
            return state
        } catch {
            if mustExist { throw error }
            return nil
        }
    }

    /// The spec as it was sent, with its own metadata and version.
    private func object(_ change: ControllerChange, state: GroupDescription?) -> JSON {
        [
            "kind": .string(change.kind), "version": .string(change.version), "metadata": .raw(change.metadata),
            "properties": .raw(change.spec.properties), "state": stateJSON(state),
        ]
    }
}
