internal import GroupSPI

extension Dispatcher {
    /// A tree of two leaves that v0.5's `infrakit metadata ls` and `cat` walk: `leader`, and `configs` with a leaf for
    /// every group. It is read only: what changes a group is a commit, which the history records.
    func answer(_ call: MetadataCall, from manager: any ManagerEndpoint) async throws(RPCFailure) -> JSON {
        switch call {
        case .list(let path):
            return ["Nodes": try await nodes(Self.steps(path), path, manager)]
        case .get(let path):
            return ["Value": try await value(Self.steps(path), path, manager)]
        case .change:
            throw RPCFailure(.server, "read only -- change groups with infrakit group commit")
        }
    }

    private static func steps(_ path: String) -> [Identifier] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { Identifier(String(Substring($0))) }.filter { $0 != "." }
    }

    private func nodes(
        _ steps: [Identifier],
        _ path: String,
        _ manager: any ManagerEndpoint
    ) async throws(RPCFailure) -> JSON {
        switch steps {
        case []: return ["configs", "leader"]
        case ["leader"]: return .null
        case ["configs"]: return .array(try await allSpecs(manager).map { .string($0.id) })
        default:
            _ = try await value(steps, path, manager)
            return .null
        }
    }

    private func value(
        _ steps: [Identifier],
        _ path: String,
        _ manager: any ManagerEndpoint
    ) async throws(RPCFailure) -> JSON {
        switch (steps.first, Identifier(steps.dropFirst().joined(separator: "/"))) {
        case (nil, _):
            return ["leader": .bool(await manager.isLeader()), "configs": try await configs(manager)]
        case ("leader", ""):
            return .bool(await manager.isLeader())
        case ("configs", ""):
            return try await configs(manager)
        case ("configs", let id):
            guard let spec = try await allSpecs(manager).first(where: { $0.id == id }) else { fallthrough }
            return spec.json
        default:
            throw RPCFailure(.server, "not found: \(path)")
        }
    }

    private func configs(_ manager: any ManagerEndpoint) async throws(RPCFailure) -> JSON {
        .object(try await allSpecs(manager).map { JSON.Member($0.id, $0.json) })
    }
}
