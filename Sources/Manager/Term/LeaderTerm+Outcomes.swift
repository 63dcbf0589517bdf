internal import GroupSPI
internal import Logging
internal import Store

extension LeaderTerm {
    /// Stores an outcome now, after those that wait already: a change that another follows is settled before that one.
    ///
    /// - Returns: false when it is not known to be stored. When the store was too busy it is asked again at the next look.
    @discardableResult
    func record(_ outcome: Outcome) async -> Bool {
        guard recordSoon(outcome, lingering: .zero) else { return false }
        return await recording?.value ?? false
    }

    /// Stores an outcome together with others, and with the next write if there is one soon.
    func recordSoon(_ outcome: Outcome) {
        recordSoon(outcome, lingering: settings.outcomeLinger)
    }

    /// - Returns: false when it will not be stored: the term is over, and the plugin may have been asked again since.
    @discardableResult
    private func recordSoon(_ outcome: Outcome, lingering linger: Duration) -> Bool {
        guard !isOver else { return false }
        unrecorded.append(outcome)
        startRecording(lingering: linger)
        return true
    }

    /// Notes that the plugin has not answered and that the user knows: from then on the plugin's no may settle the change.
    func note(_ noted: WriteLifecycle.Noted, _ group: Identifier, _ revision: Int) {
        guard let state = groups.states[group], state.revision == revision, state.change.isUnanswered,
            groups.reconciler.task(for: group)?.isRefusable == true
        else { return }
        groups.states[group] = state.with(noted.status, error: noted.words)
        recordSoon(Outcome(revision: revision, group: group, status: noted.status, error: noted.words))
    }

    /// Stores again and again what the store was too busy for.
    func recordLeftovers() async {
        await every(settings.pollInterval) { startRecording() }
    }

    /// Stores what waits, if that is not under way already.
    func startRecording(lingering linger: Duration = .zero) {
        guard recording == nil, !unrecorded.isEmpty else { return }
        // After the caller's own step and where that runs: another thread would have to be woken for each write.
        recording = Task(executorPreference: Task.currentPreference) { await self.recordAll(lingering: linger) }
    }

    /// One batch after the other: stored out of their order, a later change would settle an earlier one as superseded.
    ///
    /// - Returns: whether all of it is stored.
    private func recordAll(lingering linger: Duration) async -> Bool {
        defer { recording = nil }
        while !unrecorded.isEmpty {
            let outcomes = unrecorded
            (unrecorded, beingRecorded) = ([], outcomes)
            defer { endBatch() }
            do {
                try await store(outcomes: outcomes, lingering: linger)
                for outcome in outcomes { noteStored(outcome) }
            } catch {
                // Asked again at the next look.
                if error.isPassing { unrecorded = outcomes + unrecorded }
                return false
            }
        }
        return true
    }

    private func endBatch() {
        beingRecorded = []
        for waiter in recordingWaiters { waiter.resume() }
        recordingWaiters = []
    }

    /// Has stored what users were told already, for somebody who is about to read the history.
    ///
    /// - Returns: whether the history has all of it. Not so when the lease is over, or the store does not take it.
    func storeOutcomes() async -> Bool {
        guard lease.isValid else { return false }
        let told = Set(unrecorded + beingRecorded)
        startRecording()
        // Not until nothing waits: new ones may come all the time.
        while recording != nil, (unrecorded + beingRecorded).contains(where: told.contains) {
            await withCheckedContinuation { recordingWaiters.append($0) }
        }
        return lease.isValid && !(unrecorded + beingRecorded).contains(where: told.contains)
    }

    /// Whether the plugin has agreed to a change, and only that has yet to be stored. Asked again, it could say something else.
    func hasAgreed(to task: Reconciler.Task) -> Bool {
        (unrecorded + beingRecorded).contains {
            $0.group == task.group && $0.revision == task.revision && $0.status == .applied
        }
    }

    /// Stores what waits.
    ///
    /// - Returns: whether nothing waits any more.
    func recordWaiting() async -> Bool {
        startRecording()
        return await recording?.value ?? unrecorded.isEmpty
    }

    /// What could not be stored when the plugin agreed is stored by now: nobody needs to ask the plugin again.
    private func noteStored(_ outcome: Outcome) {
        guard outcome.status == .applied, let state = groups.states[outcome.group],
            state.revision == outcome.revision, state.change.status == .pending
        else { return }
        groups.applied(outcome.group, revision: outcome.revision, now: clock.now())
    }

    private func store(
        outcomes: [Outcome],
        lingering linger: Duration
    ) async throws(StoreError) {
        do {
            try await store.recordOutcomes(
                outcomes,
                fence: fence,
                lingering: linger,
                within: settings.storeTimeout
            )
        } catch {
            let numbers = outcomes.map { "\($0.revision)" }.joined(separator: ",")
            logger.warning("outcome not stored", metadata: ["revision.number": "\(numbers)", "error": "\(error)"])
            if !error.isPassing { abandon(error) }
            throw error
        }
        for outcome in outcomes {
            logger.info(
                "outcome stored",
                metadata: [
                    "revision.number": "\(outcome.revision)", "group": "\(outcome.group)",
                    "status": "\(outcome.status.name)",
                ]
            )
        }
    }
}
