internal import GroupSPI
internal import Logging
public import Store

/// Leadership: the swarm's says who may, the epoch in the label who does.
extension SwarmStore {
    /// The swarm's own leadership has no such row.
    public nonisolated var hasLeaseTTL: Bool { false }

    /// Why the lease may be taken over by this node at once; nil when it may not.
    public nonisolated func vacancy(_ lease: Lease) -> String? {
        guard claims.claim.isLeader else { return nil }
        guard lease.isHeld else { return "released" }
        guard claims.rival != lease.instance else { return nil }
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
        instance = claimant.instance
        guard claims.claim.isLeader, let state = known, let node = claims.nodes?.own else { return nil }
        let (beginning, imported) = try beginning(state)
        guard claims.rival == nil || claims.rival != beginning.lease.instance else { return nil }
        let floor = floor
        let lease: Lease
        do throws(StoreError) {
            lease = try await edit(from: .beginning(beginning, over: state.text), within: timeout) {
                image throws(StoreError) in
                let time = self.clock.wall()
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
                image.keepSettled(until: self.steady.now + 2 * Self.grace)
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
        term = Fence(instance: lease.instance, epoch: lease.epoch, manager: lease.holder)
        if !imported.isEmpty {
            logger.notice("swarm label adopted", metadata: ["groups": "\(imported.count)"])
        }
        return lease
    }

    /// What a new term begins with: the newest state that is known, and the changes to it that somebody else has put into
    /// the label. Numbers and epochs go on, whatever has become of the label.
    private func beginning(_ state: SwarmState) throws(StoreError) -> (HistoryImage, [Change]) {
        switch state.finding {
        case .current(let image): return (image, [])
        case .strange(let image) where image.lease.epoch > memory?.lease.epoch ?? 0:
            guard var memory, image.isBehind(memory) else {
                var image = image
                if let memory { image.takeSettled(of: memory) }
                return (image, [])
            }
            memory.takeSettled(of: image)
            // The one who led meanwhile knew less. Its terms are part of what happened; what it did not know is, too.
            (memory.lease, memory.place, memory.terms) = (image.lease, image.place, image.terms)
            memory.sequence = max(memory.sequence, image.sequence)
            return (memory, [])
        case .unreadable(let error): throw StoreError(.corrupt, error.message)
        case .lost:
            guard let memory else { throw .notLookedYet }
            return (memory, [])
        case .fresh: return (try origin(), [])
        case .foreign(let groups):
            let beginning: HistoryImage = if let memory { memory } else { try origin() }
            return (beginning, LabelFinding.changes(to: groups, from: beginning.groups))
        case .strange(let image):
            var beginning: HistoryImage = if let memory { memory } else { try origin() }
            beginning.takeSettled(of: image)
            return (beginning, LabelFinding.changes(to: Array(image.groups.values), from: beginning.groups))
        }
    }

    /// The beginning of all history, where nobody knows of any.
    private func origin() throws(StoreError) -> HistoryImage {
        if let path = lostCopies {
            throw StoreError(
                .conflict,
                "what led to the swarm's label is not known: this node's copy of the history was damaged (\(path)). Start a "
                    + "manager on another node; or move that file away, and the history begins anew."
            )
        }
        return HistoryImage(lease: .nobody(since: floor))
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
        guard let state = known else { throw .notLookedYet }
        switch state.finding {
        case .current(let image):
            do throws(StoreError) {
                try image.require(fence)
            } catch {
                term = nil
                throw error
            }
        case .lost(let loss): throw StoreError(.busy, "\(loss.sentence), and it could not be written again yet")
        case .unreadable(let error): throw StoreError(.corrupt, error.message)
        case .strange(let image) where image.lease.epoch > fence.epoch:
            term = nil
            throw .fenced(image.lease)
        case .foreign, .strange, .fresh: throw .foreignLabel
        }
        // Whoever asks takes silence for the end of this manager. It has not answered in time, so it must not go on.
        guard state.mailbox?.questions.isEmpty ?? true else {
            throw StoreError(
                .busy,
                "another manager on this node asks whether this one lives; the answer was not written yet"
            )
        }
        return shownLease(state)
    }

    public func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        switch known?.finding {
        // The label is somebody else's by now: what is there stays, and the next term takes it over.
        case .foreign, .strange, .unreadable, .fresh: memory?.release(fence, reason: reason, time: clock.wall())
        case .current, .lost, nil:
            do throws(StoreError) {
                try await edit(within: timeout) { image throws(StoreError) in
                    image.release(fence, reason: reason, time: self.clock.wall())
                }
            } catch {
                term = nil
                throw error
            }
        }
        term = nil
    }
}
