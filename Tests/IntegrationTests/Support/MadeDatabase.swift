import CSQLite
import Glibc
import GroupSPI
import Store
import Testing

/// A database with three revisions, a tag and one who waits for a confirmation, made without a manager.
enum MadeDatabase {
    static let patience = Duration.seconds(60)

    /// - Returns: its path.
    @discardableResult
    static func make(in directory: String, groups: [Identifier] = ["cattle", "pets"]) async throws -> String {
        let path = StoreConfiguration.path(in: directory)
        let store = try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 10_000))
        let fence = try await lead(store)
        let changes = { (size: Int) in
            groups.map { group in
                Change(group: group, action: .set(GroupSpec.sized(group, size).properties, plugin: "group-stateless"))
            }
        }
        for size in 1...3 {
            let draft = RevisionDraft(
                author: Author(user: "ann", uid: 1000, host: "h1"),
                operation: .commit,
                changes: changes(size),
                confirmWithin: size == 3 ? 3_600_000 : nil
            )
            let revision = try await store.append(draft, fence: fence, within: patience)
            let outcomes = revision.groups.map { Outcome(revision: revision.number, group: $0, status: .applied) }
            try await store.recordOutcomes(outcomes, fence: fence, within: patience)
        }
        let author = Author(user: "ann", uid: 1000, host: "h1")
        try await store.setTag("before", to: 2, author: author, moving: false, within: patience)
        return path
    }

    /// Takes the lease, for a replica that does not run.
    static func lead(_ store: Store) async throws -> Fence {
        let candidate = Candidate(
            id: ReplicaID("n1")!,
            instance: "instance",
            process: ProcessIdentity(host: "n1", bootID: "b", pidNamespace: "ns", pid: 42, startTime: 9),
            socket: "/run/group",
            pluginSocket: "/run/group-stateless",
            guardLock: "/run/.group.guard"
        )
        let watched = try await store.lease(within: patience)
        let lease = try #require(
            try await store.acquireLease(
                candidate,
                watched: watched,
                ttl: 3_600_000,
                reason: "a test",
                within: patience
            )
        )
        return Fence(instance: candidate.instance, epoch: lease.epoch, manager: candidate.id.name)
    }
}

/// A connection of a program that is not ours; a sealed one leaves the checksums of the pages right, as ours do.
final class ForeignConnection: @unchecked Sendable {
    // SQLite's own mutex guards it, hence unchecked.
    private let database: OpaquePointer

    init(_ path: String, isSealed: Bool = false) throws {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX
        let vfs = isSealed ? csqlite_checksum_vfs(nil) : nil
        guard sqlite3_open_v2(path, &handle, flags, vfs) == SQLITE_OK, let handle else {
            throw Trouble("cannot open \(path)")
        }
        if isSealed { csqlite_reserve_checksums(handle) }
        database = handle
    }

    func execute(_ script: String) throws {
        guard sqlite3_exec(database, script, nil, nil, nil) == SQLITE_OK else {
            throw Trouble("\(script): \(String(cString: sqlite3_errmsg(database)))")
        }
    }

    func close() { sqlite3_close_v2(database) }
}
