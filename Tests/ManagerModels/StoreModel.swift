public import GroupSPI
public import Store

/// What the store does, as a value: every operation is one transaction, and happens whole or not at all.
///
/// It is the protocol between replicas, without a file: a write is carried out only under the fence of the lease, the
/// lease changes hands only by comparing.
public struct StoreModel: Sendable {
    public internal(set) var lease = StoreModel.emptyLease
    public internal(set) var revisions: [Revision] = []
    public internal(set) var requests: [Request] = []
    /// The lease's sequence when a request ended.
    var ended: [String: Int] = [:]
    public internal(set) var confirmations: [Confirmation] = []
    /// Rejected revisions that somebody has acknowledged.
    public internal(set) var acknowledged: Set<Int> = []
    /// How much time leaders have seen pass, in milliseconds.
    public internal(set) var elapsed = 0
    /// By revision: what `elapsed` was when its time to be confirmed began to count.
    public internal(set) var confirmedSince: [Int: Int] = [:]
    /// Which revision was the newest at moments of `elapsed`, in their order.
    public internal(set) var ages: [(elapsed: Int, revision: Int)] = []
    /// The revisions before it are removed, but for what they still have to tell.
    public internal(set) var whole = 1
    /// Numbers that were given out in a newer file.
    public internal(set) var lost: Set<Int> = []

    public init() {}

    /// The row before anybody has led.
    public static let emptyLease = Lease(
        holder: "",
        instance: "",
        epoch: 0,
        sequence: 0,
        ttl: 0,
        acquiredAt: 0,
        renewedAt: 0,
        expiresAt: 0,
        process: ProcessIdentity(host: "", bootID: "", pidNamespace: "", pid: 0, startTime: 0),
        socket: "",
        pluginSocket: "",
        guardLock: ""
    )

    public func require(_ fence: Fence) throws(StoreError) {
        guard lease.isHeld, lease.instance == fence.instance, lease.epoch == fence.epoch else {
            throw StoreError.fenced(lease)
        }
    }

    // MARK: - The lease

    public mutating func acquire(
        _ candidate: Candidate,
        watched: Lease,
        ttl: Int,
        time: Int = 0,
        elapsed: Int = 0
    ) -> Lease? {
        guard lease.epoch == watched.epoch, lease.sequence == watched.sequence else { return nil }
        guard lease.suspension == nil else { return nil }
        self.elapsed = max(self.elapsed, elapsed)
        lease = Lease(candidate, epoch: watched.epoch + 1, sequence: watched.sequence + 1, ttl: ttl, time: time)
        let newest = revisions.last { !lost.contains($0.number) }
        (lease.revision, lease.hash) = (newest?.number ?? 0, newest?.hash ?? [])
        return lease
    }

    public mutating func renew(_ fence: Fence, time: Int = 0, elapsed: Int = 0) throws(StoreError) -> Lease {
        try require(fence)
        setElapsed(elapsed)
        lease = lease.next(renewedAt: time, expiresAt: time + lease.ttl)
        return lease
    }

    mutating func setElapsed(_ elapsed: Int) {
        self.elapsed = max(self.elapsed, elapsed)
        for confirmation in waitingConfirmations where confirmedSince[confirmation.revision] == nil {
            confirmedSince[confirmation.revision] = self.elapsed
        }
    }

    public mutating func release(_ fence: Fence, time: Int = 0) {
        guard (try? require(fence)) != nil else { return }
        lease = lease.next(holder: "", expiresAt: time)
    }

    /// Another replica takes the lease over, whatever the row says.
    public mutating func seize(_ candidate: Candidate, ttl: Int) {
        lease = Lease(candidate, epoch: lease.epoch + 1, sequence: lease.sequence + 1, ttl: ttl)
    }

    // MARK: - What no store does

    public mutating func corrupt(_ lease: Lease) { self.lease = lease }

    /// The newest revision takes the place of the one before.
    public mutating func overwrite() {
        guard revisions.count > 1 else { return }
        revisions.remove(at: revisions.count - 2)
    }

    /// What was overtaken gets another status.
    public mutating func miscall(superseded status: Status) {
        for (index, revision) in revisions.enumerated()
        where revision.changes.contains(where: { $0.status == .superseded }) {
            revisions[index] = revision.with(
                changes: revision.changes.map { change in
                    guard change.status == .superseded else { return change }
                    return Change(group: change.group, action: change.action, status: status, error: change.error)
                }
            )
        }
    }

    /// Ages are told by the times that leaders' clocks have given the revisions, and by the clock of who asks.
    public mutating func pruneByTimes(_ policy: RetentionPolicy, fence: Fence, time: Int) throws(StoreError) {
        try require(fence)
        guard let age = policy.maximumAge else { return }
        whole = max(whole, revisions.first { $0.time >= time - age }?.number ?? max(revisions.count, 1))
    }

    public mutating func forgetConfirmations() { confirmations = [] }

    // MARK: - An older state

    /// The row tells the newest revision that its holder knows.
    public mutating func noteNewest(_ seen: Watermark) {
        if seen.revision > 0 { (lease.revision, lease.hash) = (seen.revision, seen.hash) }
    }

    public enum Holding: Sendable {
        case all, accepted, less
    }

    /// Whether the history has the newest revision that was seen.
    public func holding(_ seen: Watermark) -> Holding {
        guard seen.revision > 0 else { return .all }
        if lost.contains(seen.revision) { return .accepted }
        return revision(seen.revision)?.hash == seen.hash ? .all : .less
    }

    public func isOlder(than seen: Watermark) -> Bool {
        lease.suspension != nil || !seen.isReached(by: lease) || holding(seen) == .less
    }

