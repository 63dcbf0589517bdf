internal import GroupSPI
internal import Manager
internal import Store

/// Notes something in the history that changes no group: in the database itself, or, where that is a copy of a swarm's,
/// through the leader.
struct MarkedHistory {
    let store: Store
    let session: Session

    func apply(_ mark: MetadataChange) async throws {
        guard try await store.replicaInfo(within: commandTimeout) == nil else {
            _ = try await LeaderRequest(store: store, timeout: .seconds(30), session: session).run(.mark(mark))
            return
        }
        switch mark {
        case .tag(let name, let revision, let moving):
            try await store.setTag(name, to: revision, author: .ofProcess(), moving: moving, within: commandTimeout)
        case .untag(let name): try await store.removeTag(name, within: commandTimeout)
        case .confirm(let revision): try await store.confirm(revision, within: commandTimeout)
        case .acknowledge(let revision, let message):
            try await store.acknowledge(revision, author: .ofProcess(), message: message, within: commandTimeout)
        }
    }
}
