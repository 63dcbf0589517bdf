internal import GroupSPI
internal import Logging
internal import Store

extension LeaderTerm {
    /// Undoes again and again what nobody has confirmed in time.
    func revertUnconfirmed() async {
        await every(settings.pollInterval) {
            guard let expired = try? await store.expiredConfirmations(within: settings.storeTimeout) else { return }
            for confirmation in expired where lease.isValid { await revert(confirmation) }
        }
    }

    private func revert(_ confirmation: Confirmation) async {
        let number = confirmation.revision
        do {
            guard let revision = try await store.revision(number, within: settings.storeTimeout) else { return }
            var past = UnconfirmedPast(store, within: settings.storeTimeout)
            var before: [GroupState] = []
            for state in try await store.states(at: number - 1, within: settings.storeTimeout)
            where revision.groups.contains(state.group) {
                if let confirmed = try await past.confirmed(state) { before.append(confirmed) }
            }
            // By group, the revision that has restored what this one had set.
            var restored: [Identifier: Int] = [:]
            for group in revision.groups {
                guard let state = groups.states[group], state.revision > number,
                    try await past.restores(number, state)
                else { continue }
                restored[group] = state.revision
            }
            let judged = Set(revision.groups)
            let undone = try await changeGroups(resolving: .expiry(number), judgedBy: judged) {
                [before, restored] current in
                let changes = RevertPlan.changes(
                    undoing: revision,
                    current: current,
                    before: before,
                    restored: restored
                )
                guard !changes.isEmpty else { return nil }
                return RevisionDraft(
                    author: revision.author,
                    operation: .rollback,
                    target: number - 1,
                    message: UnconfirmedPast.message(undoing: number)
                        + Duration.milliseconds(confirmation.allowed).goText,
                    changes: changes
                )
            } check: { () async throws(GroupError) in
            }
            if let undone {
                let open = open(undone)
                let metadata: Logger.Metadata = ["revision.number": "\(number)", "revision.by": "\(undone.number)"]
                if open.isEmpty {
                    logger.notice("revision reverted", metadata: metadata)
                } else {
                    let groups = "\(open.joined(separator: ","))"
                    logger.warning(
                        "revision being reverted",
                        metadata: metadata.merging(["groups": "\(groups)"]) { $1 }
                    )
                }
            } else {
                try await store.overtakeConfirmation(
                    of: number,
                    fence: fence,
                    within: settings.storeTimeout
                )
            }
        } catch {
            // Somebody may have confirmed it at the last moment. If not, the next look finds it again.
            logger.info("revision not reverted", metadata: ["revision.number": "\(number)", "error": "\(error)"])
        }
    }

    /// The groups of a revision that the plugin has not agreed to yet. It is asked again until it does.
    private func open(_ revision: Revision) -> [Identifier] {
        revision.groups.filter { group in
            guard let state = groups.states[group], state.revision == revision.number else { return false }
            return state.change.status == .pending
        }
    }
}
