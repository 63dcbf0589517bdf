internal import GroupSPI
internal import Logging
public import Store

/// Leadership: the swarm's says who may, the epoch in the label who does.
extension SwarmStore {
    /// Why the lease may be taken over by this node at once; nil when it may not.
    public nonisolated func vacancy(_ lease: Lease) -> String? {
        guard claims.claim.isLeader else { return nil }
        guard lease.isHeld else { return "released" }
        return "\(claims.nodes?.leader?.hostName ?? "another node") leads the swarm"
    }

    public func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        try await look()
        guard let known else { throw .notLookedYet }
        return shownLease(known)
    }

    /// - Returns: nil when this node does not lead the swarm, or the label is another than the one that was watched.
    public func acquireLease(
        _ claimant: Claimant,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease? {
        guard claims.claim.isLeader, let state = known, let node = claims.nodes?.own else { return nil }
        let beginning = state.image == nil ? try await beginning(within: timeout) : nil
        // What is taken over is what was looked at.
        guard known?.text == state.text else { return nil }
        let imported = state.foreign.map { Self.changes(to: $0, from: beginning?.groups ?? [:]) } ?? []
        let floor = floor
        let lease: Lease
        do throws(StoreError) {
            lease = try await edit(within: timeout) { image throws(StoreError) in
                if let beginning {
                    guard image == HistoryImage() else { throw .fenced(image.lease) }
                    image = beginning
                }
                let time = Store.wallClock()
                guard
                    let lease = image.acquire(
                        claimant,
                        watched: watched,
                        at: node,
                        floor: floor,
                        ttl: ttl,
                        reason: reason,
                        time: time
                    )
                else { throw .fenced(image.lease) }
                image.keepSettled(until: SteadyTime.now + 2 * Self.grace)
                guard !imported.isEmpty else { return lease }
                let draft = RevisionDraft(
                    author: Author(user: nil, uid: nil, host: claimant.process.host),
                    operation: .import,
                    message: "found in the swarm's label",
                    changes: imported
                )
                let fence = Fence(instance: lease.instance, epoch: lease.epoch, manager: lease.holder)
                _ = try image.append(draft, fence: fence, time: time)
                return lease
            }
        } catch {
            guard error.code == .fenced else { throw error }
            return nil
        }
        self.floor = lease.epoch
        if !imported.isEmpty {
            logger.notice("swarm label adopted", metadata: ["groups": "\(imported.count)"])
        }
        return lease
    }

    /// Of a label without a past, or none: what this node's copy knows goes on.
    private func beginning(within timeout: Duration) async throws(StoreError) -> HistoryImage {
        HistoryImage(
            base: try await copy.imageBase(within: timeout),
            lease: .nobody(since: floor),
            terms: try await copy.terms(within: timeout),
            tags: try await copy.tags(within: timeout)
        )
    }

    /// From what the history knows to what another manager has put into the label.
    private static func changes(
        to groups: [GlobalConfig.Entry],
        from known: [String: GlobalConfig.Entry]
    ) -> [Change] {
        let names = Set(groups.map(\.spec.id))
        let ended = known.keys.filter { !names.contains($0) }.map { Change(group: $0, action: .free) }
        return ended
            + groups.filter { known[$0.spec.id] != $0 }.map { entry in
                Change(group: entry.spec.id, action: .set(entry.spec.properties, plugin: entry.plugin))
            }
    }

    /// Nothing is written: the swarm's own leadership is what is renewed, by another look at it.
    ///
    /// - Throws: ``StoreError``: `fenced` when this node may not lead, or the label names another; `busy` when a look
    ///   failed and the claim still stands.
    public func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        var failure: StoreError?
        do throws(StoreError) {
            try await look()
        } catch {
            failure = error
        }
        switch claims.claim {
        case .leader: break
        case .follower: throw StoreError(.fenced, "another node leads the swarm")
        case .unknown(let reason): throw StoreError(.fenced, reason)
        }
        if let failure { throw failure }
        guard let state = known, let image = state.image else {
            guard known == nil else {
                throw StoreError(.fenced, "another manager has written the swarm's label '\(Annotation.label)'")
            }
            throw .notLookedYet
        }
        try image.require(fence)
        return shownLease(state)
    }

    public func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        try await edit(within: timeout) { image throws(StoreError) in
            image.release(fence, reason: reason, time: Store.wallClock())
        }
    }
}
