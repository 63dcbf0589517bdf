internal import GroupSPI
public import Store

/// A node's copy of a history that is kept elsewhere, as a value: what `Store+Replica` does. Numbers that this node was not told of
/// have their place here, without content (``StoreModel/lost``).
public struct ReplicaModel: Sendable {
    public var history = StoreModel()
    public private(set) var copy: LocalReplicaInfo?
    private var tokens: [Int: [UInt8]] = [:]
    private var cancelled: Set<String> = []

    public init() {}

    // MARK: - Bringing it up to date

    public mutating func apply(_ snapshot: Snapshot?, _ copy: LocalReplicaInfo, time: Int, elapsed: Int) -> ApplyResult
    {
        if let known = self.copy?.position, known > copy.position { return .stale }
        var count = 0
        if let snapshot {
            if let refusal = refusal(of: snapshot) { return refusal }
            adopt(snapshot, time: time)
            for record in snapshot.records where record.revision.number > newest {
                insert(record.revision)
                tokens[record.revision.number] = record.token
                count += 1
            }
            for record in snapshot.records { takeOutcomes(record.revision) }
            history.acknowledged.formUnion(snapshot.acknowledgements.map(\.revision))
            history.lease = snapshot.lease
            for settled in snapshot.settled { take(settled) }
        }
        history.setElapsed(elapsed)
        self.copy = copy
        return .done(revisions: count)
    }

    private var newest: Int { history.revisions.count }

    /// Nil for one that this node was not told of.
    private func hash(_ number: Int) -> [UInt8]? {
        history.lost.contains(number) ? nil : history.revision(number)?.hash
    }

    private func refusal(of snapshot: Snapshot) -> ApplyResult? {
        guard newest > 0 else { return nil }
        let common = min(newest, snapshot.newest)
        let isShorter = snapshot.newest < newest
        guard common > 0, let expected = snapshot.hash(at: common), let found = hash(common) else {
            return isShorter ? .behind : nil
        }
        guard found == expected else { return .diverged(at: common) }
        return isShorter ? .behind : nil
    }

    private mutating func insert(_ revision: Revision) {
        history.revisions.append(revision)
        guard let confirmation = revision.confirmation else { return }
        history.leaveUnconfirmed(
            revision.number,
            allowed: confirmation.allowed,
            deadline: confirmation.deadline
        )
    }

    private mutating func adopt(_ snapshot: Snapshot, time: Int) {
        let base = snapshot.base
        settleUnseen(through: min(base.revision, newest), snapshot)
        guard newest < base.revision else { return }
        let nobody = Author(user: nil, uid: nil, host: "")
        while newest < base.revision - 1 {
            history.put([], author: nobody)
            history.lost.insert(newest)
        }
        let changes = changes(to: base.groups)
        insert(
            Revision(
                number: base.revision,
                time: time,
                epoch: snapshot.lease.epoch,
                manager: snapshot.lease.holder,
                author: nobody,
                operation: .adopt,
                target: nil,
                message: "",
                changes: changes,
                hash: base.hash,
                tags: [],
                confirmation: nil
            )
        )
    }

    private func changes(to groups: [Identifier: GlobalConfig.Entry]) -> [Change] {
        let known = history.states()
        var changes = known.filter { $0.spec != nil && groups[$0.group] == nil }.map {
            Change(group: $0.group, action: .free, status: .applied)
        }
        let standing = Dictionary(known.map { ($0.group, $0.change.action) }, uniquingKeysWith: { first, _ in first })
        for (group, entry) in groups {
            let action = Change.Action.set(entry.spec.properties, plugin: entry.plugin)
            if standing[group] != action { changes.append(Change(group: group, action: action, status: .applied)) }
        }
        return changes.sorted { $0.group < $1.group }
    }

