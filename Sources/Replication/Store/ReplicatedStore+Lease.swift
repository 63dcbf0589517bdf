internal import GroupSPI
internal import Logging
package import Store
internal import Synchronization

/// Leadership: the elector says who may, the epoch in the register who does.
extension ReplicatedStore {
    package nonisolated var hasLeaseTTL: Bool { elector.hasLeaseTTL }

    /// Why the lease may be taken over by this node at once; nil when it may not.
    package nonisolated func takeoverReason(_ lease: Lease) -> String? {
        guard elector.claim.isLeader else { return nil }
        guard lease.isHeld else { return "released" }
        guard rival.withLock(\.self) != lease.instance else { return nil }
        return "\(elector.nodes?.leader?.hostName ?? "another node") leads the \(terminology.cluster)"
    }

    package func lease(within timeout: Duration) async throws(StoreError) -> Lease {
        try await poll()
        guard let state = history.state else { throw .notReadYet(terminology) }
        return shownLease(state)
    }

    /// - Returns: nil when this node may not lead, or the lease is another than the one that was watched.
    package func acquireLease(
        _ candidate: Candidate,
        watched: Lease,
        ttl: Int,
        reason: String,
        within timeout: Duration
    ) async throws(StoreError) -> Lease? {
        instance = candidate.instance
        guard elector.claim.isLeader, let state = history.state, let node = elector.nodes?.own else { return nil }
        let (beginning, imported) = try history.beginning(state, terminology, quarantined: keeper.quarantined)
        guard rival.withLock(\.self).map({ $0 != beginning.lease.instance }) ?? true else { return nil }
        let floor = history.floor
        let lease: Lease
        do throws(StoreError) {
            lease = try await edit(from: .beginning(beginning, over: state.tag), within: timeout) {
                snapshot throws(StoreError) in
                let time = self.clock.wall()
                guard
                    let lease = snapshot.acquire(
                        candidate,
                        watched: watched,
                        at: node,
                        floor: floor,
                        ttl: ttl,
                        reason: reason,
                        time: time
                    )
                else { throw .fenced(snapshot.lease) }
                snapshot.keepSettled(until: self.steady.now + 2 * RequestSightings.grace)
                guard !imported.isEmpty else { return lease }
                let draft = RevisionDraft(
                    author: Author(user: nil, uid: nil, host: candidate.process.host),
                    operation: .import,
                    message: "found in \(self.terminology.place)",
                    changes: imported
                )
                let fence = Fence(instance: lease.instance, epoch: lease.epoch, manager: lease.holder)
                _ = try snapshot.append(draft, fence: fence, time: time)
                return lease
            }
        } catch {
            guard error.code == .fenced else { throw error }
            return nil
        }
        history.floor = lease.epoch
        history.term = Fence(instance: lease.instance, epoch: lease.epoch, manager: lease.holder)
        if !imported.isEmpty { terminology.log(.adopted(groups: imported.count), logger) }
        return lease
    }

    /// Nothing is written: the elector's leadership is what is renewed, by another look at it.
    ///
    /// - Throws: ``StoreError``: `fenced` when this node may not lead, or the register names another; `busy` when a look
    ///   failed and the claim still stands.
    package func renewLease(_ fence: Fence, within timeout: Duration) async throws(StoreError) -> Lease {
        var failure: StoreError?
        do throws(StoreError) {
            try await poll()
        } catch {
            failure = error
        }
        switch elector.claim {
        case .leader: break
        case .follower: throw StoreError(.fenced, "another node leads the \(terminology.cluster)")
        case .unknown(let reason): throw StoreError(.fenced, reason)
        }
        if let failure { throw failure }
        guard let state = history.state else { throw .notReadYet(terminology) }
        switch state.finding {
        case .current(let snapshot):
            do throws(StoreError) {
                try snapshot.require(fence)
            } catch {
                history.term = nil
                throw error
            }
        case .lost(let loss):
            throw StoreError(.busy, "\(loss.sentence(terminology)), and it could not be written again yet")
        case .unreadable(let reason): throw StoreError(.corrupt, reason)
        case .strange(let snapshot) where snapshot.lease.epoch > fence.epoch:
            history.term = nil
            throw .fenced(snapshot.lease)
        case .foreign, .strange, .fresh: throw .foreignContent(terminology)
        }
        // Whoever asks takes silence for the end of this manager. It has not answered in time, so it must not go on.
        guard state.requests?.questions.isEmpty ?? true else {
            throw StoreError(
                .busy,
                "another manager on this node asks whether this one is alive; the answer was not written yet"
            )
        }
        return shownLease(state)
    }

    package func releaseLease(_ fence: Fence, reason: String, within timeout: Duration) async throws(StoreError) {
        switch history.state?.finding {
        // The content is somebody else's by now: what is there stays, and the next term takes it over.
        case .foreign, .strange, .unreadable, .fresh:
            history.newest?.release(fence, reason: reason, time: clock.wall())
        case .current, .lost, nil:
            do throws(StoreError) {
                try await edit(within: timeout) { snapshot throws(StoreError) in
                    snapshot.release(fence, reason: reason, time: self.clock.wall())
                }
            } catch {
                history.term = nil
                throw error
            }
        }
        history.term = nil
    }
}
