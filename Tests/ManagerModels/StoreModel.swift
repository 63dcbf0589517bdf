public import Store

/// What the store does, as a value: every operation is one transaction, and happens whole or not at all.
///
/// It is the protocol between replicas, without a file: a write is carried out only under the fence of the lease, the
/// lease changes hands only by comparing.
public struct StoreModel: Sendable {
    public internal(set) var lease = StoreModel.emptyLease
    public internal(set) var revisions: [Revision] = []
    public internal(set) var requests: [Request] = []
    public internal(set) var confirmations: [Confirmation] = []

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

    public mutating func acquire(_ claimant: Claimant, watched: Lease, ttl: Int, time: Int = 0) -> Lease? {
        guard lease.epoch == watched.epoch, lease.sequence == watched.sequence else { return nil }
        lease = Lease(claimant, epoch: watched.epoch + 1, sequence: watched.sequence + 1, ttl: ttl, time: time)
        return lease
    }

    public mutating func renew(_ fence: Fence, time: Int = 0) throws(StoreError) -> Lease {
        try require(fence)
        lease = lease.next(renewedAt: time, expiresAt: time + lease.ttl)
        return lease
    }

    public mutating func release(_ fence: Fence, time: Int = 0) {
        guard (try? require(fence)) != nil else { return }
        lease = lease.next(holder: "", expiresAt: time)
    }

    /// Another replica takes the lease over, whatever the row says.
    public mutating func seize(_ claimant: Claimant, ttl: Int) {
        lease = Lease(claimant, epoch: lease.epoch + 1, sequence: lease.sequence + 1, ttl: ttl)
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

    // MARK: - Confirmations

    public var waitingConfirmations: [Confirmation] { confirmations.filter { $0.state == .waiting } }

    public mutating func leaveUnconfirmed(_ revision: Int, allowed: Int, deadline: Int) {
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

    public mutating func overtakeConfirmation(of revision: Int, fence: Fence) throws(StoreError) {
        try require(fence)
        try endConfirmation(of: revision, as: .overtaken)
    }
}

extension Lease {
    /// The row as an acquisition writes it.
    public init(_ claimant: Claimant, epoch: Int, sequence: Int, ttl: Int, time: Int = 0) {
        self.init(
            holder: claimant.id.text,
            instance: claimant.instance,
            epoch: epoch,
            sequence: sequence,
            ttl: ttl,
            acquiredAt: time,
            renewedAt: time,
            expiresAt: time + ttl,
            process: claimant.process,
            socket: claimant.socket,
            pluginSocket: claimant.pluginSocket,
            guardLock: claimant.guardLock
        )
    }

    /// The same row a moment later; what is not named stays.
    public func next(
        holder: String? = nil,
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
            guardLock: guardLock
        )
    }
}
