internal import GroupSPI
internal import Logging
internal import Store

extension GroupKeeper {
    /// What a write is to bring about.
    struct Intent {
        /// What becomes of the group.
        let action: Change.Action
        /// The call for the plugin.
        let request: GroupRequest
    }

    /// Carries a user's write out: stores it, tells the plugin, has the outcome stored.
    ///
    /// The answer to a new spec does not wait until it is stored that the plugin has agreed: that would be a second sync of
    /// the disk. Meanwhile the revision is pending without words, which no later leader lets the plugin refuse. What ends a
    /// group waits, so that no later leader ends it again; and so does what settles something, whose users read the history.
    ///
    /// - Parameters:
    ///   - operation: what the user asked for, as the history names it.
    ///   - cause: settled together with the revision.
    ///   - intent: made from the group's state at the moment of the write, when all writes before it are done.
    /// - Throws: ``GroupError``: what ``WriteLifecycle/Answer`` says.
    func write(
        _ operation: Operation,
        _ group: Identifier,
        from caller: Caller,
        message: String = "",
        settling cause: RevisionCause? = nil,
        _ intent: (GroupState?) throws(GroupError) -> Intent
    ) async throws(GroupError) -> GroupReply {
        let answer = await lanes.hold([group], as: cause?.requestID) { () async -> WriteLifecycle.Answer in
            let token: TermToken
            let before: GroupState?
            let intended: Intent
            do throws(GroupError) {
                if let id = cause?.requestID { try refuseOverdue(id) }
                token = try await currentTerm()
                before = term?.states[group]
                intended = try intent(before)
            } catch {
                return .nothingChanged(error)
            }
            let change = Change(group: group, action: intended.action)
            var draft = RevisionDraft(author: caller, operation: operation, message: message, changes: [change])
            var lifecycle = WriteLifecycle(isOutcomeFirst: cause != nil || !change.action.isSet)
            if lifecycle.isOutcomeFirst { draft = draft.awaitingOutcome }
            return await complete(&lifecycle, change, .known(before), token) { [draft] () async in
                await self.append(draft, settling: cause, token).map(\.number)
            } tell: {
                await self.forward(intended.request, before: before, token)
            }
        }
        return try answer.result(plugin: settings.pluginName).get()
    }

    /// Stores a revision and takes it into the states.
    func append(
        _ draft: RevisionDraft,
        settling cause: RevisionCause?,
        _ token: TermToken
    ) async -> Result<Revision, StoringTrouble> {
        do throws(GroupError) {
            try room.take(draft.changes)
        } catch {
            return .failure(.nothing(error))
        }
        let stored = await persist(token) { fence throws(StoreError) in
            guard let cause else {
                return try await self.store.append(draft, fence: fence, within: self.settings.storeTimeout)
            }
            return try await self.store.append(
                draft,
                settling: cause,
                fence: fence,
                within: self.settings.storeTimeout
            )
        }
        if case .success(let revision) = stored {
            noteWritten(revision, isRefusable: cause?.isRefusable ?? true, token)
        } else if isCurrent(token) {
            for change in draft.changes { room.note(change.group, term?.states[change.group]) }
        }
        return stored
    }

    // MARK: - Steps

    /// Why the store has not said that it has something.
    enum StoringTrouble: Error {
        /// It is certain that it has not.
        case nothing(GroupError)
        /// It may have it. The term is over.
        case uncertain(GroupError)

        var error: GroupError {
            switch self {
            case .nothing(let error), .uncertain(let error): error
            }
        }
    }

    /// Runs a write of the store under a term, and turns trouble into what the user and the election have to know.
    func persist<Value: Sendable>(
        _ token: TermToken,
        _ body: (Fence) async throws(StoreError) -> Value
    ) async -> Result<Value, StoringTrouble> {
        do {
            return .success(try await body(fence(token.epoch)))
        } catch {
            switch error.code {
            case .fenced:
                abandon(token, StoreError(error.code, "another replica may have taken the lease over"))
                return .failure(.nothing(GroupError(.notLeader, "\(error.message); nothing was changed")))
            case _ where error.isPassing || error.code == .conflict:
                return .failure(
                    .nothing(
                        GroupError(.storeUnavailable, "store unreachable, nothing was changed: \(error.message)")
                    )
                )
            case .tooLarge: return .failure(.nothing(GroupError(.rejected, error.message)))
            case .stale:
                abandon(token, error)
                return .failure(.nothing(GroupError(.storeUnavailable, "nothing was changed: \(error.message)")))
            default:
                abandon(token, error)
                return .failure(
                    .uncertain(
                        GroupError(
                            .storeUnavailable,
                            "store unreachable, the change may have been stored: \(error.message)"
                        )
                    )
                )
            }
        }
    }

    /// Takes a stored revision into the states: from here on it is what has to be brought about; by whoever leads next,
    /// when the term has ended meanwhile.
    private func noteWritten(_ revision: Revision, isRefusable: Bool, _ token: TermToken) {
        guard isCurrent(token) else { return }
        if revision.confirmation != nil { term?.unconfirmed.insert(revision.number) }
        for change in revision.changes {
            let state = GroupState(
                group: change.group,
                change: change,
                revision: revision.number,
                previous: term?.states[change.group]?.change.action
            )
            if let before = term?.states[change.group], before.change.status == .pending {
                term?.overtakenOpen[change.group] = before
            }
            term?.states[change.group] = state
            term?.stopped.remove(change.group)
            term?.refused.remove(change.group)
            term?.reconciler.wrote(state, isRefusable: isRefusable)
        }
        logger.info(
            "revision stored",
            metadata: [
                "revision.number": "\(revision.number)",
                "operation": "\(revision.operation.name)",
                "groups": "\(revision.groups.joined(separator: ","))",
                "author": "\(revision.author.account ?? "unknown")",
            ]
        )
    }

