public import GroupSPI
public import Store

/// The history: written through the label, read from this node's copy.
extension SwarmStore {
    public func append(
        _ draft: RevisionDraft,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await edit(within: timeout) { image throws(StoreError) in
            try image.append(draft, fence: fence, time: self.clock.wall())
        }
    }

    public func append(
        _ draft: RevisionDraft,
        settling cause: RevisionCause,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        switch cause {
        case .expiry(let number):
            try await edit(within: timeout) { image throws(StoreError) in
                let revision = try image.append(draft, fence: fence, time: self.clock.wall())
                try image.endConfirmation(of: number, as: .reverted)
                return revision
            }
        case .request(let id):
            try await settle(id, within: timeout) { image, until throws(StoreError) in
                let revision = try image.append(draft, fence: fence, time: self.clock.wall())
                try image.settle(
                    HistoryImage.Settled(id: id, state: .done, revision: revision.number, until: until)
                )
                return revision
            }
        }
    }

    public func recordOutcomes(
        _ outcomes: [Outcome],
        fence: Fence,
        lingering linger: Duration = .zero,
        within timeout: Duration
    ) async throws(StoreError) {
        try await edit(within: timeout) { image throws(StoreError) in
            for outcome in outcomes { try image.record(outcome, fence: fence) }
        }
    }

    public func apply(
        _ mark: HistoryMark,
        author: Author,
        settling id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await settle(id, within: timeout) { image, until throws(StoreError) in
            try image.apply(mark, author: author, fence: fence, time: self.clock.wall())
            try image.settle(HistoryImage.Settled(id: id, state: .done, until: until))
        }
    }

    public func overtakeConfirmation(
        of revision: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await edit(within: timeout) { image throws(StoreError) in
            try image.require(fence)
            try image.endConfirmation(of: revision, as: .overtaken)
        }
    }

    /// Of this node's copy alone; every node keeps what it is told to keep.
    public func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try await inCopy { copy throws(StoreError) in
            try await copy.prune(policy, after: position, fence: fence, within: timeout)
        }
    }

    // MARK: - Reading

    public func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try await inCopy { copy throws(StoreError) in try await copy.states(at: number, within: timeout) }
    }

    public func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding {
        try await inCopy { copy throws(StoreError) in try await copy.standing(within: timeout) }
    }

    public func wholeStates(
        at number: Int,
        of group: Identifier?,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState] {
        try await inCopy { copy throws(StoreError) in try await copy.wholeStates(at: number, of: group, within: timeout)
        }
    }

    public func state(
        of group: Identifier,
        before number: Int,
        within timeout: Duration
    ) async throws(StoreError) -> GroupState? {
        try await inCopy { copy throws(StoreError) in try await copy.state(of: group, before: number, within: timeout) }
    }

    public func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        try await inCopy { copy throws(StoreError) in try await copy.revision(number, within: timeout) }
    }

    public func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary {
        try await inCopy { copy throws(StoreError) in try await copy.summary(within: timeout) }
    }

    /// This node has counted for itself since it was told of a revision.
    public func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try await inCopy { copy throws(StoreError) in try await copy.expiredConfirmations(within: timeout) }
    }
}
