internal import GroupSPI
internal import Store

/// What this node knows of the history, and what a write may begin with. No clock, no socket and no file.
struct KnownHistory {
    /// The register; nil before the first look, and when a write has left it open.
    var state: KnownState?
    /// The newest snapshot of this cluster that this node has seen, in the register or in its replica. It stays when the register
    /// loses it: nothing is ever written that does not begin with it, or with what the register holds beyond it.
    var newest: Snapshot?
    /// The cluster that ``newest`` is of; nil when this node knows of none.
    private var cluster: String?
    /// The highest epoch that this node knows of: it does not fall when the register loses it.
    var floor: Int
    /// Under which this manager leads; nil when it does not.
    var term: Fence?
    /// What the replica knew at the start; nil when it belongs to another cluster, or to none.
    private var origin: LocalReplicaInfo?
    private var olderPolls = 0
    private var strangePolls = 0

    init(newest: Snapshot?, floor: Int, origin: LocalReplicaInfo?) {
        self.newest = newest
        self.floor = floor
        self.origin = origin
        cluster = origin.flatMap { $0.cluster.isEmpty ? nil : $0.cluster }
    }

    // MARK: - What is read

    /// What a reading is to this node.
    enum Reception {
        /// The newest that there is.
        case news(KnownState)
        /// A write of this node has overtaken it, or the register was cut off and tells of old times.
        case old
        /// It was older for so long that the register must have been put back.
        case putBack(KnownState)
    }

    /// - Parameter patience: after so many older readings the older is believed.
    mutating func receive(_ reading: RegisterState, patience: Int, _ rules: ReplicationRules) -> Reception {
        if let cluster, cluster != reading.cluster {
            // Another cluster's history is none of this one's.
            (newest, state, term) = (nil, nil, nil)
        }
        cluster = reading.cluster
        let next = KnownState(reading, known: newest, rules)
        guard let known = newestVersion(of: reading.cluster), next.version.value < known else {
            olderPolls = 0
            return .news(next)
        }
        olderPolls += 1
        return olderPolls > patience ? .putBack(next) : .old
    }

    private func newestVersion(of cluster: String) -> Int? {
        if let state { return state.cluster == cluster ? state.version.value : nil }
        return origin?.cluster == cluster ? origin?.position : nil
    }

    /// From here on, versions count from where the register was put back to.
    mutating func forgetOrigin() { (origin, olderPolls) = (nil, 0) }

    /// Whether nothing was written since the replica was brought up to date that this process has found at its start.
    func isReplicaCurrent(_ reading: RegisterState) -> Bool {
        origin?.cluster == reading.cluster && origin?.version == Int(clamping: reading.version)
    }

    /// What the content of the register asks of this node.
    enum Demand {
        case nothing
        /// It holds less than is known, and this manager leads.
        case restore
        /// It holds less than is known; whoever leads restores it.
        case report(ContentLoss)
    }

    /// Takes note of what the register holds.
    ///
    /// - Parameters:
    ///   - leads: whether this node may claim to lead.
    ///   - leader: the id of the node that leads, as far as is known.
    ///   - patience: so often another history is seen before it is believed.
    /// - Throws: ``StoreError`` `corrupt`.
    mutating func follow(leads: Bool, leader: String?, patience: Int) throws(StoreError) -> Demand {
        guard let state else { return .nothing }
        if case .strange = state.finding {} else { strangePolls = 0 }
        switch state.finding {
        case .current(let snapshot):
            newest = snapshot
            floor = max(floor, snapshot.lease.epoch)
        case .lost(let loss): return isInTerm && leads ? .restore : .report(loss)
        case .strange(let snapshot):
            // Whoever leads decides which of the two histories goes on. This node's is kept until that is plain.
            floor = max(floor, snapshot.lease.epoch)
            // Another has led: its fence is the newer one.
            if let term, snapshot.lease.epoch > term.epoch { self.term = nil }
            strangePolls += 1
            guard strangePolls > patience, !isInTerm, !leads, let newest, !snapshot.isBehind(newest),
                snapshot.lease.epoch > newest.lease.epoch || snapshot.lease.isHeld && snapshot.place == leader
            else { break }
            self.newest = snapshot
            self.state?.finding = .current(snapshot)
        case .unreadable(let reason): throw StoreError(.corrupt, reason)
        case .fresh, .foreign: break
        }
        return .nothing
    }

    // MARK: - Who holds the lease

    /// Whether this manager leads, as far as it knows itself: its groups, its history and its lease are the newest there are.
    var isInTerm: Bool {
        guard let term, let newest else { return false }
        return (try? newest.require(term)) != nil
    }

    /// The lease as the newest state has it, and where its holder runs.
    func holder(_ state: KnownState) -> (lease: Lease, place: String) {
        switch state.finding {
        case .current(let snapshot): (snapshot.lease, snapshot.place)
        case .strange(let snapshot) where snapshot.lease.epoch > newest?.lease.epoch ?? 0:
            (snapshot.lease, snapshot.place)
        default: newest.map { ($0.lease, $0.place) } ?? (.nobody(since: floor), "")
        }
    }

