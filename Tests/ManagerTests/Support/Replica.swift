import GroupSPI
import Logging
import Store
import Synchronization
import Testing

@testable import Manager

/// One manager with everything around it in memory.
final class Replica: Sendable {
    let clock: TestClock
    let store: MemoryStore
    let plugin: FakePlugin
    let orphanGuard: FakeGuard
    let holderMonitor = FakeLeaseHolderMonitor()
    let candidate: Candidate
    let runtime: ManagerRuntime
    let hasEnded = Mutex(false)

    var isOver: Bool { hasEnded.withLock { $0 } }
    var proxy: GroupProxy { runtime.proxy }
    /// It would carry a write out now.
    var isActing: Bool {
        get async { await proxy.supervisor.term()?.lease.isValid == true }
    }
    /// How many wait for a group's lane; nil when nobody holds it.
    func waiting(_ group: Identifier) async -> Int? { await proxy.supervisor.term()?.lanes.waiting(group) }

    /// How many writes wait until others are stored.
    var waitingToBeStored: Int {
        get async { await proxy.supervisor.term()?.storing.waitingCount ?? 0 }
    }

    var requestsUnderWay: Set<String> {
        get async { await proxy.supervisor.term()?.requestsUnderWay ?? [] }
    }
    var standing: ReplicaStatus { runtime.board.current }
    /// It may act, be it that it does not yet.
    var holdsLease: Bool { runtime.actingEpoch != nil }

    init(
        _ id: Identifier = "one",
        store: MemoryStore,
        plugin: FakePlugin,
        pluginSocket: String? = nil,
        bootID: String = "boot",
        leaderFile: String? = nil,
        legacyConfigDirectory: String? = nil,
        orphanGuard: FakeGuard = FakeGuard(),
        concurrency: Int = 64,
        adjust: (inout TermSettings) -> Void = { _ in },
        findLoop: ManagerConfiguration.LoopFinder? = nil
    ) throws {
        clock = store.clock
        self.store = store
        self.plugin = plugin
        self.orphanGuard = orphanGuard
        candidate = Self.candidate(id, pluginSocket: pluginSocket ?? "/plugins/\(id)", bootID: bootID)
        // A long lease in small steps of time: a busy test machine must not be taken for a dead store.
        let election = try ElectionSettings(
            ttl: .seconds(90),
            renewDeadline: .seconds(60),
            pollInterval: .milliseconds(1500)
        )
        var term = TermSettings(
            rpcTimeout: .seconds(30),
            election: election,
            pluginName: "group-stateless",
            concurrency: concurrency
        )
        term.freeTimeout = .seconds(3)
        adjust(&term)
        var configuration = ManagerConfiguration(
            candidate: candidate,
            election: election,
            term: term,
            leaderFile: leaderFile,
            leaderNames: [id],
            legacyConfigDirectory: legacyConfigDirectory
        )
        configuration.findLoop = findLoop
        runtime = try ManagerRuntime(
            configuration,
            store: store,
            plugin: plugin,
            clock: store.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            takeoverReason: { [holderMonitor] lease in
                guard lease.isHeld else { return "released" }
                return holderMonitor.hasEnded(lease) ? "the process of \(lease.holder) has ended" : nil
            },
            sharesPlugin: { [candidate] lease in
                candidate.process.bootID == lease.process.bootID && candidate.pluginSocket == lease.pluginSocket
            },
            makeHolderMonitor: { [holderMonitor] ended in
                holderMonitor.attach(ended)
                return holderMonitor
            },
            makeGuard: { inhibit in
                orphanGuard.attach(inhibit)
                return orphanGuard
            }
        )
    }

    static func candidate(_ id: Identifier, pluginSocket: String = "/plugins/other", bootID: String = "boot")
        -> Candidate
    {
        Candidate(
            id: ReplicaID(id)!,
            instance: "\(id)-instance",
            process: ProcessIdentity(host: "host-\(id)", bootID: bootID, pidNamespace: "1", pid: 1, startTime: 1),
            socket: "/run/\(id)",
            pluginSocket: pluginSocket,
            guardLock: ""
        )
    }

    func run() async {
        await runtime.run()
        hasEnded.withLock { $0 = true }
    }

    func call(_ request: GroupRequest) async throws(GroupError) -> GroupReply {
        try await proxy.call(request, from: Caller(user: "ann", uid: 7, host: "here"))
    }

    func commit(_ id: Identifier, _ version: Int = 1) async throws(GroupError) -> GroupReply {
        try await call(.commit(.named(id, version), pretend: false))
    }

    /// The error with which a call ends; nil when it succeeds.
    func error(_ request: GroupRequest) async -> GroupError? {
        do {
            _ = try await call(request)
            return nil
        } catch {
            return error
        }
    }

    /// How a call ends.
    func outcome(of request: GroupRequest) async -> Result<GroupReply, GroupError> {
        do throws(GroupError) {
            return .success(try await call(request))
        } catch {
            return .failure(error)
        }
    }

    func leads() async throws {
        try await eventually("\(candidate.id) leads") {
            guard self.standing.role == .leader else { return false }
            return await self.isActing
        }
    }

