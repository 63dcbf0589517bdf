import GroupSPI

/// A plugin and a manager that answer at once, the same question always in the same way.
struct StandIn: GroupEndpoint, ManagerEndpoint {
    private static let groups = ["a", "web"].map { (id: Identifier) in
        GroupSpec(id: id, properties: RawJSON(checked: Array(#"{"z":1.0,"a": 12345678901234567890123}"#.utf8)))
    }

    func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        if let id = request.groupID, id.utf8.starts(with: "no".utf8) { throw .notWatched(id) }
        switch request {
        case .inspect: return .groups(Self.groups)
        case .commit(let spec, let pretend): return .details("\(pretend ? "Would manage" : "Managing") \(spec.id)")
        case .describeUpdate(let spec): return .plan("Noop for \"\(spec.id)\"")
        case .describe(let id):
            let instance = InstanceDescription(id: "i-1", logicalID: nil, tags: ["infrakit.group": id.text])
            return .description(GroupDescription([instance], isConverged: true))
        case .size: return .size(3)
        case .watch, .update, .stopUpdate, .unwatch, .free, .destroy, .setSize, .destroyInstances: return .ok
        }
    }

    func isLeader() async -> Bool { true }
    func leaderLocation() async -> String? { "tcp://n1:2377/" }
    func specs(within limit: Duration?) async throws(GroupError) -> [GroupSpec] { Self.groups }
    func status() async -> JSON { ["role": "leader"] }
    func lookForRequests() async -> Bool { true }
    func storeOutcomes() async -> Bool { true }
    func findLoop(through managers: [Identifier]) async -> Bool? { false }
}
