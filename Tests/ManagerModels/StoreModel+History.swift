public import GroupSPI
public import Store

extension StoreModel {
    public mutating func append(
        _ draft: RevisionDraft,
        resolving trigger: RevisionTrigger? = nil,
        fence: Fence,
        time: Int = 0,
        elapsed: Int = .max
    ) throws(StoreError) -> Revision {
        try require(fence)
        try draft.requireExpected(current ?? 0)
        let revision = Revision(
            number: revisions.count + 1,
            time: time,
            epoch: fence.epoch,
            manager: fence.manager,
            author: draft.author,
            operation: draft.operation,
            target: draft.target,
            message: draft.message,
            changes: draft.changes,
            hash: draft.token,
            tags: [],
            confirmation: nil
        )
        switch trigger {
        case .request(let id): try end(id, as: .done, revision: revision.number)
        case .expiry(let number):
            try requireExpired(number, at: elapsed)
            try endConfirmation(of: number, as: .reverted)
        case nil: break
        }
        revisions.append(revision)
        if let allowed = draft.confirmWithin {
            leaveUnconfirmed(revision.number, allowed: allowed, deadline: time + allowed)
        }
        // As the store gives it: whoever has stored it knows that it waits to be confirmed.
        return self.revision(revision.number) ?? revision
    }

    /// What is left by an earlier leader: a revision with these changes.
    public mutating func put(_ changes: [Change], author: Author, operation: Operation = .commit) {
        revisions.append(
            Revision(
                number: revisions.count + 1,
                time: 0,
                epoch: 0,
                manager: "earlier",
                author: author,
                operation: operation,
                target: nil,
                message: "",
                changes: RevisionDraft(author: author, operation: operation, changes: changes).changes,
                hash: [],
                tags: [],
                confirmation: nil
            )
        )
    }

    public mutating func record(_ outcomes: [Outcome], fence: Fence) throws(StoreError) {
        try require(fence)
        for outcome in outcomes { record(outcome) }
    }

    private mutating func record(_ outcome: Outcome) {
        guard settle(outcome) else { return }
        if revision(outcome.revision)?.changes.allSatisfy({ $0.status == .rejected }) == true {
            // There may be nothing that waits.
            try? endConfirmation(of: outcome.revision, as: .rejected)
        }
        guard outcome.status == .applied else { return }
        // What was still open when a later change was confirmed will never be answered.
        for earlier in revisions.prefix(outcome.revision - 1) {
            let error =
                "overtaken by revision \(outcome.revision) before its outcome was known; it may have been applied"
            settle(Outcome(revision: earlier.number, group: outcome.group, status: .superseded, error: error))
        }
    }

    /// - Returns: false when there was nothing left to settle.
    @discardableResult
    mutating func settle(_ outcome: Outcome) -> Bool {
        guard revisions.indices.contains(outcome.revision - 1) else { return false }
        let old = revisions[outcome.revision - 1]
        guard let index = old.changes.firstIndex(where: { $0.group == outcome.group && $0.status == .pending }) else {
            return false
        }
        var changes = old.changes
        changes[index] = Change(
            group: outcome.group,
            action: changes[index].action,
            status: outcome.status,
            error: outcome.error
        )
        revisions[outcome.revision - 1] = old.with(changes: changes)
        return true
    }

    // MARK: - Reading

    /// The state of every group at a revision: its newest change that the plugin has not refused.
    public func states(at number: Int? = nil) -> [GroupState] {
        var states: [Identifier: GroupState] = [:]
        var sets: [Identifier: Change.Action] = [:]
        for revision in revisions.prefix(number ?? .max) {
            for change in revision.changes where change.status != .rejected {
                states[change.group] = GroupState(
                    group: change.group,
                    change: change,
                    revision: revision.number,
                    previous: change.action == .destroy ? sets[change.group] : nil
                )
                if case .set = change.action { sets[change.group] = change.action }
            }
        }
        return states.values.sorted { $0.group.utf8.lexicographicallyPrecedes($1.group.utf8) }
    }

    public func state(of group: Identifier, before number: Int) -> GroupState? {
        states(at: number - 1).first { $0.group == group }
    }

    public func wholeStates(at number: Int, of group: Identifier? = nil) throws(StoreError) -> [GroupState] {
        guard number >= 1, number <= revisions.count else {
            throw StoreError(.notFound, "there is no revision \(number)")
        }
        return states(at: number).filter { group == nil || $0.group == group }
    }

    public func revision(_ number: Int) -> Revision? {
        guard revisions.indices.contains(number - 1) else { return nil }
        return revisions[number - 1].with(confirmation: confirmations.first { $0.revision == number })
    }

    /// The newest revision that changed anything.
    public var current: Int? { revisions.last { $0.changes.contains { $0.status != .rejected } }?.number }

    public var standing: StoredStanding { StoredStanding(states: states(), revision: current ?? 0, lease: lease) }

    public var summary: HistorySummary {
        var newest: [Identifier: (revision: Int, change: Change)] = [:]
        for revision in revisions {
            for change in revision.changes { newest[change.group] = (revision.number, change) }
        }
        let standing = Dictionary(states().map { ($0.group, $0.change.action) }, uniquingKeysWith: { _, last in last })
        let open = newest.values.filter { revision, change in
            guard change.status == .rejected, !acknowledged.contains(revision) else { return false }
            let stands = standing[change.group]
            // What was asked for is so already.
            if case .free = change.action { return stands?.isSet == true }
            return stands != change.action
        }.map { OpenRejection(revision: $0.revision, group: $0.change.group) }
        return HistorySummary(
            oldest: revisions.isEmpty ? 0 : 1,
            whole: 1,
            newest: revisions.count,
            current: current,
            pending: revisions.filter { $0.changes.contains { $0.status == .pending } }.map(\.number),
            rejections: open.sorted { ($0.revision, $0.group) < ($1.revision, $1.group) },
            unconfirmed: waitingConfirmations
        )
    }
}

extension Revision {
    func with(changes: [Change]? = nil, confirmation: Confirmation? = nil) -> Revision {
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
            tags: tags,
            confirmation: confirmation ?? self.confirmation
        )
    }
}
