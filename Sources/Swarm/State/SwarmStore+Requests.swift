public import GroupSPI
internal import Logging
public import Store

/// What is asked of the leader: on its own node through its copy, on another through a label of the swarm.
extension SwarmStore {
    /// A moment at which a request was certainly not settled.
    struct Sight {
        let at: ContinuousClock.Instant
        /// Of the leader of then: none before has settled it.
        let epoch: Int
    }

    public func submit(_ request: Request, within timeout: Duration) async throws(StoreError) {
        try await inCopy { copy throws(StoreError) in try await copy.submit(request, within: timeout) }
    }

    public func request(_ id: String, within timeout: Duration) async throws(StoreError) -> Request? {
        try await inCopy { copy throws(StoreError) in try await copy.request(id, within: timeout) }
    }

    public func sight(of asked: Request, within timeout: Duration) async throws(StoreError) -> RequestSight {
        try await inCopy { copy throws(StoreError) in try await copy.sight(of: asked, within: timeout) }
    }

    /// Of one that was passed on, the next look tells the leader's node.
    public func renewRequest(_ id: String, within timeout: Duration) async throws(StoreError) {
        try await inCopy { copy throws(StoreError) in try await copy.renewRequest(id, within: timeout) }
    }

    /// Only of this node's requests: another node's would take a write of the label.
    public func noteRequests(
        _ notes: [String: String?],
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        let own = notes.filter { !isAskedElsewhere($0.key) }
        guard !own.isEmpty else { return }
        try await inCopy { copy throws(StoreError) in
            try await copy.noteRequests(own, fence: fence, within: timeout)
        }
    }

    public func cancelRequest(_ id: String, within timeout: Duration) async throws(StoreError) -> Bool {
        try await inCopy { copy throws(StoreError) in try await copy.cancelRequest(id, within: timeout) }
    }

    /// Of this node and of the others.
    public func waitingRequests(within timeout: Duration) async throws(StoreError) -> [Request] {
        let own = try await inCopy { copy throws(StoreError) in try await copy.waitingRequests(within: timeout) }
        guard let known, let image = known.image ?? memory else { return own }
        let settled = Set(image.settled.map(\.id))
        return own + (known.mailbox?.requests.filter { !settled.contains($0.id) } ?? [])
    }

    public func finishRequest(
        _ id: String,
        state: Request.State,
        error: String?,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        guard isAskedElsewhere(id) else {
            return try await inCopy { copy throws(StoreError) in
                try await copy.finishRequest(id, state: state, error: error, fence: fence, within: timeout)
            }
        }
        try await settle(id, within: timeout) { image, until throws(StoreError) in
            try image.require(fence)
            try image.settle(HistoryImage.Settled(id: id, state: state, error: error, until: until))
        }
    }

    public func answerRequest(
        _ id: String,
        _ answer: Result<GroupReply, GroupError>,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) {
        let isSettled = known?.image?.settled.contains { $0.id == id } == true
        guard isSettled || isAskedElsewhere(id) else {
            return try await inCopy { copy throws(StoreError) in
                try await copy.answerRequest(id, answer, fence: fence, within: timeout)
            }
        }
        let until = steady.now + Self.grace
        try await edit(taking: isAskedElsewhere(id) ? [id] : [], within: timeout) { image throws(StoreError) in
            try image.require(fence)
            image.answer(id, answer, until: until)
        }
    }

    public func removeRequests(
        endedBefore sequence: Int,
        fence: Fence,
        within timeout: Duration
    ) async throws(StoreError) -> RequestRemoval {
        try await inCopy { copy throws(StoreError) in
            try await copy.removeRequests(endedBefore: sequence, fence: fence, within: timeout)
        }
    }

    // MARK: - Settling

    private func isAskedElsewhere(_ id: String) -> Bool { known?.mailbox?.ids.contains(id) == true }

    /// How long after the patience of who asked the outcome is kept for them, in milliseconds.
    static let grace = 180_000

