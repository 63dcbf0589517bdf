internal import GroupSPI
internal import Logging
internal import Store

extension LeaderTerm {
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
    ///   - trigger: settled together with the revision.
    ///   - intent: made from the group's state at the moment of the write, when all writes before it are done.
    ///   - tell: has the plugin do it.
    /// - Throws: ``GroupError``: what ``WriteLifecycle/Answer`` says.
    func write(
        _ operation: Operation,
        _ group: Identifier,
        from caller: Caller,
        message: String = "",
        resolving trigger: RevisionTrigger? = nil,
        _ intent: (GroupState?) throws(GroupError) -> Intent,
        tell: (Intent, GroupState?) async -> Result<GroupReply, GroupError>
    ) async throws(GroupError) -> GroupReply {
        let answer = await lanes.hold([group], as: trigger?.requestID) { () async -> WriteLifecycle.Answer in
            let before: GroupState?
            let intended: Intent
            do throws(GroupError) {
                if let id = trigger?.requestID { try refuseOverdue(id) }
                try await requireValid()
                before = groups.states[group]
                intended = try intent(before)
            } catch {
                return .nothingChanged(error)
            }
            let change = Change(group: group, action: intended.action)
            var draft = RevisionDraft(author: caller, operation: operation, message: message, changes: [change])
            var lifecycle = WriteLifecycle(isOutcomeFirst: trigger != nil || !change.action.isSet)
            if lifecycle.isOutcomeFirst { draft = draft.awaitingOutcome }
            return await complete(&lifecycle, change, .known(before)) { [draft] () async in
                await self.storing.pass(alone: false) { await self.append(draft, resolving: trigger).map(\.number) }
            } tell: {
                await tell(intended, before)
            }
        }
        return try answer.result(plugin: settings.pluginName).get()
    }

    /// The same, where the plugin has nothing to do but the call.
    func write(
        _ operation: Operation,
        _ group: Identifier,
        from caller: Caller,
        message: String = "",
        resolving trigger: RevisionTrigger? = nil,
        _ intent: (GroupState?) throws(GroupError) -> Intent
    ) async throws(GroupError) -> GroupReply {
        try await write(operation, group, from: caller, message: message, resolving: trigger, intent) {
            intent,
            before in
            await forward(intent.request, before: before)
        }
    }

    /// Stores a revision and takes it into the states. To be called when ``storing`` lets it pass.
    func append(_ draft: RevisionDraft, resolving trigger: RevisionTrigger?) async -> Result<Revision, StoringTrouble> {
        do throws(GroupError) {
            try groups.room.take(draft.changes)
        } catch {
            return .failure(.nothing(error))
        }
        let stored = await persist(draft, resolving: trigger)
        if case .success(let revision) = stored {
            noteWritten(revision, isRefusable: trigger?.isRefusable ?? true)
        } else {
            for change in draft.changes { groups.room.note(change.group, groups.states[change.group]) }
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

    /// Turns trouble at the store into what the user and the election have to know.
    private func persist(
        _ draft: RevisionDraft,
        resolving trigger: RevisionTrigger?
    ) async -> Result<Revision, StoringTrouble> {
        let timeout = settings.storeTimeout
        do throws(StoreError) {
            guard let trigger else { return .success(try await store.append(draft, fence: fence, within: timeout)) }
            return .success(try await store.append(draft, resolving: trigger, fence: fence, within: timeout))
        } catch {
            switch error.code {
            case .fenced:
                abandon(StoreError(error.code, "another replica may have taken the lease over"))
                return .failure(.nothing(GroupError(.notLeader, "\(error.message); nothing was changed")))
            case _ where error.isPassing || error.code == .conflict:
                return .failure(
                    .nothing(
                        GroupError(.storeUnavailable, "store unreachable, nothing was changed: \(error.message)")
                    )
                )
            case .tooLarge, .unexpectedCurrent: return .failure(.nothing(GroupError(.rejected, error.message)))
            case .stale:
                abandon(error)
                return .failure(.nothing(GroupError(.storeUnavailable, "nothing was changed: \(error.message)")))
            default:
                abandon(error)
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
    private func noteWritten(_ revision: Revision, isRefusable: Bool) {
        groups.wrote(revision, isRefusable: isRefusable)
        dependencies.releases.named(revision.groups)
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
}