    private mutating func settleUnseen(through last: Int, _ snapshot: Snapshot) {
        guard last > 0 else { return }
        var found: Set<Identifier> = []
        for number in (1...last).reversed() {
            for change in history.revisions[number - 1].changes where change.status == .pending {
                if let outcome = snapshot.outcomes.outcome(of: number, change.group, through: snapshot.base.revision) {
                    if outcome.status == .applied { found.insert(change.group) }
                    history.settle(outcome)
                    continue
                }
                let stands = snapshot.base.groups[change.group].map {
                    Change.Action.set($0.spec.properties, plugin: $0.plugin)
                }
                let isSet = if case .set = change.action { true } else { false }
                let isApplied =
                    (isSet ? stands == change.action : stands == nil) && found.insert(change.group).inserted
                let isOvertaken = !isApplied && mayBeOvertaken(number, change.group, snapshot.base)
                history.settle(
                    Outcome(
                        revision: number,
                        group: change.group,
                        status: isApplied ? .applied : isOvertaken ? .superseded : .rejected,
                        error: isApplied ? nil : "not told"
                    )
                )
            }
        }
        for confirmation in history.waitingConfirmations where confirmation.revision <= last {
            try? history.endConfirmation(of: confirmation.revision, as: .overtaken)
        }
    }

    private func mayBeOvertaken(_ number: Int, _ group: Identifier, _ base: Snapshot.Base) -> Bool {
        newest < base.revision || history.lost.contains { $0 > number }
            || history.revisions[number..<base.revision].contains { revision in
                revision.changes.contains { $0.group == group && $0.status != .rejected }
            }
    }

    private mutating func takeOutcomes(_ revision: Revision) {
        for change in revision.changes where change.status != .pending || change.error != nil {
            history.settle(
                Outcome(revision: revision.number, group: change.group, status: change.status, error: change.error)
            )
        }
        guard let confirmation = revision.confirmation, confirmation.state != .waiting else { return }
        try? history.endConfirmation(of: revision.number, as: confirmation.state)
    }

    private mutating func take(_ settled: Snapshot.Settled) {
        history.update(settled.id) { request in
            let isOpen = [.waiting, .forwarded].contains(request.state)
            guard isOpen || request.answer == nil && settled.answer != nil else { return nil }
            return (settled.state, settled.revision, settled.error, settled.answer)
        }
    }

    // MARK: - Starting, and what becomes of the swarm

    public mutating func begin() {
        guard copy == nil else { return }
        copy = LocalReplicaInfo(
            cluster: "",
            node: "",
            leader: "",
            position: 0,
            version: 0,
            labelSize: 0,
            labelLimit: 0,
            readAt: 0,
            trouble: "the Engine has not been asked yet"
        )
    }

    public mutating func setTrouble(_ trouble: String) {
        copy?.trouble = trouble
        copy?.leader = ""
    }

    public mutating func resetPosition() { copy?.position = 0 }

    /// What is left when the label is lost.
    public func snapshot(of count: Int) -> Snapshot? {
        guard newest > 0 || history.lease.epoch > 0 else { return nil }
        let open = history.revisions.first { $0.status == .pending }?.number ?? .max
        let waiting = history.waitingConfirmations.map(\.revision).min() ?? .max
        var records: [Snapshot.Record] = []
        var number = newest
        while number > 0, records.count < count || number >= min(open, waiting) && records.count < count * 16 {
            guard number == 1 || hash(number - 1) != nil, hash(number) != nil, let token = tokens[number],
                let revision = history.revision(number)
            else { break }
            let confirmation = history.confirmations.first { $0.revision == number }
            records.append(Snapshot.Record(revision.with(confirmation: confirmation), token: token))
            number -= 1
        }
        func snapshot(after number: Int, _ records: [Snapshot.Record]) -> Snapshot {
            Snapshot(
                base: Snapshot.Base(
                    revision: number,
                    hash: hash(number) ?? HashChain.origin,
                    groups: entries(at: number)
                ),
                records: records,
                lease: history.lease,
                settledFrom: history.lease.epoch + 1
            )
        }
        let whole = snapshot(after: number, records.reversed())
        return whole.isSound && whole.groups == entries(at: newest) ? whole : snapshot(after: newest, [])
    }

