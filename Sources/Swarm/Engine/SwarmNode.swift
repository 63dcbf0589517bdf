internal import GroupSPI

/// One node of the swarm, as the managers' list has it.
public struct SwarmNode: Hashable, Sendable {
    /// What the list says of a manager. Workers have none of it.
    public struct ManagerStatus: Hashable, Sendable {
        /// The key is absent on all but the leader.
        public let isLeader: Bool
        /// As seen by the leader that answered.
        public let isReachable: Bool

        public init(isLeader: Bool, isReachable: Bool) {
            self.isLeader = isLeader
            self.isReachable = isReachable
        }
    }

    public let id: String
    public let hostName: String
    public let manager: ManagerStatus?

    public init(id: String, hostName: String, manager: ManagerStatus?) {
        self.id = id
        self.hostName = hostName
        self.manager = manager
    }

    static func one(_ answer: [UInt8], engine: String) throws(EngineError) -> SwarmNode {
        guard let view = try? JSONView(answer), let node = SwarmNode(view) else {
            throw .malformed(engine, "a node without ID")
        }
        return node
    }

    static func list(_ answer: [UInt8], engine: String) throws(EngineError) -> [SwarmNode] {
        guard let view = try? JSONView(answer), view.kind == .array else {
            throw .malformed(engine, "/nodes is not a list")
        }
        var nodes: [SwarmNode] = []
        for element in view.elements {
            guard let node = SwarmNode(element) else { throw .malformed(engine, "a node without ID") }
            nodes.append(node)
        }
        return nodes
    }

    private init?(_ view: JSONView) {
        guard let id = view.member("ID")?.string, !id.isEmpty else { return nil }
        self.id = id
        self.hostName = view.member("Description")?.member("Hostname")?.string ?? ""
        self.manager = view.member("ManagerStatus").flatMap { status in
            guard status.kind == .object else { return nil }
            return ManagerStatus(
                isLeader: status.member("Leader")?.bool ?? false,
                isReachable: status.member("Reachability")?.string == "reachable"
            )
        }
    }
}

extension [SwarmNode] {
    /// The one that leads, as far as the list knows.
    public var leader: SwarmNode? { first { $0.manager?.isLeader == true } }

    /// More than half of the managers are reachable.
    public var hasReachableMajority: Bool {
        let managers = compactMap(\.manager)
        return managers.count { $0.isReachable } * 2 > managers.count
    }
}
