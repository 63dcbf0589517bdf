internal import GroupSPI
internal import Manager
internal import ManagerModels
internal import Store

extension World {
    /// What keeps the system from being as it should be when nothing is wrong any more; nil when nothing does.
    var disorder: String? {
        let leaders = replicas.filter { $0.manager?.actingEpoch != nil }
        guard leaders.count == 1, let leader = leaders.first, let manager = leader.manager else {
            return "\(leaders.count) replicas lead"
        }
        let model = file.model
        guard model.lease.isHeld, model.lease.instance == manager.candidate.instance else {
            return "\(leader.name) leads, and the row names '\(model.lease.instance)'"
        }
        let states = model.states()
        if let open = states.first(where: { $0.change.status == .pending }) {
            return "revision \(open.revision) is pending"
        }
        let wanted = Dictionary(
            states.compactMap { $0.spec?.spec }.map { ($0.id, $0) },
            uniquingKeysWith: { _, last in last }
        )
        // What the store does not name is left alone.
        let strange = checker.forgotten.subtracting(states.map(\.group))
        func groups(_ replica: SimulatedReplica) -> [Identifier: GroupSpec] {
            replica.plugin.groups.filter { !strange.contains($0.key) }
        }
        guard groups(leader) == wanted else {
            return "the leader's plugin watches \(Self.shown(leader.plugin.groups)), not \(Self.shown(wanted))"
        }
        if let other = replicas.first(where: { $0 !== leader && !groups($0).isEmpty }) {
            return "\(other.name)'s plugin watches \(Self.shown(other.plugin.groups)), and \(leader.name) leads"
        }
        if let waiting = model.waitingConfirmations.first {
            return "revision \(waiting.revision) waits to be confirmed"
        }
        return model.waitingRequests.isEmpty ? nil : "a request waits"
    }

    private static func shown(_ groups: [Identifier: GroupSpec]) -> String {
        "[\(groups.values.map(\.shortText).sorted().joined(separator: " "))]"
    }
}
