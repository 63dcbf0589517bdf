public import GroupSPI

/// What a leader does to the history. Each edit checks the lease in the snapshot that it changes: a snapshot in which another
/// leads takes none.
extension Snapshot {
    /// - Throws: ``StoreError`` `fenced`.
    public func require(_ fence: Fence) throws(StoreError) {
        guard lease.isHeld, lease.instance == fence.instance, lease.epoch == fence.epoch else {
            throw .fenced(lease)
        }
    }

    /// Takes the lease over, if it is still the one that was watched.
    ///
    /// - Parameters:
    ///   - candidate: who wants the lease.
    ///   - watched: the lease as it was last seen.
    ///   - place: where the candidate is reached.
    ///   - floor: the highest epoch that is known from elsewhere; the new one is higher.
    ///   - ttl: how long the lease lasts without a renewal.
    ///   - reason: why the term before ended.
    ///   - time: milliseconds since 1970.
    /// - Returns: nil when the lease is another than the one that was watched.
    public mutating func acquire(
        _ candidate: Candidate,
        watched: Lease,
        at place: String,
        floor: Int,
        ttl: Int,
        reason: String,
        time: Int
    ) -> Lease? {
        guard lease.epoch == watched.epoch, lease.instance == watched.instance, lease.isHeld == watched.isHeld else {
            return nil
        }
        endTerm(time, reason)
        self.place = place
        lease = Lease(
            holder: candidate.id.name,
            instance: candidate.instance,
            epoch: max(lease.epoch, floor) + 1,
            sequence: 0,
            ttl: ttl,
            acquiredAt: time,
            renewedAt: time,
            expiresAt: time + ttl,
            process: candidate.process,
            socket: candidate.socket,
            pluginSocket: candidate.pluginSocket,
            guardLock: candidate.guardLock
        )
        terms.insert(Term(epoch: lease.epoch, manager: lease.holder, from: time, until: nil, reason: nil), at: 0)
        return lease
    }

    /// Empties the holder; the epoch stays. Nothing happens when the lease is another's already.
    public mutating func release(_ fence: Fence, reason: String, time: Int) {
        guard (try? require(fence)) != nil else { return }
        endTerm(time, reason)
        lease = lease.released
    }

    private mutating func endTerm(_ time: Int, _ reason: String) {
        guard let last = terms.first, last.until == nil else { return }
        terms[0] = Term(epoch: last.epoch, manager: last.manager, from: last.from, until: time, reason: reason)
    }

    public mutating func append(_ draft: RevisionDraft, fence: Fence, time: Int) throws(StoreError) -> Revision {
        try require(fence)
        // What is older than the snapshot's first record is older than what anybody has just seen.
        if let current = records.last(where: { $0.revision.changes.contains { $0.status != .rejected } }) {
            try draft.requireExpected(current.revision.number)
        }
        let revision = Revision(draft, number: newest + 1, after: hash, fence: fence, time: time)
        records.append(Record(revision, token: draft.token))
        return revision
    }

    /// Records how a pending change came out. A change that is settled, or so old that it is not in here, stays as it is.
    public mutating func record(_ outcome: Outcome, fence: Fence) throws(StoreError) {
        try require(fence)
        guard let index = index(of: outcome.revision), isPending(index, outcome.group) else { return }
        settle(index, outcome.group, outcome.status, outcome.error)
        endConfirmationIfRejected(index)
        guard outcome.status == .applied else { return }
        for index in records.indices where records[index].revision.number < outcome.revision {
            guard isPending(index, outcome.group) else { continue }
            settle(index, outcome.group, .superseded, Outcome.superseded(by: outcome.revision))
        }
    }

    private func index(of number: Int) -> Int? {
        number > base.revision && number <= newest ? number - base.revision - 1 : nil
    }

    private func isPending(_ index: Int, _ group: Identifier) -> Bool {
        records[index].revision.changes.contains { $0.group == group && $0.status == .pending }
    }

    private mutating func settle(_ index: Int, _ group: Identifier, _ status: Status, _ error: String?) {
        records[index].revision = records[index].revision.with(
            changes: records[index].revision.changes.map { change in
                guard change.group == group else { return change }
                return Change(group: group, action: change.action, status: status, error: error)
            }
        )
    }

