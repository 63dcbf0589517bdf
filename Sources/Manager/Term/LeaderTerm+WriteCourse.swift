internal import GroupSPI
internal import Logging
internal import Store

/// The course of one write, as `WriteLifecycle` directs it.
extension LeaderTerm {
    /// What stood before a change.
    enum Before {
        case known(GroupState?)
        /// It has to be read.
        case stored(revision: Int)
    }

    /// Does what a change needs until there is an answer. Under the group's lane.
    ///
    /// - Parameters:
    ///   - store: has it stored; gives the revision's number.
    ///   - tell: tells the plugin.
    func complete(
        _ lifecycle: inout WriteLifecycle,
        _ change: Change,
        _ before: Before,
        store: () async -> Result<Int, StoringTrouble> = { .success(0) },
        tell: () async -> Result<GroupReply, GroupError>
    ) async -> WriteLifecycle.Answer {
        var (before, revision, isBeforeHeld) = (before, 0, true)
        if case .stored(let number) = before { (revision, isBeforeHeld) = (number, false) }
        var next: WriteLifecycle.Directive? = lifecycle.begin()
        // What is stored already is waited for, when the term ends.
        var isUnderWay = false
        defer { if isUnderWay { writes.done() } }
        while let directive = next {
            if directive != .store, !isUnderWay {
                isUnderWay = true
                writes.add()
            }
            switch directive {
            case .store:
                switch await store() {
                case .success(let number):
                    revision = number
                    next = lifecycle.handle(.stored(revision: number))
                    // Whoever leads next brings it about.
                    if !lease.isValid { next = lifecycle.handle(.termEnded) }
                case .failure(.nothing(let error)): next = lifecycle.handle(.notStored(error))
                case .failure(.uncertain(let error)): next = lifecycle.handle(.storingUncertain(error))
                }
            case .tellPlugin:
                await settleOvertaken(change.group, &before)
                switch await tell() {
                case .success(let reply): next = lifecycle.handle(.agreed(reply))
                case .failure(let error) where error.isRefusal: next = lifecycle.handle(.refused(error))
                case .failure(let error): next = lifecycle.handle(.noAnswer(error))
                }
            case .inspectPlugin:
                let holding = await holding(change, &before)
                isBeforeHeld = holding == .before
                next = lifecycle.handle(.holds(holding))
            case .record(let status, let words):
                // Read first: were it stored and then not read, nobody would know what stands.
                var isRecorded = status == .rejected ? await read(&before, of: change.group) : true
                if isRecorded {
                    let outcome = Outcome(revision: revision, group: change.group, status: status, error: words)
                    isRecorded = await record(outcome)
                }
                next = lifecycle.handle(isRecorded ? .recorded : .recordingFailed)
            case .answer(let answer, let noted):
                conclude(answer, noted, change, revision, before, isBeforeHeld: isBeforeHeld)
                return answer
            }
        }
        // No directive is followed by an event that it does not expect.
        return .maybeStored(GroupError(.unknownOutcome, "the outcome of the change is not known"))
    }

    /// An earlier change of the group, of which the plugin has not said how it came out, may be in effect: that is asked before
    /// the plugin is told the next one. Afterwards nobody could tell, and it would count as superseded.
    private func settleOvertaken(_ group: Identifier, _ before: inout Before) async {
        guard let earlier = groups.overtakenOpen[group],
            case .success(.groups(let reported)) = await callPlugin(.inspect, within: Self.overtakenPatience)
        else { return }
        let held = reported.last { $0.id == group }?.properties
        guard PluginHolding(held, after: earlier.change.action, before: earlier.previous) == .new else { return }
        // Now, and before the next one is told: should that be refused, this one stands, and what stands is read again.
        guard await record(Outcome(revision: earlier.revision, group: group, status: .applied)) else { return }
        groups.overtakenOpen[group] = nil
        if case .known(let state?) = before, state.revision == earlier.revision {
            before = .known(state.with(.applied))
        }
    }

    /// The later change waits for it.
    private static let overtakenPatience = Duration.seconds(2)

    /// What the plugin holds of a group after it has said no.
    private func holding(_ change: Change, _ before: inout Before) async -> PluginHolding {
        guard case .success(.groups(let reported)) = await callPlugin(.inspect),
            await read(&before, of: change.group), case .known(let state) = before
        else { return .unknown }
        let held = reported.last { $0.id == change.group }?.properties
        return PluginHolding(held, after: change.action, before: state?.change.action)
    }

    /// - Returns: false when it cannot be read.
    private func read(_ before: inout Before, of group: Identifier) async -> Bool {
        guard case .stored(let revision) = before else { return true }
        do throws(StoreError) {
            before = .known(
                try await store.state(of: group, before: revision, within: settings.storeTimeout)
            )
            return true
        } catch {
            logger.warning(
                "outcome not stored",
                metadata: ["revision.number": "\(revision)", "error": "\(error)"]
            )
            return false
        }
    }

    /// Notes in the term what has come of a change.
    private func conclude(
        _ answer: WriteLifecycle.Answer,
        _ noted: WriteLifecycle.Noted?,
        _ change: Change,
        _ revision: Int,
        _ before: Before,
        isBeforeHeld: Bool
    ) {
        let group = change.group
        let now = clock.now()
        switch answer {
        case .nothingChanged, .maybeStored: return
        case .applied, .kept:
            if case .kept(_, let error) = answer {
                logger.warning(
                    "change kept",
                    metadata: ["revision.number": "\(revision)", "group": "\(group)", "error": "\(error)"]
                )
            }
            if let noted {
                recordSoon(Outcome(revision: revision, group: group, status: noted.status, error: noted.words))
            }
            groups.applied(group, revision: revision, now: now)
        case .refused, .pending(_, .refusalNotRecorded):
            groups.refused.insert(group)
            guard case .known(let state) = before else {
                // What stood before is not known, which is not the same as nothing. The plugin is asked again later.
                groups.reconciler.finished(group, revision: revision, .refused, now: now)
                return wakeIfDue()
            }
            groups.restore(state, of: group, isHeld: isBeforeHeld, now: now)
        case .pending(_, let reason):
            logger.warning(
                "change not confirmed",
                metadata: ["revision.number": "\(revision)", "group": "\(group)", "error": "\(reason.words)"]
            )
            if let noted { note(noted, group, revision) }
            groups.reconciler.finished(group, revision: revision, .noAnswer, now: now)
        }
        wakeIfDue()
    }
}