    /// Settles a request in the same write as what it brings about. Who asked can take it back only before.
    ///
    /// - Throws: ``StoreError`` `conflict` when they have.
    func settle<Value: Sendable>(
        _ id: String,
        within timeout: Duration,
        _ body: @escaping @Sendable (inout HistoryImage, _ until: Int) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let isAskedElsewhere = isAskedElsewhere(id)
        let patience: Int?
        if isAskedElsewhere {
            patience = known?.mailbox?.requests.first { $0.id == id }?.patience
        } else {
            patience = try await request(id, within: timeout)?.patience
            guard try await move(id, from: .waiting, to: .passedOn, within: timeout) else {
                throw StoreError(
                    .conflict,
                    "the request \(id) is settled already, or was taken back; nothing was stored"
                )
            }
            settling.insert(id)
            openSights[id] = Sight(at: clock.now(), epoch: known?.image?.lease.epoch ?? floor)
        }
        defer { settling.remove(id) }
        let until = steady.now + (patience ?? 0) + Self.grace
        do throws(StoreError) {
            return try await edit(taking: isAskedElsewhere ? [id] : [], within: timeout) { image throws(StoreError) in
                try body(&image, until)
            }
        } catch {
            // When it is open what became of it, the next look tells.
            if !isAskedElsewhere, error.code != .unknownOutcome {
                _ = try? await move(id, from: .passedOn, to: .waiting, within: timeout)
            }
            throw error
        }
    }

    // MARK: - Passing on

    /// After a look: passes on what this node's commands ask of a leader elsewhere, takes back what they no longer want,
    /// and finds out what became of what is in neither place.
    ///
    /// - Parameter askedAt: before the look.
    func exchangeRequests(askedAt: ContinuousClock.Instant) async {
        guard !isExchanging, let state = known else { return }
        isExchanging = true
        defer { isExchanging = false }
        guard let image = state.image else { return await askHolder(state) }
        guard let old = state.mailbox else { return await refuseRequests(image, state.mailboxText) }
        do throws(StoreError) {
            var mailbox = old
            let settled = Set(image.settled.map(\.id))
            let sight = Sight(at: askedAt, epoch: image.lease.epoch)
            var withdrawn: Set<String> = []
            let passedOn = try await inCopy { copy throws(StoreError) in
                try await copy.passedOnRequests(within: self.settings.swap.limit)
            }
            openSights = openSights.filter { id, _ in passedOn.contains { $0.request.id == id } }
            for (request, isWithdrawn) in passedOn
            where !settling.contains(request.id) && !settled.contains(request.id) {
                if isCopyCurrent { openSights[request.id] = sight }
                if old.ids.contains(request.id) {
                    openSights[request.id] = sight
                    if isWithdrawn {
                        withdrawn.insert(request.id)
                    } else if old.epoch(of: request.id) != request.epoch {
                        // Whoever asked has told a new leader that they still wait.
                        mailbox.add(request)
                    }
                } else if isGone(request.id, state) {
                    try await bringBack(request, isWithdrawn, image)
                }
            }
            mailbox.remove(withdrawn)
            // Whoever holds the lease shows that it lives; whoever is kept out by it asks.
            if isInTerm { mailbox.remove(mailbox.questions) }
            if let probe, probe.isToBeAsked, claims.claim.isLeader { mailbox.add(question: probe.id) }
            let added = try await passOn(to: &mailbox, image, sight)
            guard mailbox != old else { return }
            // That what was withdrawn is gone does not tell who removed it: the next look does.
            do throws(StoreError) {
                try await write(mailbox, over: state)
            } catch {
                // Nothing was written, and nothing hangs: what is missing at the next look can be passed on again.
                if error.code != .unknownOutcome {
                    for id in mailbox.ids.subtracting(old.ids) { missingSince[id] = 0 }
                }
                throw error
            }
            for id in withdrawn { missingSince[id] = state.version }
            if added > 0 { logger.info("requests passed on", metadata: ["requests": "\(added)"]) }
        } catch {
            // What was passed on or was to be taken back is found again by the next look.
            logger.warning("requests not passed on", metadata: ["error": "\(error)"])
        }
    }

    /// Where the label is not what it was, requests wait. Who held the lease on this node is asked all the same: whoever leads next
    /// puts the label right.
    private func askHolder(_ state: SwarmState) async {
        guard let probe, probe.isToBeAsked, claims.claim.isLeader, var mailbox = state.mailbox else { return }
        mailbox.add(question: probe.id)
        do throws(StoreError) {
            try await write(mailbox, over: state)
        } catch {
            // The next look tells whether it lies there.
            logger.warning("requests not passed on", metadata: ["error": "\(error)"])
        }
    }

