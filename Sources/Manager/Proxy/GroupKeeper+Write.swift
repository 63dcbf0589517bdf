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
    /// - Throws: ``GroupError``: `notLeader`; `rejected` with the plugin's words; `pending` with the revision's number;
    ///   `storeUnavailable`.
    func write(
        _ operation: Operation,
        _ group: String,
        from caller: Caller,
        settling cause: RevisionCause? = nil,
        _ intent: (GroupState?) throws(GroupError) -> Intent
    ) async throws(GroupError) -> GroupReply {
        let result = await lanes.hold([group], as: cause?.requestID) { () async -> Result<GroupReply, GroupError> in
            do throws(GroupError) {
                if let id = cause?.requestID { try refuseOverdue(id) }
                let token = try await currentTerm()
                let before = states[group]
                let intent = try intent(before)
                let isOutcomeFirst = cause != nil || !intent.action.isSet
                var draft = RevisionDraft(
                    author: caller,
                    operation: operation,
                    changes: [Change(group: group, action: intent.action)]
                )
                if isOutcomeFirst { draft = draft.awaitingOutcome }
                let revision = try await persist(token) { [draft] fence throws(StoreError) in
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
                guard noteWritten(revision, token) else {
                    throw pendingError(Self.termEnded, revision: revision.number)
                }
                let answer = await forward(intent.request, before: before, token)
                let isStored = await settle(
                    group,
                    revision.number,
                    answer,
                    before: before,
                    isOutcomeFirst: isOutcomeFirst,
                    token
                )
                if isOutcomeFirst, !isStored, case .success = answer {
                    throw GroupError(
                        .pending,
                        "recorded as revision \(revision.number), and the group plugin '\(settings.pluginName)' has agreed, "
                            + "but that is not known to be stored: it will be asked again"
                    )
                }
                return answer.mapError { error in
                    Self.isRefusal(error) ? error : self.pendingError(error, revision: revision.number)
                }
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: - Steps

    /// Runs a write of the store under a term, and turns trouble into what the user and the election have to know.
    func persist<Value: Sendable>(
        _ token: TermToken,
        _ body: (Fence) async throws(StoreError) -> Value
    ) async throws(GroupError) -> Value {
        do {
            return try await body(fence(token.epoch))
        } catch {
            switch error.code {
            case .fenced:
                report(.storeUncertain(epoch: token.epoch, "another replica may have taken the lease over"))
                throw GroupError(.notLeader, "\(error.message); nothing was changed")
            case .busy, .conflict:
                throw GroupError(.storeUnavailable, "store unreachable, nothing was changed: \(error.message)")
            case .tooLarge: throw GroupError(.rejected, error.message)
            default:
                report(.storeUncertain(epoch: token.epoch, error.message))
                throw GroupError(.storeUnavailable, "store unreachable: \(error.message)")
            }
        }
    }

    /// Takes a stored revision into the states: from here on it is what has to be brought about.
    ///
    /// - Returns: false when the term has ended meanwhile: then whoever leads next brings it about.
    func noteWritten(_ revision: Revision, _ token: TermToken) -> Bool {
        guard self.token === token else { return false }
        for change in revision.changes {
            let before = states[change.group]
            let state = GroupState(
                group: change.group,
                change: change,
                revision: revision.number,
                previous: before?.change.action
            )
            states[change.group] = state
            reconciler.wrote(state)
        }
        logger.info(
            "revision stored",
            metadata: [
                "revision.number": "\(revision.number)",
                "operation": "\(revision.operation.name)",
                "groups": "\(revision.groups.joined(separator: ","))",
                "author": "\(revision.author.user ?? "unknown")",
            ]
        )
        return true
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
        case (.free, .set) where error.saysNotWatched, (.unwatch, .set) where error.saysNotWatched:
            return .success(.ok)
        case (.destroy(let id), .set(let properties, _)) where error.saysNotWatched:
            return await destroy(id, knowing: GroupSpec(id: id, properties: properties), token)
        default:
            return answer
        }
    }

    /// A plugin that restarted has to be told a group before it can end it.
    func destroy(_ id: String, knowing spec: GroupSpec?, _ token: TermToken) async -> Result<GroupReply, GroupError> {
        let answer = await callPlugin(.destroy(id: id), token)
        guard case .failure(let error) = answer, error.saysNotWatched else { return answer }
        guard let spec else { return .success(.ok) }
        if case .failure(let error) = await callPlugin(.commit(spec, pretend: false), token) { return .failure(error) }
        return await callPlugin(.destroy(id: id), token)
    }

    /// One call to the plugin. It does not start after the deadline, and ends with the term.
    func callPlugin(_ request: GroupRequest, _ token: TermToken) async -> Result<GroupReply, GroupError> {
        let answer = await token.run { [plugin, settings, gate] () async -> Result<GroupReply, GroupError>? in
            // Here, where nothing comes before the call any more: the process may have stood still on the way.
            guard gate.isOpen(epoch: token.epoch) else { return nil }
            do throws(GroupError) {
                return .success(try await plugin.call(request, within: settings.rpcTimeout))
            } catch {
                return .failure(error)
            }
        }
        guard let answer = answer ?? nil else { return .failure(Self.termEnded) }
        guard !token.isEnded else { return answer }
        if case .failure(let error) = answer, error.code == .unreachable || error.code == .notRunning {
            note(pluginTrouble: error.message)
        } else {
            note(pluginTrouble: nil)
        }
        return answer
    }

    /// Has it stored how a change came out, and goes on from there.
    ///
    /// - Parameter isOutcomeFirst: that it was applied is stored before this returns.
    /// - Returns: whether it is stored by now; never so of an answer that did not come.
    @discardableResult
    func settle(
        _ group: String,
        _ revision: Int,
        _ answer: Result<GroupReply, GroupError>,
        before: GroupState?,
        isOutcomeFirst: Bool,
        _ token: TermToken
    ) async -> Bool {
        var isStored = false
        switch answer {
        case .success:
            let outcome = Outcome(revision: revision, group: group, status: .applied)
            if isOutcomeFirst { isStored = await record(outcome, token) } else { recordSoon(outcome, token) }
            guard self.token === token else { return isStored }
            if let state = states[group], state.revision == revision { states[group] = state.with(.applied) }
            reconciler.finished(group, revision: revision, .done, now: clock.now())
        case .failure(let error) where Self.isRefusal(error):
            let outcome = Outcome(revision: revision, group: group, status: .rejected, error: error.message)
            isStored = await record(outcome, token)
            guard self.token === token else { return isStored }
            states[group] = before
            reconciler.restore(before, of: group, isKnown: true, now: clock.now())
        case .failure(let error):
            logger.warning(
                "change not confirmed",
                metadata: ["revision.number": "\(revision)", "group": "\(group)", "error": "\(error)"]
            )
            noteUnconfirmed(group, revision, error, token)
            guard self.token === token else { return false }
            reconciler.finished(group, revision: revision, .noAnswer, now: clock.now())
        }
        wakeIfDue()
        return isStored
    }

    static let termEnded = GroupError(.unreachable, "leadership ended before the plugin was told")

    /// The plugin's own no, as opposed to no answer.
    static func isRefusal(_ error: GroupError) -> Bool {
        switch error.code {
        case .rejected: !error.saysUpdating
        case .unsupported, .badRequest: true
        default: false
        }
    }

    func pendingError(_ error: GroupError, revision: Int) -> GroupError {
        GroupError(
            .pending,
            "recorded as revision \(revision), but the group plugin '\(settings.pluginName)' has not confirmed it yet and "
                + "will be asked again: \(error.message)"
        )
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