    /// Whether the one who led before has certainly let go.
    ///
    /// - Parameter isGone: whether a lease's holder is known to have ended.
    func isNobodysTurn(_ isGone: (Lease) -> Bool) -> Bool {
        guard let state else { return false }
        if newest == nil, case .fresh = state.finding { return floor == 0 }
        let lease = holder(state).lease
        guard lease.isHeld || newest != nil else { return false }
        return !lease.isHeld || isGone(lease)
    }

    // MARK: - What a write begins with

    /// There is no way to begin with nothing.
    enum Basis: Sendable {
        /// What the register holds; for whoever leads, where the register has lost it, what this node knows.
        case newest
        /// A beginning that a new term has worked out from that content of the register.
        case beginning(Snapshot, over: ContentTag)

        var isBeginning: Bool {
            guard case .beginning = self else { return false }
            return true
        }
    }

    /// The snapshot that a change begins with: always one that is known.
    func begin(_ basis: Basis, _ state: KnownState, _ terminology: RegisterTerminology) throws(StoreError) -> Snapshot {
        switch (basis, state.finding) {
        case (.beginning(let snapshot, let tag), _):
            guard state.tag == tag else { throw .fenced(holder(state).lease) }
            return snapshot
        case (.newest, .current(let snapshot)): return snapshot
        case (.newest, .lost(let loss)):
            guard isInTerm, let newest else {
                throw StoreError(
                    .busy,
                    "\(loss.sentence(terminology)); the leader will write its own state again. Nothing was stored"
                )
            }
            return newest
        case (.newest, .fresh):
            throw StoreError(.fenced, "nobody leads this \(terminology.cluster); nothing was stored")
        case (.newest, .foreign), (.newest, .strange): throw .foreignContent(terminology)
        case (.newest, .unreadable(let reason)): throw StoreError(.busy, "\(reason) Nothing was stored")
        }
    }

    /// What a new term begins with: the newest state that is known, and the changes to it that somebody else has put into
    /// the register. Numbers and epochs go on, whatever has become of the register.
    ///
    /// - Parameter quarantined: a damaged replica of this node, in which more may be than is known.
    func beginning(
        _ state: KnownState,
        _ terminology: RegisterTerminology,
        quarantined: @autoclosure () -> String?
    ) throws(StoreError) -> (Snapshot, [Change]) {
        switch state.finding {
        case .current(let snapshot): return (snapshot, [])
        case .strange(let snapshot) where snapshot.lease.epoch > newest?.lease.epoch ?? 0:
            guard var newest, snapshot.isBehind(newest) else {
                var snapshot = snapshot
                if let newest { snapshot.takeSettled(of: newest) }
                return (snapshot, [])
            }
            newest.takeSettled(of: snapshot)
            // The one who led meanwhile knew less. Its terms are part of what happened; what it did not know is, too.
            (newest.lease, newest.place, newest.terms) = (snapshot.lease, snapshot.place, snapshot.terms)
            newest.sequence = max(newest.sequence, snapshot.sequence)
            return (newest, [])
        case .unreadable(let reason): throw StoreError(.corrupt, reason)
        case .lost:
            guard let newest else { throw .notReadYet(terminology) }
            return (newest, [])
        case .fresh: return (try origin(terminology, quarantined()), [])
        case .foreign(let groups):
            let beginning: Snapshot = if let newest { newest } else { try origin(terminology, quarantined()) }
            return (beginning, RegisterFinding.changes(to: groups, from: beginning.groups))
        case .strange(let snapshot):
            var beginning: Snapshot = if let newest { newest } else { try origin(terminology, quarantined()) }
            beginning.takeSettled(of: snapshot)
            return (
                beginning, RegisterFinding.changes(to: Array(snapshot.groups.values), from: beginning.groups)
            )
        }
    }

    /// The beginning of all history, where nobody knows of any.
    private func origin(_ terminology: RegisterTerminology, _ quarantined: String?) throws(StoreError) -> Snapshot {
        if let path = quarantined {
            throw StoreError(
                .conflict,
                "the history of \(terminology.place) is not known: this node's copy was damaged (\(path)). Start a "
                    + "manager on another node, or move that file away to start a new history."
            )
        }
        return Snapshot(lease: .nobody(since: floor))
    }
}

extension StoreError {
    static func foreignContent(_ terminology: RegisterTerminology) -> StoreError {
        StoreError(
            .fenced,
            "another manager has written \(terminology.content); the next term adopts its groups"
        )
    }

    static func notReadYet(_ terminology: RegisterTerminology) -> StoreError {
        StoreError(
            .busy,
            "\(terminology.place) has to be read again first; nothing was stored"
        )
    }

    static func tooSlow(_ terminology: RegisterTerminology) -> StoreError {
        StoreError(
            .busy,
            "\(terminology.server) did not write it in time; nothing was stored. \(terminology.advice)"
        )
    }
}
