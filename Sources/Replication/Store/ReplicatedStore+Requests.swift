package import GroupSPI
internal import Logging
package import Store
internal import Synchronization

/// What is asked of the leader: on its own node through its replica, on another through the register.
extension ReplicatedStore {
    package func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        try await keeper.perform { replica throws(StoreError) in try await replica.submit(request, within: timeout) }
    }

    package func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request? {
        try await keeper.perform { replica throws(StoreError) in try await replica.request(id, within: timeout) }
    }

    package func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight {
        try await keeper.perform { replica throws(StoreError) in try await replica.sight(of: asked, within: timeout) }
    }

    /// Of one that was passed on, the next look tells the leader's node.
    package func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError) {
        try await keeper.perform { replica throws(StoreError) in try await replica.renewRequest(id, within: timeout) }
    }

    /// Only of this node's requests: another node's would take a write of the register.
    package func noteRequests(
        _ notes: [String: String?],
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        let own = notes.filter { !isAskedElsewhere($0.key) }
        guard !own.isEmpty else { return }
        try await keeper.perform { replica throws(StoreError) in
            try await replica.noteRequests(own, fence: fence, within: timeout)
        }
    }

    package func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try await keeper.perform { replica throws(StoreError) in try await replica.cancelRequest(id, within: timeout) }
    }

    /// Of this node and of the others.
    package func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        let own = try await keeper.perform { replica throws(StoreError) in
            try await replica.waitingRequests(within: timeout)
        }
        guard let state = history.state, let snapshot = state.snapshot ?? history.newest else { return own }
        let settled = Set(snapshot.settled.map(\.id))
        return own + (state.requests?.requests.filter { !settled.contains($0.id) } ?? [])
    }

    package func finishRequest(
        _ id: String,
        state: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        guard isAskedElsewhere(id) else {
            return try await keeper.perform { replica throws(StoreError) in
                try await replica.finishRequest(id, state: state, error: error, fence: fence, within: timeout)
            }
        }
        try await resolve(id, within: timeout) { snapshot, until throws(StoreError) in
            try snapshot.require(fence)
            try snapshot.settle(Snapshot.Settled(id: id, state: state, error: error, until: until))
        }
    }

    package func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        let isSettled = history.state?.snapshot?.settled.contains { $0.id == id } == true
        guard isSettled || isAskedElsewhere(id) else {
            return try await keeper.perform { replica throws(StoreError) in
                try await replica.answerRequest(id, answer, fence: fence, within: timeout)
            }
        }
        let until = steady.now + RequestSightings.grace
        try await edit(taking: isAskedElsewhere(id) ? [id] : [], within: timeout) { snapshot throws(StoreError) in
            try snapshot.require(fence)
            snapshot.answer(id, answer, until: until)
        }
    }

    package func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try await keeper.perform { replica throws(StoreError) in
            try await replica.removeRequests(endedBefore: sequence, fence: fence, within: timeout)
        }
    }

    // MARK: - Resolving

    private func isAskedElsewhere(_ id: String) -> Bool { history.state?.requests?.ids.contains(id) == true }

    /// Resolves a request in the same write as what it brings about. Who asked can take it back only before.
    ///
    /// - Throws: ``StoreError`` `conflict` when they have.
    func resolve<Value: Sendable>(
        _ id: String,
        within timeout: Duration,
        _ body: @escaping @Sendable (inout Snapshot, _ until: Int) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let isAskedElsewhere = isAskedElsewhere(id)
        let patience: Int?
        if isAskedElsewhere {
            patience = history.state?.requests?.requests.first { $0.id == id }?.patience
        } else {
            patience = try await request(id, within: timeout)?.patience
            guard try await move(id, from: .waiting, to: .forwarded, within: timeout) else {
                throw StoreError(
                    .conflict,
                    "the request \(id) is finished already or was cancelled; nothing was stored"
                )
            }
            let epoch = history.state?.snapshot?.lease.epoch ?? history.floor
            sightings.resolve(id, RequestSightings.Sight(at: clock.now(), epoch: epoch))
        }
        defer { sightings.endResolving(id) }
        let until = steady.now + (patience ?? 0) + RequestSightings.grace
        do throws(StoreError) {
            return try await edit(taking: isAskedElsewhere ? [id] : [], within: timeout) {
                snapshot throws(StoreError) in try body(&snapshot, until)
            }
        } catch {
            // When it is open what became of it, the next poll tells.
            if !isAskedElsewhere, error.code != .unknownOutcome {
                _ = try? await move(id, from: .forwarded, to: .waiting, within: timeout)
            }
            throw error
        }
    }

    // MARK: - Passing on

    /// After a poll: passes on what this node's commands ask of a leader elsewhere, takes back what they no longer want,
    /// and finds out what became of what is in neither place.
    ///
    /// - Parameter askedAt: before the poll.
    func exchangeRequests(askedAt: ContinuousClock.Instant) async {
        guard !isExchanging, let state = history.state else { return }
        isExchanging = true
        defer { isExchanging = false }
        guard let snapshot = state.snapshot else { return await askHolder(state) }
        guard let old = state.requests else { return await refuseRequests(snapshot, state.reading.requests) }
        do throws(StoreError) {
            var queue = old
            let sight = RequestSightings.Sight(at: askedAt, epoch: snapshot.lease.epoch)
            let cancelled = try await exchangePassedOn(in: &queue, state, snapshot, sight)
            queue.remove(cancelled)
            // Whoever holds the lease shows that it lives; whoever is kept out by it asks.
            if history.isInTerm { queue.remove(queue.questions) }
            if let question, question.isToBeAsked, elector.claim.isLeader { queue.add(question: question.id) }
            let added = try await passOn(to: &queue, snapshot, sight)
            guard queue != old else { return }
            // That what was withdrawn is gone does not tell who removed it: the next poll does.
            do throws(StoreError) {
                try await write(queue, over: state)
            } catch {
                if error.code != .unknownOutcome { sightings.notWritten(queue.ids.subtracting(old.ids)) }
                throw error
            }
            sightings.takenBack(cancelled, over: state.reading.version)
            if added > 0 { logger.info("requests passed on", metadata: ["requests": "\(added)"]) }
        } catch {
            // What was passed on or was to be taken back is found again by the next poll.
            logger.warning("requests not passed on", metadata: ["error": "\(error)"])
        }
    }

    /// What becomes of the requests that were passed on.
    ///
    /// - Returns: those that are to be taken back.
    private func exchangePassedOn(
        in queue: inout RequestQueue,
        _ state: KnownState,
        _ snapshot: Snapshot,
        _ sight: RequestSightings.Sight
    ) async throws(StoreError) -> Set<String> {
        let old = queue
        let settled = Set(snapshot.settled.map(\.id))
        var cancelled: Set<String> = []
        let limit = settings.limit
        let forwarded = try await keeper.perform { replica throws(StoreError) in
            try await replica.forwardedRequests(within: limit)
        }
        sightings.forgetAll(but: Set(forwarded.map(\.request.id)))
        for (request, isCancelled) in forwarded
        where !sightings.resolving.contains(request.id) && !settled.contains(request.id) {
            if isReplicaCurrent { sightings.see(request.id, sight) }
            if old.ids.contains(request.id) {
                sightings.see(request.id, sight)
                if isCancelled {
                    cancelled.insert(request.id)
                } else if old.epoch(of: request.id) != request.epoch {
                    // Whoever asked has told a new leader that they still wait.
                    queue.add(request)
                }
            } else if sightings.isGone(request.id, at: state.reading.version, rules) {
                let fate = sightings.fate(
                    of: request,
                    isCancelled: isCancelled,
                    settledFrom: snapshot.settledFrom,
                    at: clock.now()
                )
                _ = try await move(request.id, from: .forwarded, to: fate, within: limit)
            }
        }
        return cancelled
    }

    /// Where the content is not what it was, requests wait. Who held the lease on this node is asked all the same: whoever leads next
    /// puts the content right.
    private func askHolder(_ state: KnownState) async {
        guard let question, question.isToBeAsked, elector.claim.isLeader, var queue = state.requests else { return }
        queue.add(question: question.id)
        do throws(StoreError) {
            try await write(queue, over: state)
        } catch {
            // The next poll tells whether it lies there.
            logger.warning("requests not passed on", metadata: ["error": "\(error)"])
        }
    }

    /// Whether this node's requests are another manager's to carry out. A leader takes up its own, and so does one that will
    /// lead next.
    private func isPassingOn(_ snapshot: Snapshot) -> Bool {
        guard history.term == nil, snapshot.lease.isHeld else { return false }
        if rival.withLock(\.self) == snapshot.lease.instance { return true }
        return !elector.claim.isLeader && snapshot.place != elector.nodes?.own
    }

    private func passOn(
        to queue: inout RequestQueue,
        _ snapshot: Snapshot,
        _ sight: RequestSightings.Sight
    ) async throws(StoreError) -> Int {
        guard isPassingOn(snapshot) else { return 0 }
        var count = 0
        for request in try await ownWaitingRequests() {
            var next = queue
            next.add(request)
            do throws(RegisterError) {
                try register.validate(next)
            } catch {
                try await refuse(request, error.message)
                continue
            }
            guard try await move(request.id, from: .waiting, to: .forwarded, within: settings.limit) else {
                continue
            }
            sightings.see(request.id, sight)
            queue = next
            count += 1
        }
        return count
    }

    /// The requests in the register cannot be read, so nothing can be passed on: whoever asks is told that, and not that nobody
    /// leads.
    private func refuseRequests(_ snapshot: Snapshot, _ reading: RequestReading) async {
        guard isPassingOn(snapshot) else { return }
        let reason = reading.trouble ?? "\(terminology.requests) cannot be read"
        do throws(StoreError) {
            for request in try await ownWaitingRequests() { try await refuse(request, reason) }
        } catch {
            logger.warning("requests not passed on", metadata: ["error": "\(error)"])
        }
    }

    private func ownWaitingRequests() async throws(StoreError) -> [Request] {
        let limit = settings.limit
        return try await keeper.perform { replica throws(StoreError) in try await replica.waitingRequests(within: limit)
        }
    }

    private func refuse(_ request: Request, _ reason: String) async throws(StoreError) {
        _ = try await move(request.id, from: .waiting, to: .refused, error: reason, within: settings.limit)
    }

    private func move(
        _ id: String,
        from old: Request.State,
        to new: Request.State,
        error: String? = nil,
        within limit: Duration
    ) async throws(StoreError) -> Bool {
        try await keeper.perform { replica throws(StoreError) in
            try await replica.moveRequest(id, from: old, to: new, error: error, within: limit)
        }
    }

    private func write(_ queue: RequestQueue, over state: KnownState) async throws(StoreError) {
        do throws(RegisterError) {
            let written = try await register.swap(queue, over: state.reading, within: settings.limit)
            guard var next = history.state, next.version < written.version else { return }
            next.note(written, of: queue)
            history.state = next
        } catch {
            throw StoreError(error, isWrite: true)
        }
    }
}
