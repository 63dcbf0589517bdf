package import GroupSPI
package import Store

/// The history: written through the register, read from this node's replica.
extension ReplicatedStore {
    package func append(
        _ draft: RevisionDraft,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        try await edit(within: timeout) { snapshot throws(StoreError) in
            try snapshot.append(draft, fence: fence, time: self.clock.wall())
        }
    }

    package func append(
        _ draft: RevisionDraft,
        resolving trigger: RevisionTrigger,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> Revision {
        switch trigger {
        case .expiry(let number):
            try await edit(within: timeout) { snapshot throws(StoreError) in
                let revision = try snapshot.append(draft, fence: fence, time: self.clock.wall())
                try snapshot.endConfirmation(of: number, as: .reverted)
                return revision
            }
        case .request(let id):
            try await resolve(id, within: timeout) { snapshot, until throws(StoreError) in
                let revision = try snapshot.append(draft, fence: fence, time: self.clock.wall())
                try snapshot.settle(
                    Snapshot.Settled(id: id, state: .done, revision: revision.number, until: until)
                )
                return revision
            }
        }
    }

    package func recordOutcomes(
        _ outcomes: [Outcome],
        fence: Fence,
        lingering linger: Duration = .zero,
        within timeout: Duration
    ) async throws(StoreError) {
        try await edit(within: timeout) { snapshot throws(StoreError) in
            for outcome in outcomes { try snapshot.record(outcome, fence: fence) }
        }
    }

    package func apply(
        _ mark: MetadataChange,
        author: Author,
        resolving id: String,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await resolve(id, within: timeout) { snapshot, until throws(StoreError) in
            try snapshot.apply(mark, author: author, fence: fence, time: self.clock.wall())
            try snapshot.settle(Snapshot.Settled(id: id, state: .done, until: until))
        }
    }

    package func overtakeConfirmation(
        of revision: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        try await edit(within: timeout) { snapshot throws(StoreError) in
            try snapshot.require(fence)
            try snapshot.endConfirmation(of: revision, as: .overtaken)
        }
    }

    /// Of this node's replica alone; every node keeps what it is told to keep.
    package func prune(
        _ policy: RetentionPolicy,
        after position: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> PruneStep {
        try await keeper.perform { replica throws(StoreError) in
            try await replica.prune(policy, after: position, fence: fence, within: timeout)
        }
    }

    // MARK: - Reading

    package func states(at number: Int?, within timeout: Duration) async throws(StoreError) -> [GroupState] {
        try await keeper.perform { replica throws(StoreError) in try await replica.states(at: number, within: timeout) }
    }

    package func standing(within timeout: Duration) async throws(StoreError) -> StoredStanding {
        try await keeper.perform { replica throws(StoreError) in try await replica.standing(within: timeout) }
    }

    package func wholeStates(
        at number: Int,
        of group: Identifier?,
        within timeout: Duration
    ) async throws(StoreError) -> [GroupState] {
        try await keeper.perform { replica throws(StoreError) in
            try await replica.wholeStates(at: number, of: group, within: timeout)
        }
    }

    package func state(
        of group: Identifier,
        before number: Int,
        within timeout: Duration
    ) async throws(StoreError) -> GroupState? {
        try await keeper.perform { replica throws(StoreError) in
            try await replica.state(of: group, before: number, within: timeout)
        }
    }

    package func revision(_ number: Int, within timeout: Duration) async throws(StoreError) -> Revision? {
        try await keeper.perform { replica throws(StoreError) in try await replica.revision(number, within: timeout) }
    }

    package func summary(within timeout: Duration) async throws(StoreError) -> HistorySummary {
        try await keeper.perform { replica throws(StoreError) in try await replica.summary(within: timeout) }
    }

    /// This node has counted for itself since it was told of a revision.
    package func expiredConfirmations(within timeout: Duration) async throws(StoreError) -> [Confirmation] {
        try await keeper.perform { replica throws(StoreError) in try await replica.expiredConfirmations(within: timeout)
        }
    }
}