    /// Nobody has to confirm what the plugin refused as a whole.
    private mutating func endConfirmationIfRejected(_ index: Int) {
        let revision = records[index].revision
        guard let confirmation = revision.confirmation, confirmation.state == .waiting,
            revision.changes.allSatisfy({ $0.status == .rejected })
        else { return }
        records[index].revision = revision.with(confirmation: confirmation.with(.rejected))
    }

    /// Ends the wait for a confirmation, one way or the other.
    ///
    /// - Throws: ``StoreError`` `conflict` when it has ended already, `notFound` when the revision needs none.
    public mutating func endConfirmation(of number: Int, as state: Confirmation.State) throws(StoreError) {
        guard let index = index(of: number), let confirmation = records[index].revision.confirmation else {
            let waiting = records.compactMap(\.revision.confirmation).filter { $0.state == .waiting }
            throw .needsNoConfirmation(number, waiting: waiting.map(\.revision))
        }
        guard confirmation.state == .waiting else { throw .confirmationEnded(confirmation) }
        records[index].revision = records[index].revision.with(confirmation: confirmation.with(state))
    }

    /// - Throws: ``StoreError``: `notFound`; `conflict` when the plugin has refused nothing of it, or it is acknowledged already.
    private mutating func acknowledge(_ acknowledgement: Acknowledgement) throws(StoreError) {
        let number = acknowledgement.revision
        guard number >= 1, number <= newest else {
            throw StoreError(.notFound, "there is no revision \(number); the newest is \(newest)")
        }
        // Of what is older than the outcomes that are kept, the node that asks knows more.
        if let statuses = statuses(of: number), !statuses.contains(.rejected) {
            throw .notRejected(number, .combining(statuses))
        }
        if let known = acknowledgements.first(where: { $0.revision == number }) { throw .acknowledgedAlready(known) }
        acknowledgements.append(acknowledgement)
    }

    /// Of a revision's changes, as far as they were not applied; nil when that is not known any more.
    private func statuses(of number: Int) -> [Status]? {
        if let index = index(of: number) { return records[index].revision.changes.map(\.status) }
        guard number >= outcomes.from else { return nil }
        return outcomes.exceptions.filter { $0.revision == number }.map(\.status)
    }

    /// Notes something in the history that changes no group.
    ///
    /// - Throws: ``StoreError`` `conflict`, `notFound`.
    public mutating func apply(_ mark: MetadataChange, author: Author, fence: Fence, time: Int) throws(StoreError) {
        try require(fence)
        switch mark {
        case .confirm(let revision): try endConfirmation(of: revision, as: .confirmed)
        case .acknowledge(let revision, let message):
            try acknowledge(Acknowledgement(revision: revision, author: author, time: time, message: message))
        case .untag(let name):
            guard tags.contains(where: { $0.name == name }) else { throw .noTag(name, of: tags.map(\.name)) }
            tags.removeAll { $0.name == name }
        case .tag(let name, let revision, let moving):
            guard revision >= 1, revision <= newest else {
                throw StoreError(.notFound, "there is no revision \(revision); the newest is \(newest)")
            }
            if let taken = tags.first(where: { $0.name == name }) {
                guard taken.revision != revision else { return }
                guard moving else { throw .tagTaken(name, by: taken.revision) }
            }
            tags.removeAll { $0.name == name }
            tags.append(Tag(name: name, revision: revision, author: author, time: time))
            tags.sort { $0.name < $1.name }
        }
    }

    /// Settles a request: at most once, whoever passed it on.
    ///
    /// - Throws: ``StoreError`` `conflict` when it is settled already.
    public mutating func settle(_ request: Settled) throws(StoreError) {
        guard !settled.contains(where: { $0.id == request.id }) else {
            throw StoreError(.conflict, "the request \(request.id) is finished already; nothing was stored")
        }
        settled.append(request)
    }