    /// Tells the plugin, if this replica still leads.
    func forward(
        _ request: GroupRequest,
        before: GroupState?,
        _ token: TermToken
    ) async -> Result<GroupReply, GroupError> {
        let answer = await callPlugin(request, token)
        guard case .failure(let error) = answer else { return answer }
        switch (request, before?.change.action) {
        case (.update(let spec), .set) where error.saysNotWatched:
            // It restarted and has not been told yet. Telling it the new spec is all that is needed.
            return await callPlugin(.commit(spec, pretend: false), token).map { _ in .ok }
        case (.watch(let spec), nil), (.watch(let spec), .free), (.watch(let spec), .destroy):
            // Nobody declared this group, yet the plugin has it: a leftover, which the user now declares.
            guard error.saysAlreadyWatched else { return answer }
            return await callPlugin(.commit(spec, pretend: false), token).map { _ in .ok }
        case (.free, .set) where error.saysNotWatched:
            return .success(.ok)
        case (.destroy(let id), .set(let properties, _)) where error.saysNotWatched:
            return await destroy(id, knowing: GroupSpec(id: id, properties: properties), token)
        default:
            return answer
        }
    }

    /// A plugin that restarted has to be told a group before it can end it.
    func destroy(_ id: Identifier, knowing spec: GroupSpec?, _ token: TermToken) async -> Result<GroupReply, GroupError>
    {
        let answer = await callPlugin(.destroy(id: id), token)
        guard case .failure(let error) = answer, error.saysNotWatched else { return answer }
        guard let spec else { return .success(.ok) }
        if case .failure(let error) = await callPlugin(.commit(spec, pretend: false), token) { return .failure(error) }
        return await callPlugin(.destroy(id: id), token)
    }

    /// One call to the plugin. It does not start after the deadline, and ends with the term.
    ///
    /// - Parameter limit: how long it may take at most; nil for as long as any call.
    func callPlugin(
        _ request: GroupRequest,
        _ token: TermToken,
        within limit: Duration? = nil
    ) async -> Result<GroupReply, GroupError> {
        typealias Answer = Result<GroupReply, GroupError>
        if let group = request.startedGroup { debts.told(group) }
        let limit = min(limit ?? settings.rpcTimeout, settings.rpcTimeout)
        let answer = await token.run(outliving: request.isStored) {
            [plugin, gate, orphanGuard] () async -> Answer? in
            // Before the plugin knows the group, the guard does.
            if let group = request.startedGroup { orphanGuard.note(group) }
            // Here, where nothing comes before the call any more: the process may have stood still on the way.
            guard gate.isOpen(epoch: token.epoch) else { return nil }
            do throws(GroupError) {
                return .success(try await plugin.call(request, within: limit))
            } catch {
                return .failure(error)
            }
        }
        guard let answer = answer ?? nil else { return .failure(WriteLifecycle.termEnded) }
        if let group = request.startedGroup { debts.answered(group, isKnown: answer.isKnown, clock.now()) }
        if let group = request.endedGroup(by: answer) {
            orphanGuard.forget(group)
            debts.ended(group)
        }
        guard !token.isEnded else { return answer }
        if case .failure(let error) = answer, error.code == .unknownOutcome || error.code == .unreadable,
            isCurrent(token)
        {
            term?.noteUnanswered(request)
        }
        if case .failure(let error) = answer, error.code == .unreachable || error.code == .notRunning {
            note(pluginTrouble: error.message)
        } else {
            note(pluginTrouble: nil)
        }
        return answer
    }

    /// The plugin's own no, as opposed to no answer.
    static func isRefusal(_ error: GroupError) -> Bool {
        switch error.code {
        case .rejected: !error.saysUpdating
        case .unsupported, .badRequest: true
        default: false
        }
    }
}

extension Result<GroupReply, GroupError> {
    /// Whether it is known what the plugin has done, and that it will do nothing more.
    fileprivate var isKnown: Bool {
        guard case .failure(let error) = self else { return true }
        return error.code != .unknownOutcome && error.code != .unreadable
    }
}

extension GroupRequest {
    /// The group that the plugin watches from this call on.
    fileprivate var startedGroup: Identifier? {
        switch self {
        case .watch(let spec), .update(let spec), .commit(let spec, pretend: false): spec.id
        default: nil
        }
    }

    /// The group that the plugin has let go, as its answer to this call says.
    fileprivate func endedGroup(by answer: Result<GroupReply, GroupError>) -> Identifier? {
        switch (self, answer) {
        case (.free(let id), .success), (.unwatch(let id), .success), (.destroy(let id), .success): id
        case (.free(let id), .failure(let error)), (.unwatch(let id), .failure(let error)),
            (.destroy(let id), .failure(let error)):
            error.saysNotWatched ? id : nil
        default: nil
        }
    }
}

extension GroupState {
    /// The same, with another outcome.
    func with(_ status: Status, error: String? = nil) -> GroupState {
        GroupState(
            group: group,
            change: Change(group: group, action: change.action, status: status, error: error),
            revision: revision,
            previous: previous
        )
    }
}