    private func entries(at number: Int) -> [Identifier: GlobalConfig.Entry] {
        let states = history.states(at: number).compactMap { state in state.spec.map { (state.group, $0) } }
        return Dictionary(
            states.map { ($0.0, GlobalConfig.Entry(spec: $0.1.spec, plugin: $0.1.plugin)) },
            uniquingKeysWith: { _, last in last }
        )
    }

    // MARK: - Requests on their way

    public var forwardedRequests: [(request: Request, isCancelled: Bool)] {
        history.requests.filter { $0.state == .forwarded }.map { ($0, cancelled.contains($0.id)) }
    }

    public mutating func moveRequest(
        _ id: String,
        from old: Request.State,
        to new: Request.State,
        error: String?
    ) -> Bool {
        var hasMoved = false
        history.update(id) { request in
            guard request.state == old else { return nil }
            hasMoved = true
            return (new, nil, error, nil)
        }
        return hasMoved
    }

    /// - Returns: true when it is taken back by now.
    public mutating func cancel(_ id: String) -> Bool {
        if history.request(id)?.state == .forwarded { cancelled.insert(id) }
        return history.cancel(id)
    }
}

extension StoreModel {
    /// What a write of the place that keeps the history makes of it. As it was written, whatever that is: it is for others to say
    /// whether it may be.
    ///
    /// - Parameter asked: the request that was settled; nil when nobody knows it.
    /// - Returns: why it does not go on from this history; nil when it does.
    public mutating func take(_ snapshot: Snapshot, asked: (String) -> Request?) -> String? {
        let common = min(snapshot.newest, revisions.count)
        if common > 0, let hash = snapshot.hash(at: common), hash != revisions[common - 1].hash {
            return "another revision \(common) is written"
        }
        if snapshot.newest < revisions.count {
            return "the history is written up to revision \(snapshot.newest), and goes up to \(revisions.count)"
        }
        // What has ended in this very write may be in the records no more.
        for revision in revisions.prefix(snapshot.base.revision) {
            for change in revision.changes where change.status == .pending {
                guard
                    let outcome = snapshot.outcomes.outcome(
                        of: revision.number,
                        change.group,
                        through: snapshot.base.revision
                    )
                else { return "revision \(revision.number) was pending, and nothing tells what became of it" }
                settle(outcome)
            }
        }
        let confirmed = snapshot.settled.compactMap { settled -> Int? in
            guard settled.state == .done, case .mark(.confirm(let revision)) = asked(settled.id)?.kind else {
                return nil
            }
            return revision
        }
        for confirmation in waitingConfirmations where confirmation.revision <= snapshot.base.revision {
            let isConfirmed = confirmed.contains(confirmation.revision)
            try? endConfirmation(of: confirmation.revision, as: isConfirmed ? .confirmed : .reverted)
        }
        for record in snapshot.records {
            let number = record.revision.number
            if number <= revisions.count {
                revisions[number - 1] = revisions[number - 1].with(changes: record.revision.changes)
            } else {
                revisions.append(record.revision)
                if let confirmation = record.revision.confirmation {
                    leaveUnconfirmed(number, allowed: confirmation.allowed, deadline: confirmation.deadline)
                }
            }
            if let confirmation = record.revision.confirmation, confirmation.state != .waiting {
                try? endConfirmation(of: number, as: confirmation.state)
            }
        }
        acknowledged.formUnion(snapshot.acknowledgements.map(\.revision))
        let isSame = snapshot.lease.isHeld == lease.isHeld && snapshot.lease.epoch == lease.epoch
        if !isSame || snapshot.lease.instance != lease.instance {
            let sequence = lease.sequence + 1
            lease = snapshot.lease.next(sequence: sequence)
        }
        for settled in snapshot.settled where request(settled.id) == nil {
            guard let request = asked(settled.id) else { continue }
            requests.append(request)
            update(settled.id) { _ in (settled.state, settled.revision, settled.error, settled.answer) }
        }
        return nil
    }
}
