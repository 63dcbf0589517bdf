internal import GroupSPI
internal import Logging
internal import Store

extension GroupKeeper {
    /// Takes up what commands have left in the store for the leader.
    func takeUpRequests(_ token: TermToken) async {
        guard let waiting = try? await store.waitingRequests(within: settings.storeTimeout) else { return }
        for request in waiting where !requestsUnderWay.contains(request.id) {
            guard self.token === token else { return }
            requestsUnderWay.insert(request.id)
            switch request.kind {
            case .rollback(let target, let group, let expected):
                await rollBack(request, to: target, group: group, expectedCurrent: expected, token)
            case .stepDown:
                // A request that could not be closed would make the next leader step down too.
                guard await finish(request, .done, nil, nil, token) else { break }
                logger.notice("step-down requested", metadata: ["author": "\(request.author.user ?? "unknown")"])
                report(
                    .stepDown(
                        epoch: token.epoch,
                        "asked to step down by \(request.author.user ?? "unknown")@\(request.author.host)"
                    )
                )
            }
            requestsUnderWay.remove(request.id)
        }
    }

    private func rollBack(
        _ request: Request,
        to target: Int,
        group: String?,
        expectedCurrent: Int?,
        _ token: TermToken
    ) async {
        do throws(GroupError) {
            let wanted = try await targetStates(target, group: group)
            // Lanes are taken by name, so the groups must be known before; what a write has changed meanwhile is seen
            // under the lanes, and then the plan is made again.
            var held: Set<String> = []
            for _ in 0..<8 {
                let groups = RollbackPlan.changes(from: Array(states.values), to: wanted, group: group).map(\.group)
                held.formUnion(groups)
                let isDone = await lanes.hold(held) { () async -> Result<Bool, GroupError> in
                    do throws(GroupError) {
                        // Now that nothing of what will change can change any more.
                        try await check(expectedCurrent)
                        // A leader whose term has ended knows no states: nothing may be concluded from them.
                        guard self.token === token else { return .success(true) }
                        let changes = RollbackPlan.changes(from: Array(states.values), to: wanted, group: group)
                        guard held.isSuperset(of: changes.map(\.group)) else { return .success(false) }
                        await carryOut(changes, of: request, target, token)
                        return .success(true)
                    } catch {
                        return .failure(error)
                    }
                }
                if try isDone.get() { return }
            }
            throw GroupError(.rejected, "the groups change too fast; try again")
        } catch  where error.code == .rejected && self.token === token {
            await finish(request, .refused, nil, error.message, token)
        } catch {
            // Not leading any more, or no store: the request waits.
            logger.warning("rollback not carried out", metadata: ["request": "\(request.id)", "error": "\(error)"])
        }
    }

    private func check(_ expectedCurrent: Int?) async throws(GroupError) {
        guard let expectedCurrent else { return }
        let current: Int?
        do {
            current = try await store.summary(within: settings.storeTimeout).current
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
        guard expectedCurrent == current ?? 0 else {
            throw GroupError(
                .rejected,
                "the current revision is \(current ?? 0), not \(expectedCurrent): somebody else has changed something. "
                    + "Look at the history and ask again."
            )
        }
    }

    private func targetStates(_ target: Int, group: String?) async throws(GroupError) -> [GroupState] {
        do {
            let summary = try await store.summary(within: settings.storeTimeout)
            guard target >= max(summary.oldest, 1), target <= summary.newest else {
                throw GroupError(
                    .rejected,
                    summary.newest == 0
                        ? "there is no revision \(target): the history is empty"
                        : "there is no revision \(target): the history has \(summary.oldest) to \(summary.newest)"
                )
            }
            let wanted = try await store.states(at: target, within: settings.storeTimeout)
            if let group, !wanted.contains(where: { $0.group == group }), states[group] == nil {
                throw GroupError(
                    .rejected,
                    "there is no group '\(group)'; there are: \(states.keys.sorted().joined(separator: ", "))"
                )
            }
            return wanted
        } catch let error as GroupError {
            throw error
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }

    /// Under the lanes of all groups that change.
    private func carryOut(_ changes: [Change], of request: Request, _ target: Int, _ token: TermToken) async {
        guard !changes.isEmpty else {
            await finish(request, .done, nil, nil, token)
            return
        }
        let draft = RevisionDraft(
            author: request.author,
            operation: .rollback,
            target: target,
            message: request.message,
            changes: changes
        )
        do throws(GroupError) {
            guard self.token === token, gate.isOpen(epoch: token.epoch) else {
                throw GroupError(.notLeader, board.refusal)
            }
            let before = states
            let revision = try await persist(token) { fence throws(StoreError) in
                try await self.store.append(draft, for: request, fence: fence, within: self.settings.storeTimeout)
            }
            guard noteWritten(revision, token) else { return }
            await withDiscardingTaskGroup { tasks in
                for change in changes {
                    tasks.addTask { await self.apply(change, revision.number, before[change.group], token) }
                }
            }
            await finish(request, .done, revision.number, nil, token)
        } catch {
            // Not leading any more, or no store: the request waits for the next leader.
            logger.warning("rollback not carried out", metadata: ["request": "\(request.id)", "error": "\(error)"])
        }
    }

    private func apply(_ change: Change, _ revision: Int, _ before: GroupState?, _ token: TermToken) async {
        let request: GroupRequest =
            switch change.action {
            case .set(let properties, _): .commit(GroupSpec(id: change.group, properties: properties), pretend: false)
            case .free: .free(id: change.group)
            case .destroy: .destroy(id: change.group)
            }
        let answer = await forward(request, before: before, token)
        await settle(change.group, revision, answer, before: before, token)
    }

    /// - Returns: false when it is not known to be stored.
    @discardableResult
    private func finish(
        _ request: Request,
        _ state: Request.State,
        _ revision: Int?,
        _ error: String?,
        _ token: TermToken
    ) async -> Bool {
        do {
            try await store.finishRequest(
                request.id,
                state: state,
                revision: revision,
                error: error,
                fence: fence(token.epoch),
                within: settings.storeTimeout
            )
            return true
        } catch {
            logger.warning("request not closed", metadata: ["request": "\(request.id)", "error": "\(error)"])
            // A request that was taken back meanwhile says nothing against the lease.
            let isHarmless = error.code == .busy || error.code == .conflict
            if !isHarmless { report(.storeUncertain(epoch: token.epoch, error.message)) }
            return false
        }
    }
}
