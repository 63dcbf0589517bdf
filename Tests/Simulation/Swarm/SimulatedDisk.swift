internal import GroupSPI
internal import Manager
internal import ManagerModels
internal import Replication
internal import Store

/// What a manager's store directory holds in swarm mode: this node's copy, also while nobody runs.
final class SimulatedDisk: @unchecked Sendable {
    let host: SimulatedHost
    var replica = ReplicaModel()
    /// The file is damaged, and nobody has noticed yet.
    var isDamaged = false
    /// A damaged one is kept beside it.
    private(set) var hasKept = false

    init(_ host: SimulatedHost) { self.host = host }

    /// Whether it has every revision, and knows of each what became of it.
    func hasAll(of history: StoreModel) -> Bool {
        guard !isDamaged, replica.history.revisions.count == history.revisions.count else { return false }
        return zip(replica.history.revisions, history.revisions).allSatisfy { own, other in
            own.operation == .adopt || replica.history.lost.contains(own.number)
                || own.hash == other.hash && own.changes == other.changes
        } && replica.history.lease.epoch == history.lease.epoch
            && replica.history.revisions.last.map { $0.operation != .adopt } ?? true
    }

    func replace(as word: String) {
        if word == "damaged" { hasKept = true }
        isDamaged = false
        replica = ReplicaModel()
        replica.begin()
    }

    /// A person puts everything right.
    func tidyUp() { (isDamaged, hasKept) = (false, false) }
}

/// That copy as a manager or a command opens it. Each call is a transaction and takes no time: what waits for a disk is the shared
/// file's part.
final class SimulatedReplicaFile: LocalReplica, ReplicaPlace, @unchecked Sendable {
    let disk: SimulatedDisk
    let path: String
    private let world: World
    /// Of the time that this process sees pass for the history.
    private var count = TimeCount()
    /// The lease that was read last.
    private(set) var sighted: Lease?

    init(_ world: World, _ disk: SimulatedDisk, _ path: String) {
        (self.world, self.disk, self.path) = (world, disk, path)
    }

    // MARK: - Its place

    func open() async throws(StoreError) -> any LocalReplica {
        try access { _ in }
        return self
    }

    func resync(quarantining word: String) async throws(StoreError) -> String? {
        world.note("\(path) is put aside: \(word)")
        disk.replace(as: word)
        return "\(path).\(word)"
    }

    func quarantined(as word: String) -> String? { disk.hasKept ? "\(path).\(word)" : nil }

    private func access<Value>(
        _ body: (inout ReplicaModel) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        guard !disk.isDamaged else { throw StoreError(.notADatabase, "\(path) is damaged") }
        return try body(&disk.replica)
    }

    private func history<Value>(
        _ body: (inout StoreModel) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try access { replica throws(StoreError) in try body(&replica.history) }
    }

    private var bootTime: Int { disk.host.bootTime.nanoseconds / 1_000_000 }

    private func elapsed(_ model: StoreModel) -> Int {
        count.advance(from: model.elapsed, ttl: model.lease.ttl, at: bootTime)
    }

    // MARK: - The copy

    func lease(within timeout: Duration) async throws(StoreError) -> Lease { try history { $0.lease } }

    func replicaInfo(within timeout: Duration) async throws(StoreError) -> LocalReplicaInfo? { try access { $0.copy } }

    func beginReplica(within timeout: Duration) async throws(StoreError) { try access { $0.begin() } }

    func setReplicaTrouble(_ trouble: String, within timeout: Duration) async throws(StoreError) {
        try access { $0.setTrouble(trouble) }
    }

    func resetReplicaPosition(within timeout: Duration) async throws(StoreError) { try access { $0.resetPosition() } }

    func apply(
        _ snapshot: Snapshot?,
        _ copy: LocalReplicaInfo,
        within timeout: Duration
    ) async throws(StoreError) -> ApplyResult {
        try access { [self] replica in
            replica.apply(snapshot, copy, time: disk.host.wallTime, elapsed: elapsed(replica.history))
        }
    }

    func snapshot(of count: Int, within timeout: Duration) async throws(StoreError) -> Snapshot? {
        try access { $0.snapshot(of: count) }
    }

    func damagedPages(within timeout: Duration) async throws(StoreError) -> [Int] {
        disk.isDamaged ? [1] : []
    }

    // Of what is removed here nobody else knows, and what is left is what there was.

    func pruneReplica(
        _ policy: RetentionPolicy,
        after position: Int,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        PruneStep(removed: 0, position: nil)
    }

    func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try history { model throws(StoreError) in try model.require(fence) }
        return PruneStep(removed: 0, position: nil)
    }

    // MARK: - Reading

    func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try history { $0.states(at: number) }
    }

    func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding { try history { $0.standing } }

    func wholeStates(
        at number: Int,
        of group: Identifier?,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState] {
        try history { model throws(StoreError) in
            guard !model.lost.contains(number) else { throw StoreError(.notFound, "this copy has not seen it") }
            return try model.wholeStates(at: number, of: group)
        }
    }

    func state(of group: Identifier, before number: Int, within timeout: Duration) async throws(StoreError)
        -> GroupState?
    {
        try history { $0.state(of: group, before: number) }
    }

    func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        try history { $0.lost.contains(number) ? nil : $0.revision(number) }
    }

    func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary { try history { $0.summary } }

    func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try history { [self] model in model.expiredConfirmations(at: elapsed(model)) }
    }

    // MARK: - Requests

    func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        try history { model throws(StoreError) in
            guard model.request(request.id) == nil else { throw StoreError(.conflict, "it is there already") }
            model.submit(request)
        }
    }

    func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request? {
        try history { $0.request(id) }
    }

    func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight {
        try history { [self] model in
            sighted = model.lease
            return model.sight(of: asked.id)
        }
    }

    func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError) {
        try history { $0.renew(id) }
    }

    func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try access { $0.cancel(id) }
    }

    func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        try history { $0.waitingRequests }
    }

    func forwardedRequests(
        within timeout: Duration
    ) async throws(StoreError) -> [(request: Request, isCancelled: Bool)] {
        try access { $0.forwardedRequests }
    }

    func moveRequest(
        _ id: String,
        from old: Request.State,
        to new: Request.State,
        error: String?,
        within timeout: Duration
    ) async throws(StoreError) -> Bool {
        try access { $0.moveRequest(id, from: old, to: new, error: error) }
    }

    func noteRequests(
        _ notes: [String: String?],
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try history { model throws(StoreError) in try model.note(notes, fence: fence) }
    }

    func finishRequest(
        _ id: String,
        state: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try history { model throws(StoreError) in try model.finish(id, as: state, error: error, fence: fence) }
    }

    func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try history { model throws(StoreError) in try model.answer(id, answer, fence: fence) }
    }

    func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try history { model throws(StoreError) in try model.removeRequests(endedBefore: sequence, fence: fence) }
    }

    func removeReplicaRequests(
        endedBefore sequence: Int,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        RequestRemoval(removed: 0, sequence: try history { $0.lease.sequence })
    }
}
