internal import ArgumentParser
internal import Diff
internal import GroupSPI
internal import Manager
internal import Store
internal import Terminal

/// `infrakit-manager rollback <rev>`: a new revision that equals an earlier one, applied by the leader.
struct RollbackCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Restore the configuration of an earlier revision as a new revision",
        discussion: flowing(
            """
            Works from any host that can open the database; the leader applies the change. Groups that the earlier
            revision did not have are freed, never destroyed. The history keeps every revision.

            Examples:
              infrakit-manager rollback 12
              infrakit-manager rollback before-upgrade --group cattle --message "v2 leaks"
              infrakit-manager rollback 12 --dry-run
              infrakit-manager rollback 12 --expect-current 15 --wait 1m
            """
        )
    )

    @Argument(help: "Revision to restore, by number or tag", completion: Completions.revisions)
    var revision: RevisionWord

    @Option(help: ArgumentHelp("Roll back only this group", valueName: "id"), completion: Completions.groups)
    var group: Identifier?

    @OptionGroup var change: ChangeOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: OutputOptions

    func run(in session: Session) async throws -> ExitStatus {
        let waiting = LeaderRequest(
            store: self.store.open(in: session),
            timeout: change.wait.duration,
            session: session
        )
        let store = try await waiting.reading { try await self.store.openToRead(in: session) }
        let target = try await waiting.reading {
            let target = try await revision.number(in: store)
            // No states are read: those of a thousand groups would take longer than everything else.
            try await store.requireWhole(target, of: group, within: commandTimeout)
            return target
        }
        if try await waiting.reading({ try await store.revision(target, within: commandTimeout) })?.status == .rejected
        {
            session.standardError(
                "note: the plugin refused revision \(target); the configuration before it is restored\n"
            )
        }
        if change.dryRun { return try await plan(target, store, in: session) }
        let kind = Request.Kind.rollback(to: target, group: group, expectedCurrent: change.expectCurrent)
        let answer = try await waiting.run(kind, message: change.message)
        let report = await ChangeReport(of: answer, target: target, store)
        try session.write(report.text, report.json, format.output)
        return report.status
    }

    private func plan(_ target: Int, _ store: Store, in session: Session) async throws -> ExitStatus {
        try await change.requireExpected(in: store)
        let summary = try await store.summary(within: commandTimeout)
        let (wanted, standing) = try await states(target, summary, store)
        let changes = RollbackPlan.changes(
            from: standing,
            to: wanted,
            group: group,
            unconfirmed: summary.unconfirmed.map(\.revision)
        )
        let preview = try await ChangePreview(
            changes,
            standing: standing,
            target: target,
            asking: LeaderRequest(store: store, timeout: change.wait.duration, session: session)
        )
        try session.write(preview.text(colored: session.isColored), preview.json, format.output)
        return .done
    }

    /// As they stood, and as they stand: those that stand alike only when one of them may not stand for good.
    private func states(
        _ target: Int,
        _ summary: HistorySummary,
        _ store: Store
    ) async throws(StoreError) -> (wanted: [GroupState], standing: [GroupState]) {
        guard summary.pending.isEmpty, summary.unconfirmed.isEmpty else {
            try await store.requireWhole(target, of: group, within: commandTimeout)
            return (
                try await store.wholeStates(at: target, of: group, within: commandTimeout),
                try await store.states(within: commandTimeout)
            )
        }
        let found = try await store.differingStates(at: target, and: nil, of: group, within: commandTimeout)
        return (found.first, found.second)
    }
}

extension ChangeReport {
    /// - Parameter answer: how the request ended; what it tells is not read again, as that could fail now.
    init(of answer: LeaderRequest.Answer, target: Int? = nil, unchanged: [Identifier] = [], _ store: Store) async {
        var current: Int?
        // A summary takes longer the more groups there are, and longer than all else here.
        if answer.revision == nil { current = try? await store.summary(within: commandTimeout).current }
        self.init(target: target, revision: answer.revision, current: current, unchanged: unchanged)
    }
}
