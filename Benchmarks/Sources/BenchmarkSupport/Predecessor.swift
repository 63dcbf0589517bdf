package import GroupSPI
package import Store

/// A leader without a manager: it takes the lease, writes what is to be there before a benchmark, and lets it go again.
package struct Predecessor: Sendable {
    package let store: Store
    package let fence: Fence
    package static let patience = Duration.seconds(120)
    package static let plugin: Identifier = "group-stateless"
    package static let author = Author(user: "ann", uid: 1000, host: "h1")

    /// Creates the database if there is none.
    package init(leading path: String) async throws {
        store = try await Store.openForManager(StoreConfiguration(path: path, busyTimeout: 10_000))
        let candidate = try Self.candidate("predecessor")
        let watched = try await store.lease(within: Self.patience)
        // A lease that is still held is one of a run that was interrupted.
        let lease = try await store.acquireLease(
            candidate,
            watched: watched,
            ttl: 3_600_000,
            reason: "a benchmark",
            within: Self.patience
        )
        guard let lease else { throw BenchmarkError("\(path): another has taken the lease") }
        fence = Fence(instance: candidate.instance, epoch: lease.epoch, manager: candidate.id.name)
    }

    /// A replica that runs in this process, or not at all.
    package static func candidate(_ name: Identifier) throws -> Candidate {
        guard let id = ReplicaID(name) else { throw BenchmarkError("\(name): no name for a replica") }
        return Candidate(
            id: id,
            instance: name.text,
            process: ProcessIdentity(host: "h1", bootID: "boot", pidNamespace: "pids", pid: 42, startTime: 9),
            socket: "/run/group",
            pluginSocket: "/run/group-stateless",
            guardLock: "/run/.group.guard"
        )
    }

    /// One revision that sets so many groups.
    package func declare(groups: Int) async throws {
        let changes = (0..<groups).map { Self.change($0, Specs.properties($0)) }
        try await append(changes, .import)
    }

    /// So many revisions, each of one group in turn, as many of them in one transaction as wait together.
    ///
    /// - Parameters:
    ///   - number: the first one's number in its specification.
    ///   - properties: of the revision with that number.
    package func append(
        revisions: Int,
        groups: Int,
        from number: Int = 0,
        clients: Int = 256,
        properties: @escaping @Sendable (Int) -> RawJSON
    ) async throws {
        let numbers = Counter(number)
        let end = number + revisions
        try await withThrowingDiscardingTaskGroup { tasks in
            for _ in 0..<clients {
                tasks.addTask {
                    while case let number = numbers.next(), number < end {
                        try await append([Self.change(number % groups, properties(number))], .commit)
                    }
                }
            }
        }
    }

    package func release() async throws {
        try await store.releaseLease(fence, reason: "prepared", within: Self.patience)
    }

    private func append(_ changes: [Change], _ operation: Operation) async throws {
        let draft = RevisionDraft(author: Self.author, operation: operation, changes: changes)
        _ = try await store.append(draft, fence: fence, within: Self.patience)
    }

    private static func change(_ group: Int, _ properties: RawJSON) -> Change {
        Change(group: Specs.name(group), action: .set(properties, plugin: plugin), status: .applied)
    }
}
