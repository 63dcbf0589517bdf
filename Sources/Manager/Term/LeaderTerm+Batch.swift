internal import GroupSPI
internal import Logging
internal import Store

extension LeaderTerm {
    /// Stores one revision that changes several groups, and brings all of them about.
    ///
    /// - Parameters:
    ///   - trigger: settled in the same transaction.
    ///   - judged: the groups by which the plan is made; nil for all, also those that are not there yet.
    ///   - plan: from the groups as they stand to the revision; nil when nothing has to change. Asked again when writes
    ///     that were under way have changed what stands.
    ///   - check: asked when nothing of what will change can change any more.
    /// - Returns: the revision; nil when nothing had to change.
    /// - Throws: ``GroupError``: `rejected` by the check; `notLeader`, `storeUnavailable`: nothing was stored.
    func changeGroups(
        resolving trigger: RevisionTrigger,
        judgedBy judged: Set<Identifier>?,
        plan: ([GroupState]) throws(GroupError) -> RevisionDraft?,
        check: () async throws(GroupError) -> Void
    ) async throws(GroupError) -> Revision? {
        // Lanes are taken by name, so the groups must be known before; what a write has changed meanwhile is seen under
        // the lanes, and then the plan is made again.
        var held: Set<Identifier> = []
        for _ in 0..<8 {
            held.formUnion(try plan(try currentStates())?.changes.map(\.group) ?? [])
            let isAlone = judged.map { !held.isSuperset(of: $0) } ?? true
            let attempt = await lanes.hold(held, as: trigger.requestID) { hold -> Result<Attempt, GroupError> in
                var before: [Identifier: GroupState] = [:]
                let attempt = await storing.pass(alone: isAlone) { () -> Result<Attempt, GroupError> in
                    before = groups.states
                    do throws(GroupError) {
                        if let id = trigger.requestID { try refuseOverdue(id) }
                        try await check()
                        guard let draft = try plan(try currentStates()) else { return .success(.nothingToChange) }
                        guard held.isSuperset(of: draft.changes.map(\.group)) else { return .success(.outrun) }
                        return .success(.stored(try await storeRevision(draft, resolving: trigger)))
                    } catch {
                        return .failure(error)
                    }
                }
                if case .success(.stored(let revision)) = attempt { await apply(revision, trigger, before, hold) }
                return attempt
            }
            switch try attempt.get() {
            case .stored(let revision): return revision
            case .nothingToChange: return nil
            case .outrun: continue
            }
        }
        throw GroupError(.rejected, "the groups change too fast; try again")
    }

    private enum Attempt {
        case stored(Revision)
        case nothingToChange
        /// Groups that are not held would change.
        case outrun
    }

    /// The groups as they stand. From those of a term that has ended nothing may be concluded.
    func currentStates() throws(GroupError) -> [GroupState] {
        guard lease.isValid else { throw GroupError(.notLeader, "leadership has ended") }
        return Array(groups.states.values)
    }

    private func storeRevision(
        _ draft: RevisionDraft,
        resolving trigger: RevisionTrigger
    ) async throws(GroupError) -> Revision {
        // Without words no later leader lets its plugin refuse it.
        switch await append(trigger.isRefusable ? draft.awaitingOutcome : draft, resolving: trigger) {
        case .success(let stored): return stored
        case .failure(let trouble): throw trouble.error
        }
    }

    /// Under the lanes of all groups that change. What a user is told of each is read from the history.
    private func apply(
        _ revision: Revision,
        _ trigger: RevisionTrigger,
        _ before: [Identifier: GroupState],
        _ hold: LaneHold
    ) async {
        hold.leave(allBut: revision.groups)
        await withDiscardingTaskGroup { tasks in
            for change in revision.changes {
                tasks.addTask {
                    let isRefusable = trigger.isRefusable
                    await self.apply(change, revision.number, before[change.group], isRefusable: isRefusable)
                    // Others may want this group while the plugin takes long with another.
                    hold.leave(change.group)
                }
            }
        }
    }

    private func apply(_ change: Change, _ revision: Int, _ before: GroupState?, isRefusable: Bool) async {
        let request: GroupRequest =
            switch change.action {
            case .set(let properties, _): .commit(GroupSpec(id: change.group, properties: properties), pretend: false)
            case .free: .free(id: change.group)
            case .destroy: .destroy(id: change.group)
            }
        var lifecycle = WriteLifecycle(isOutcomeFirst: true, isRefusable: isRefusable)
        _ = await complete(&lifecycle, change, .known(before)) {
            .success(revision)
        } tell: {
            await self.forward(request, before: before)
        }
    }
}
