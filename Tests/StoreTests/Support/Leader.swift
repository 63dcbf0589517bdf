import GroupSPI

@testable import Store

/// A new store, and a replica that leads.
func withLeader<Result>(_ body: (Leader) async throws -> Result) async throws -> Result {
    try await withStore { store in try await body(try await lead(store)) }
}

/// Takes the lease over, whoever holds it.
func lead(_ store: Store, as id: Identifier = "n1/group", reason: String = "a test") async throws -> Leader {
    let candidate = candidate(id)
    let watched = try await store.lease(within: patience)
    guard
        let lease = try await store.acquireLease(
            candidate,
            watched: watched,
            ttl: 9000,
            reason: reason,
            within: patience
        )
    else { throw Unexpected("the lease has changed") }
    return Leader(
        store: store,
        fence: Fence(instance: candidate.instance, epoch: lease.epoch, manager: id),
        lease: lease
    )
}

func candidate(_ id: Identifier) -> Candidate {
    Candidate(
        id: ReplicaID(id)!,
        instance: String(UInt64.random(in: 0 ... .max), radix: 16),
        process: ProcessIdentity(host: "n1", bootID: "b1", pidNamespace: "ns1", pid: 4242, startTime: 99),
        socket: "/run/\(id)",
        pluginSocket: "/run/group-stateless",
        guardLock: "/run/\(id).guard"
    )
}

struct Leader: Sendable {
    let store: Store
    let fence: Fence
    let lease: Lease

    @discardableResult
    func append(
        _ changes: [Change],
        _ operation: Operation = .commit,
        message: String = "",
        author: Author = .tester
    ) async throws -> Revision {
        let draft = RevisionDraft(author: author, operation: operation, message: message, changes: changes)
        return try await store.append(draft, fence: fence, within: patience)
    }

    func settle(_ revision: Revision, _ status: Status, error: String? = nil) async throws {
        let outcomes = revision.groups.map {
            Outcome(revision: revision.number, group: $0, status: status, error: error)
        }
        try await store.recordOutcomes(outcomes, fence: fence, within: patience)
    }
}

extension Author {
    static let tester = Author(user: "root", uid: 0, host: "n1")
}

extension Change {
    static func set(_ group: Identifier, _ size: Int) -> Change {
        Change(group: group, action: .set(.size(size), plugin: "group-stateless"))
    }

    static func free(_ group: Identifier) -> Change { Change(group: group, action: .free) }
    static func destroy(_ group: Identifier) -> Change { Change(group: group, action: .destroy) }
}

extension RawJSON {
    static func size(_ size: Int) -> RawJSON { RawJSON(checked: Array(#"{"Allocation":{"Size":\#(size)}}"#.utf8)) }
}
