internal import GroupSPI
internal import Logging
internal import Store

extension LeaderTerm {
    /// Stores one revision that changes several groups, and brings all of them about.
    ///
    /// - Parameters:
    ///   - cause: settled in the same transaction.
    ///   - plan: from the groups as they stand to the revision; nil when nothing has to change. Asked again when writes
    ///     that were under way have changed what stands.
    ///   - check: asked when nothing of what will change can change any more.
    /// - Returns: the revision; nil when nothing had to change.
    /// - Throws: ``GroupError``: `rejected` by the check; `notLeader`, `storeUnavailable`: nothing was stored.
    func changeGroups(
        settling cause: RevisionCause,
        plan: ([GroupState]) throws(GroupError) -> RevisionDraft?,
        check: () async throws(GroupError) -> Void
    ) async throws(GroupError) -> Revision? {
        // Lanes are taken by name, so the groups must be known before; what a write has changed meanwhile is seen under
        // the lanes, and then the plan is made again.
        var held: Set<Identifier> = []
        for _ in 0..<8 {
            held.formUnion(try plan(try currentStates())?.changes.map(\.group) ?? [])
            let attempt = await lanes.hold(held, as: cause.requestID) { hold -> Result<Attempt, GroupError> in
                do throws(GroupError) {
                    if let id = cause.requestID { try refuseOverdue(id) }
                    try await check()
                    guard let draft = try plan(try currentStates()) else { return .success(.done(nil)) }
                    guard held.isSuperset(of: draft.changes.map(\.group)) else { return .success(.outrun) }
                    return .success(.done(try await storeAndApply(draft, settling: cause, hold)))
                } catch {
                    return .failure(error)
                }
            }
            if case .done(let revision) = try attempt.get() { return revision }
        }
        throw GroupError(.rejected, "the groups change too fast; try again")
    }

    private enum Attempt {
        case done(Revision?)
        /// Groups that are not held would change.
        case outrun
    }

    /// The groups as they stand. From those of a term that has ended nothing may be concluded.
    func currentStates() throws(GroupError) -> [GroupState] {
        guard lease.isValid else { throw GroupError(.notLeader, "leadership has ended") }
        return Array(groups.states.values)
    }

    /// Under the lanes of all groups that change. What a user is told of each is read from the history.
    private func storeAndApply(
        _ draft: RevisionDraft,
        settling cause: RevisionCause,
        _ hold: LaneHold
    ) async throws(GroupError) -> Revision {
        let before = groups.states
        let revision: Revision
        // Without words no later leader lets its plugin refuse it.
        switch await append(cause.isRefusable ? draft.awaitingOutcome : draft, settling: cause) {
        case .success(let stored): revision = stored
        case .failure(let trouble): throw trouble.error
        }
        hold.leave(allBut: revision.groups)
        await withDiscardingTaskGroup { tasks in
            for change in revision.changes {
                tasks.addTask {
                    let isRefusable = cause.isRefusable
                    await self.apply(change, revision.number, before[change.group], isRefusable: isRefusable)
                    // Others may want this group while the plugin takes long with another.
                    hold.leave(change.group)
                }
            }
        }
        return revision
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