    /// Whether a request that is neither on its way nor settled can no longer be either: a write that hung may still come
    /// through for as long as the swarm has the version that it names.
    private func isGone(_ id: String, _ state: SwarmState) -> Bool {
        let since = missingSince[id] ?? state.version
        missingSince[id] = since
        guard rules.isGone(since, state.version) else { return false }
        missingSince[id] = nil
        return true
    }

    /// A request that is neither on its way any more nor settled.
    ///
    /// A leader forgets in time what it has settled, and whoever writes the label again from a copy knows none of it. So it is
    /// asked again only where this process has itself seen it open, at a moment from which on all that was settled is still known.
    private func bringBack(_ request: Request, _ isWithdrawn: Bool, _ image: HistoryImage) async throws(StoreError) {
        let isRemembered = openSights[request.id].map { sight in
            let age = (clock.now() - sight.at).milliseconds
            return age <= request.patience + Self.grace / 3 && image.settledFrom <= sight.epoch
        }
        let state: Request.State =
            if isRemembered != true {
                // Nobody remembers any more how it came out.
                .lost
            } else {
                isWithdrawn ? .cancelled : .waiting
            }
        _ = try await move(
            request.id,
            from: .passedOn,
            to: state,
            within: settings.swap.limit
        )
    }

    /// Whether this node's requests are another manager's to carry out. A leader takes up its own, and so does one that will
    /// lead next.
    private func isPassingOn(_ image: HistoryImage) -> Bool {
        guard term == nil, image.lease.isHeld else { return false }
        if claims.rival == image.lease.instance { return true }
        return !claims.claim.isLeader && image.place != claims.nodes?.own
    }

    private func passOn(
        to mailbox: inout Mailbox,
        _ image: HistoryImage,
        _ sight: Sight
    ) async throws(StoreError) -> Int {
        guard isPassingOn(image) else { return 0 }
        var count = 0
        for request in try await ownWaitingRequests() {
            var next = mailbox
            next.add(request)
            do throws(AnnotationError) {
                _ = try next.encoded()
            } catch {
                try await refuse(request, error.message)
                continue
            }
            guard try await move(request.id, from: .waiting, to: .passedOn, within: settings.swap.limit) else {
                continue
            }
            openSights[request.id] = sight
            mailbox = next
            count += 1
        }
        return count
    }

    /// The label of requests cannot be read, so nothing can be passed on: whoever asks is told that, and not that nobody leads.
    private func refuseRequests(_ image: HistoryImage, _ text: String?) async {
        guard isPassingOn(image) else { return }
        do throws(StoreError) {
            var reason = "the swarm's label '\(Mailbox.label)' cannot be read"
            do throws(AnnotationError) {
                _ = try Mailbox(label: text)
            } catch {
                reason = error.message
            }
            for request in try await ownWaitingRequests() { try await refuse(request, reason) }
        } catch {
            logger.warning("requests not passed on", metadata: ["error": "\(error)"])
        }
    }

    private func ownWaitingRequests() async throws(StoreError) -> [Request] {
        try await inCopy { copy throws(StoreError) in try await copy.waitingRequests(within: self.settings.swap.limit) }
    }

    private func refuse(_ request: Request, _ reason: String) async throws(StoreError) {
        _ = try await move(request.id, from: .waiting, to: .refused, error: reason, within: settings.swap.limit)
    }

    private func move(
        _ id: String,
        from old: Request.State,
        to new: Request.State,
        error: String? = nil,
        within limit: Duration
    ) async throws(StoreError) -> Bool {
        try await inCopy { copy throws(StoreError) in
            try await copy.moveRequest(id, from: old, to: new, error: error, within: limit)
        }
    }

    private func write(_ mailbox: Mailbox, over state: SwarmState) async throws(StoreError) {
        do {
            let text = try mailbox.encoded()
            let position = try await annotations.compareAndSwap(
                label: Mailbox.label,
                from: state.mailboxText,
                to: text,
                within: settings.swap.limit
            )
            guard var next = known, next.position < position else { return }
            next.position = position
            next.mailbox = mailbox
            next.mailboxText = text
            known = next
        } catch let error as EngineError {
            throw StoreError(error, isWrite: true)
        } catch {
            throw StoreError(.tooLarge, "\(error)")
        }
    }
}
