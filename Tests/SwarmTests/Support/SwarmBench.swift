import Foundation
import GroupSPI
import Logging
import Replication
import Store
import Synchronization

@testable import Swarm

/// Long enough for a machine that is busy with other tests; no test waits for it to pass.
let patience = Duration.seconds(60)

/// The manager nodes of one swarm.
struct SwarmBench: Sendable {
    /// One node: its Engine, and a directory for its copy.
    struct Node: Sendable {
        let name: String
        let client: EngineClient
        let directory: String
        let lines = Lines()
        /// What has been opened here. Whoever opens again has ended the one before, as a restart does.
        private let opened = Opened()

        private final class Opened: Sendable {
            let stores = Mutex<[ReplicatedStore]>([])
        }

        var configuration: StoreConfiguration {
            StoreConfiguration(path: StoreConfiguration.path(in: directory), busyTimeout: 10_000)
        }

        /// As a manager does at its start; again for a restart.
        func open(
            _ settings: SwarmStore.Settings = .testing(),
            holderIsGone: @escaping @Sendable (Lease) -> Bool = { _ in false }
        ) async throws -> ReplicatedStore {
            let ended = opened.stores.withLock { Set($0.map(\.ownInstance)) }
            let store = try await SwarmStore.open(
                DatabasePlace(configuration),
                engine: client,
                settings: settings,
                logger: lines.logger,
                holderIsGone: { holderIsGone($0) || ended.contains($0.instance) }
            )
            opened.stores.withLock { $0.append(store) }
            return store
        }

        init(name: String, client: EngineClient, directory: String) {
            self.name = name
            self.client = client
            self.directory = directory
        }

        /// Another manager on the same Engine, with a store of its own.
        func beside(_ directory: String) -> Node { Node(name: name, client: client, directory: directory) }

        var files: [String] {
            get throws { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }
        }
    }

    let swarm: StubSwarm
    let nodes: [Node]

    /// A swarm of so many nodes, of which the first leads.
    static func with<Result>(
        _ count: Int = 1,
        label: String? = nil,
        _ body: (StubSwarm, [Node]) async throws -> Result
    ) async throws -> Result {
        let swarm = try StubSwarm(label: label)
        let names = (1...count).map { "n\($0)" }
        swarm.state.withLock { $0.nodes = names }
        return try await add(names, to: SwarmBench(swarm: swarm, nodes: []), body)
    }

    private static func add<Result>(
        _ names: [String],
        to bench: SwarmBench,
        _ body: (StubSwarm, [Node]) async throws -> Result
    ) async throws -> Result {
        guard let name = names.first else { return try await body(bench.swarm, bench.nodes) }
        let directory = "/tmp/swarm-test-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let swarm = bench.swarm
        let behaviour: StubEngine.Behaviour = { swarm.answer($0, at: name) }
        return try await withEngine(behaviour) { _, client in
            let node = Node(name: name, client: client, directory: directory)
            return try await add(
                Array(names.dropFirst()),
                to: SwarmBench(swarm: swarm, nodes: bench.nodes + [node]),
                body
            )
        }
    }
}

extension SwarmStore.Settings {
    /// - Parameters:
    ///   - settling: without one, two answers make a claim.
    ///   - look: for one look at the leadership; as long as a request, if nobody says otherwise.
    ///   - request: short for what hangs.
    static func testing(
        settling: Duration = .zero,
        look: Duration? = nil,
        request: Duration = .seconds(60),
        attempts: Int = 5,
        swap: Duration = .seconds(60),
        label: EncodedAnnotation.Limit = EncodedAnnotation.Limit(),
        past: Snapshot.Limits = Snapshot.Limits()
    ) -> SwarmStore.Settings {
        var settings = SwarmStore.Settings(
            detector: SwarmDetectorSettings(limit: .seconds(600), answerLimit: .seconds(600), settling: settling),
            lookLimit: look ?? request,
            label: label,
            replication: ReplicationSettings(
                swap: .init(requestLimit: request, attempts: attempts, limit: swap, pause: .milliseconds(1)),
                past: past,
                noteInterval: .zero,
                patience: 3
            )
        )
        settings.replication.verifyInterval = nil
        return settings
    }
}

/// A manager that leads.
struct Leading: Sendable {
    let store: ReplicatedStore
    let fence: Fence
    let lease: Lease

    @discardableResult
    func append(_ group: Identifier, _ size: Int = 1, within limit: Duration = patience) async throws -> Revision {
        try await store.append(.set(group, size), fence: fence, within: limit)
    }
}

extension RevisionDraft {
    static func set(_ group: Identifier, _ size: Int = 1) -> RevisionDraft {
        RevisionDraft(author: .tester, operation: .commit, changes: [.set(group, size)])
    }
}

extension Change {
    static func set(_ group: Identifier, _ size: Int = 1) -> Change {
        Change(group: group, action: .set(RawJSON(checked: Array("{\"Size\": \(size)}".utf8)), plugin: "p"))
    }
}

extension Author {
    static let tester = Author(user: "ann", uid: 7, host: "h")
}

extension ReplicatedStore {
    /// Looks twice and takes the lease over.
    func lead(_ id: Identifier = "n1/group") async throws -> Leading {
        _ = try await lease(within: patience)
        guard let leading = try await acquire(try await lease(within: patience), id) else {
            throw NeverCame(description: "never: a lease")
        }
        return leading
    }

    /// The same for as long as this store is there.
    nonisolated var ownInstance: String { String(UInt(bitPattern: ObjectIdentifier(self).hashValue), radix: 16) }

    /// - Returns: nil when the lease was not to be had.
    func acquire(_ watched: Lease, _ id: Identifier = "n1/group") async throws -> Leading? {
        let candidate = Candidate(
            id: ReplicaID(id)!,
            instance: ownInstance,
            process: ProcessIdentity(host: "h", bootID: "b", pidNamespace: "ns", pid: 42, startTime: 9),
            socket: "/run/group",
            pluginSocket: "/run/plugin",
            guardLock: "/run/guard"
        )
        guard
            let lease = try await acquireLease(
                candidate,
                watched: watched,
                ttl: 9000,
                reason: "a test",
                within: patience
            )
        else { return nil }
        let fence = Fence(instance: lease.instance, epoch: lease.epoch, manager: id)
        return Leading(store: self, fence: fence, lease: lease)
    }

    /// This node's copy, as the database that it is.
    nonisolated var copy: Store { replica as! Store }

    /// One more look at the swarm.
    @discardableResult
    func see() async throws -> Lease { try await lease(within: patience) }

    /// What stands, by this node's copy.
    func groups() async throws -> [Identifier] {
        (try await copy.snapshot(of: 64, within: patience)?.groups ?? [:]).keys.sorted()
    }
}

extension StubSwarm {
    /// What the label holds.
    var snapshot: Snapshot? { label.flatMap { try? Annotation(label: $0).snapshot } }
}

/// Runs what is to fail, and returns how.
func failure<Result>(of body: () async throws -> Result) async throws -> StoreError {
    do {
        let result = try await body()
        throw NeverCame(description: "no error, but \(result)")
    } catch let error as StoreError {
        return error
    }
}