    /// Whether a replica that has seen this has something to say of the store.
    public func lacks(_ seen: Watermark) -> Bool {
        seen.isMissing(in: lease) || lease.suspension == nil && holding(seen) == .less
    }

    public mutating func suspend(by witness: Witness, time: Int) {
        lease = lease.suspended(by: witness, time: time)
    }

    /// Somebody accepts the older state. Numbers that were lost stay, without content.
    public mutating func acceptOlderState() {
        guard let suspension = lease.suspension else { return }
        let lastGiven = suspension.lastNumber(after: revisions.count)
        while revisions.count < lastGiven {
            put([], author: Author(user: nil, uid: nil, host: ""))
            lost.insert(revisions.count)
        }
        for request in waitingRequests { try? end(request.id, as: .refused, error: "ask again") }
        lease = lease.accepted
    }

    // MARK: - Confirmations

    public var waitingConfirmations: [Confirmation] { confirmations.filter { $0.state == .waiting } }

    /// Those whose time is over.
    public func expiredConfirmations(at elapsed: Int) -> [Confirmation] {
        waitingConfirmations.filter { isExpired($0, at: elapsed) }
    }

    private func isExpired(_ confirmation: Confirmation, at elapsed: Int) -> Bool {
        confirmedSince[confirmation.revision].map { $0 + confirmation.allowed <= elapsed } ?? false
    }

    func requireExpired(_ revision: Int, at elapsed: Int) throws(StoreError) {
        guard let confirmation = confirmations.first(where: { $0.revision == revision }),
            isExpired(confirmation, at: elapsed)
        else { throw StoreError(.conflict, "there is still time to confirm revision \(revision)") }
    }

    /// - Parameter since: what `elapsed` was when it began to count; nil when it does not yet.
    public mutating func leaveUnconfirmed(_ revision: Int, allowed: Int, deadline: Int, since: Int? = nil) {
        confirmedSince[revision] = since
        confirmations.append(
            Confirmation(revision: revision, allowed: allowed, deadline: deadline, state: .waiting)
        )
    }

    public mutating func endConfirmation(of revision: Int, as state: Confirmation.State) throws(StoreError) {
        guard let index = confirmations.firstIndex(where: { $0.revision == revision && $0.state == .waiting }) else {
            throw StoreError(.conflict, "it has been decided already")
        }
        let old = confirmations[index]
        confirmations[index] = Confirmation(
            revision: old.revision,
            allowed: old.allowed,
            deadline: old.deadline,
            state: state
        )
    }

    public mutating func acknowledge(_ number: Int) throws(StoreError) {
        guard let revision = revision(number) else { throw StoreError(.notFound, "there is no revision \(number)") }
        guard revision.changes.contains(where: { $0.status == .rejected }), acknowledged.insert(number).inserted else {
            throw StoreError(.conflict, "there is nothing to acknowledge")
        }
    }

    public mutating func overtakeConfirmation(
        of revision: Int,
        fence: Fence,
        elapsed: Int = .max
    ) throws(StoreError) {
        try require(fence)
        try requireExpired(revision, at: elapsed)
        try endConfirmation(of: revision, as: .overtaken)
    }

    // MARK: - Retention

    /// Removes in one step what a policy does not keep. No revision is missing here afterwards: only ``whole`` tells.
    public mutating func prune(_ policy: RetentionPolicy, fence: Fence, elapsed: Int) throws(StoreError) -> PruneStep {
        try require(fence)
        var first = policy.limit.map { revisions.count - $0 + 1 } ?? 1
        if let age = policy.maximumAge {
            noteAge(at: elapsed, for: age)
            first = max(first, (ages.last { $0.elapsed <= elapsed - age }?.revision ?? 0) + 1)
        }
        let open = revisions.first { $0.changes.contains { $0.status == .pending } }?.number ?? .max
        let unconfirmed = waitingConfirmations.first?.revision ?? .max
        let before = whole
        whole = max(whole, min(first, max(revisions.count, 1), open, unconfirmed))
        return PruneStep(removed: whole - before, position: nil)
    }

    private mutating func noteAge(at elapsed: Int, for age: Int) {
        guard revisions.count > ages.last?.revision ?? 0,
            ages.last.map({ elapsed - $0.elapsed > age / 1000 }) ?? true
        else { return }
        setElapsed(elapsed)
        ages.append((elapsed, revisions.count))
    }
}

extension Lease {
    /// The row as an acquisition writes it.
    public init(_ candidate: Candidate, epoch: Int, sequence: Int, ttl: Int, time: Int = 0) {
        self.init(
            holder: candidate.id.name,
            instance: candidate.instance,
            epoch: epoch,
            sequence: sequence,
            ttl: ttl,
            acquiredAt: time,
            renewedAt: time,
            expiresAt: time + ttl,
            process: candidate.process,
            socket: candidate.socket,
            pluginSocket: candidate.pluginSocket,
            guardLock: candidate.guardLock
        )
    }

    /// The same row a moment later; what is not named stays.
    public func next(
        holder: Identifier? = nil,
        epoch: Int? = nil,
        sequence: Int? = nil,
        renewedAt: Int? = nil,
        expiresAt: Int? = nil
    ) -> Lease {
        Lease(
            holder: holder ?? self.holder,
            instance: instance,
            epoch: epoch ?? self.epoch,
            sequence: sequence ?? self.sequence + 1,
            ttl: ttl,
            acquiredAt: acquiredAt,
            renewedAt: renewedAt ?? self.renewedAt,
            expiresAt: expiresAt ?? self.expiresAt,
            process: process,
            socket: socket,
            pluginSocket: pluginSocket,
            guardLock: guardLock,
            revision: revision,
            hash: hash,
            suspension: suspension
        )
    }
}
