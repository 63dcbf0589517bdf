import GroupSPI
import StoreFakes

@testable import Store

extension LocalReplicaInfo {
    static func at(_ position: Int, cluster: String = "swarm", leader: Identifier = "n1", trouble: String? = nil)
        -> LocalReplicaInfo
    {
        LocalReplicaInfo(
            cluster: cluster,
            node: "node1",
            leader: leader,
            position: position,
            version: position / 2,
            labelSize: 100,
            labelLimit: 1000,
            readAt: 5000,
            trouble: trouble
        )
    }
}

extension Store {
    func apply(_ snapshot: Snapshot?, at position: Int) async throws -> ApplyResult {
        try await apply(snapshot, .at(position), within: patience)
    }

    /// What stands here.
    func groups() async throws -> [Identifier: GlobalConfig.Entry] {
        try await snapshot(of: 64, within: patience)?.groups ?? [:]
    }

    func everything() async throws -> [Revision] {
        try await history(HistoryQuery(), within: patience).revisions
    }

    private func edit(_ body: @escaping @Sendable (Connection) throws -> Void) async throws {
        try await writer.run(within: patience, verify: { _, _ in true }, body)
    }

    /// Makes the same edit in a database that is the history itself.
    func take(_ step: LeaderScript.Step, time: Int) async throws {
        guard step.error == nil else { return }
        try await edit { connection in
            switch step {
            case .acquired(let candidate, let reason, _):
                let lease = try connection.lease()
                _ = try connection.acquireLease(
                    candidate,
                    watched: (lease.epoch, lease.sequence),
                    ttl: 9000,
                    reason: reason,
                    time: time
                )
            case .released(let fence, let reason):
                try connection.releaseLease(fence, reason: reason, time: time)
            case .appended(let draft, let fence, _): _ = try connection.append(draft, fence: fence, time: time)
            case .recorded(let outcome, let fence): try connection.recordOutcome(outcome, fence: fence)
            case .marked(.tag(let name, let revision, let moving), let author, _, _):
                try connection.setTag(name, to: revision, author: author, moving: moving, time: time)
            case .marked(.untag(let name), _, _, _): try connection.removeTag(name)
            case .marked(.acknowledge(let revision, let message), let author, _, _):
                try connection.acknowledge(revision, author: author, message: message, time: time)
            case .marked(.confirm(let revision), _, _, _): try connection.endConfirmation(of: revision, as: .confirmed)
            case .ended(let revision, let state, _): try connection.endConfirmation(of: revision, as: state)
            case .settled, .answered, .trimmed: break
            }
        }
    }
}