    /// Loses leadership at once, whatever is under way, and takes it again when its lease has run out.
    func loseAndLeadAgain() async throws {
        let epoch = store.lease.epoch
        store.trouble(.ambiguous, at: .renew)
        try await eventually("it does not lead", on: clock) { self.standing.role != .leader }
        store.trouble(nil, at: .renew)
        try await eventually("it leads again", on: clock) {
            guard self.store.lease.epoch > epoch else { return false }
            return await self.isActing
        }
    }
}

extension Replica {
    /// A history of four revisions: a and b, then b changed, then c.
    static func withHistory(
        adjust: (inout TermSettings) -> Void = { _ in },
        _ body: (Replica) async throws -> Void
    ) async throws {
        try await withReplica(adjust: adjust) { replica in
            try await replica.leads()
            _ = try await replica.commit("a", 1)
            _ = try await replica.commit("b", 1)
            _ = try await replica.commit("b", 2)
            _ = try await replica.commit("c", 1)
            // What a test does to the store is not to end this term on their account.
            try await eventually("their outcomes are stored", on: replica.clock) {
                replica.store.revisions.allSatisfy { $0.status == .applied }
            }
            try await body(replica)
        }
    }

    /// Waits until a request has ended and its revision, if it made one, is settled.
    func end(of id: String) async throws -> Request {
        try await eventually("the request \(id) has ended", on: clock) {
            guard let request = self.store.request(id), request.state != .waiting else { return false }
            return request.revision.map { self.store.revisions[$0 - 1].status != .pending } ?? true
        }
        return try #require(store.request(id))
    }

    /// Gives leadership up, and takes it again; in between, nobody leads.
    func leadAgain() async throws {
        let released = store.count(.release)
        orphanGuard.inhibit("not now")
        try await eventually("it does not lead", on: clock) { self.store.count(.release) > released }
        let epoch = store.lease.epoch
        orphanGuard.inhibit(nil)
        try await eventually("it leads again", on: clock) {
            guard self.store.lease.epoch > epoch else { return false }
            return await self.isActing
        }
    }
}

/// An orphan guard that writes down its orders.
final class FakeGuard: OrphanGuard {
    enum Order: Hashable {
        case arm(BootInstant)
        case disarm, stop
        case note(Identifier)
        case forget(Identifier)
        case forgetAll
    }

    struct State {
        var orders: [Order] = []
        /// What it was told of groups.
        var log: [Order] = []
        var isReady = true
        var waiting: [CheckedContinuation<Void, Never>] = []
        var inhibit: (@Sendable (String?) -> Void)?
    }

    let state = Mutex(State())
    var orders: [Order] { state.withLock(\.orders) }
    var log: [Order] { state.withLock(\.log) }
    /// How many wait for it to obey.
    var waiting: Int { state.withLock(\.waiting.count) }

    init(isReady: Bool = true) {
        state.withLock { $0.isReady = isReady }
    }

    func attach(_ inhibit: @escaping @Sendable (String?) -> Void) { state.withLock { $0.inhibit = inhibit } }
    func inhibit(_ reason: String?) { state.withLock(\.inhibit)?(reason) }

    func arm(until deadline: BootInstant) { state.withLock { $0.orders.append(.arm(deadline)) } }
    func postpone(until instant: BootInstant) {}
    func disarm() { state.withLock { $0.orders.append(.disarm) } }

    func note(_ group: Identifier) { state.withLock { $0.log.append(.note(group)) } }
    func forget(_ group: Identifier) { state.withLock { $0.log.append(.forget(group)) } }
    func forgetAll() { state.withLock { $0.log.append(.forgetAll) } }

    func stop() {
        state.withLock { $0.orders.append(.stop) }
        becomeReady()
    }

    func becomeReady() {
        let waiting = state.withLock { state in
            state.isReady = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func isReady() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.isReady { state.waiting.append(continuation) }
                return state.isReady
            }
            if isReady { continuation.resume() }
        }
    }
}

/// Runs replicas for the length of a test.
func withReplicas(_ replicas: Replica..., body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        for replica in replicas { tasks.addTask { await replica.run() } }
        do {
            try await body()
        } catch {
            tasks.cancelAll()
            throw error
        }
        tasks.cancelAll()
    }
}

/// One replica with a store and a plugin of its own.
func withReplica(
    leaderFile: String? = nil,
    legacyConfigDirectory: String? = nil,
    orphanGuard: FakeGuard = FakeGuard(),
    adjust: (inout TermSettings) -> Void = { _ in },
    prepare: (MemoryStore, FakePlugin) -> Void = { _, _ in },
    _ body: (Replica) async throws -> Void
) async throws {
    let clock = TestClock()
    let store = MemoryStore(clock: clock)
    let plugin = FakePlugin(clock: clock)
    prepare(store, plugin)
    let replica = try Replica(
        store: store,
        plugin: plugin,
        leaderFile: leaderFile,
        legacyConfigDirectory: legacyConfigDirectory,
        orphanGuard: orphanGuard,
        adjust: adjust
    )
    try await withReplicas(replica) { try await body(replica) }
}