    /// The answer of a request that is settled, or is settled by it. The first answer stays.
    public mutating func answer(_ id: String, _ answer: Result<GroupReply, GroupError>, until: Int) {
        guard let index = settled.firstIndex(where: { $0.id == id }) else {
            settled.append(Settled(id: id, state: .done, answer: answer, until: until))
            return
        }
        if settled[index].answer == nil { settled[index].answer = answer }
    }

    /// What is settled in another snapshot is so in this one.
    public mutating func takeSettled(of other: Snapshot) {
        let known = Set(settled.map(\.id))
        settled += other.settled.filter { !known.contains($0.id) }
        settledFrom = max(settledFrom, other.settledFrom)
    }

    /// A new leader counts anew for how long what an earlier one has settled is kept: that one's clock was another.
    public mutating func keepSettled(until time: Int) {
        for index in settled.indices { settled[index].until = time }
    }

    /// Forgets what is no longer needed: terms and settled requests that are old, and, of the history, the oldest records
    /// that are settled.
    ///
    /// - Parameters:
    ///   - limits: how much is kept.
    ///   - time: as ``Settled/until`` counts it.
    public mutating func trim(to limits: Limits, time: Int) {
        if terms.count > limits.terms { terms.removeLast(terms.count - limits.terms) }
        if acknowledgements.count > limits.acknowledgements {
            acknowledgements.removeFirst(acknowledgements.count - limits.acknowledgements)
        }
        settled.removeAll { $0.until < time }
        var bytes = records.reduce(0) { $0 + $1.size }
        while let first = records.first, records.count > max(1, limits.records) || bytes > limits.bytes,
            records.count > 1, first.isSettled
        {
            bytes -= first.size
            Self.apply(first.revision, to: &base.groups)
            base.revision = first.revision.number
            base.hash = first.revision.hash
            outcomes.note(first.revision)
            records.removeFirst()
        }
        outcomes.trim(to: limits.outcomes, through: base.revision)
    }

    /// How much of the past a snapshot keeps. The newest record and those whose outcome is open always stay.
    public struct Limits: Hashable, Sendable {
        public var records: Int
        /// Of the records' specifications and texts.
        public var bytes: Int
        public var terms: Int
        /// Of the changes before the records: how many of those that were not applied.
        public var outcomes: Int
        public var acknowledgements: Int

        public init(
            records: Int = 64,
            bytes: Int = 128 * 1024,
            terms: Int = 20,
            outcomes: Int = 256,
            acknowledgements: Int = Self.acknowledgements
        ) {
            self.records = records
            self.bytes = bytes
            self.terms = terms
            self.outcomes = outcomes
            self.acknowledgements = acknowledgements
        }

        public static let acknowledgements = 64
    }
}

extension Confirmation {
    fileprivate func with(_ state: State) -> Confirmation {
        Confirmation(revision: revision, allowed: allowed, deadline: deadline, state: state)
    }
}

extension Snapshot.Record {
    var isSettled: Bool { revision.status != .pending && revision.confirmation?.state != .waiting }

    /// About the bytes that it takes.
    var size: Int {
        revision.changes.reduce(200 + revision.message.utf8.count) { sum, change in
            var size = change.group.utf8.count + (change.error?.utf8.count ?? 0)
            if case .set(let properties, _) = change.action { size += properties.bytes.count }
            return sum + size
        }
    }
}

extension Revision {
    /// - Parameters:
    ///   - tags: nil: as they are; so for all of these.
    ///   - acknowledgement: `.some(nil)` for none.
    func with(
        changes: [Change]? = nil,
        tags: [Identifier]? = nil,
        confirmation: Confirmation? = nil,
        acknowledgement: Acknowledgement?? = nil
    ) -> Revision {
        Revision(
            number: number,
            time: time,
            epoch: epoch,
            manager: manager,
            author: author,
            operation: operation,
            target: target,
            message: message,
            changes: changes ?? self.changes,
            hash: hash,
            tags: tags ?? self.tags,
            confirmation: confirmation ?? self.confirmation,
            acknowledgement: acknowledgement ?? self.acknowledgement
        )
    }

    /// Without what the history has of it elsewhere.
    var bare: Revision { with(tags: [], acknowledgement: .some(nil)) }
}
