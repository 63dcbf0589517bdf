internal import GroupSPI

/// Carries out a call on what the socket serves.
///
/// Stateless: every request of every connection goes through a copy of it.
struct Dispatcher: Sendable {
    let plugin: ServedPlugin

    func answer(_ call: Call, from caller: Caller) async throws(RPCFailure) -> Response {
        switch call {
        case .group(let request, let address):
            if let address, address.namesOneGroup { try await checkExists(address, caller) }
            return .group(try await perform(request, caller), address)
        case .handshake(let handshake):
            return .json(await answer(handshake, from: caller))
        case .manager(let call):
            return .json(try await answer(call, from: try manager()))
        case .metadata(let call):
            return .json(try await answer(call, from: try manager()))
        case .controller(let call, let address):
            if address.namesOneGroup { try await checkExists(address, caller) }
            return .json(try await answer(call, address: address, manager: try manager(), caller: caller))
        }
    }

    func perform(_ request: GroupRequest, _ caller: Caller) async throws(RPCFailure) -> GroupReply {
        do {
            return try await plugin.group.call(request, from: caller)
        } catch {
            throw RPCFailure(error)
        }
    }

    /// The groups that there are now, whoever knows them.
    func specs(_ caller: Caller, within limit: Duration? = nil) async throws(RPCFailure) -> [GroupSpec] {
        do {
            if let manager = plugin.manager { return try await manager.specs(within: limit) }
            guard case .groups(let specs) = try await plugin.group.call(.inspect, from: caller) else { return [] }
            return specs
        } catch {
            throw RPCFailure(error)
        }
    }

    private func manager() throws(RPCFailure) -> any ManagerEndpoint {
        // The parser lets no manager's method through to a bare plugin; this is for whoever changes one of the two.
        guard let manager = plugin.manager else { throw RPCFailure(.server, "\(plugin.name) is not a manager") }
        return manager
    }

    private func checkExists(_ address: Address, _ caller: Caller) async throws(RPCFailure) {
        let name = address.subtype
        guard try await specs(caller).contains(where: { $0.id == name }) else { throw address.notFound }
    }
}
