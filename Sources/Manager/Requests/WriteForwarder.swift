internal import GroupSPI
internal import Store

/// Passes a user's write on to the leader, through the store: this replica needs no network path to it.
struct WriteForwarder {
    let store: any StateStore
    let clock: any ManagerClock
    let settings: TermSettings

    private static let pause = Duration.milliseconds(100)

    /// - Parameter id: of the request in the store.
    /// - Throws: ``GroupError``: the leader's own; `notLeader` when none has taken it up in time, `storeUnavailable` when the
    ///   store did not take it: then nothing was changed; `pending` when it is stored and not confirmed yet; `unknownOutcome`
    ///   when it may still be carried out.
    func forward(_ call: GroupRequest, from caller: Caller, as id: String) async throws(GroupError) -> GroupReply {
        let request = Request(
            id: id,
            kind: .write(call),
            author: caller,
            time: clock.wallTime(),
            patience: settings.rpcTimeout.milliseconds
        )
        let client = RequestClient(
            store,
            clock: clock,
            within: settings.storeTimeout,
            pauses: Self.pause...Self.pause
        )
        switch await client.ask(request, for: settings.rpcTimeout) {
        case .carriedOut(let request, let revision): return try reply(request, revision).get()
        case .refused(let words): throw GroupError(.rejected, words)
        case .nothing(let nothing): throw error(nothing)
        case .unknown(let unknown): throw error(unknown)
        }
    }

    /// The leader that took it up may have died before it could answer; the history tells all the same.
    private func reply(_ request: Request, _ revision: Revision?) -> Result<GroupReply, GroupError> {
        if let answer = request.answer { return answer }
        guard let revision else { return .success(.ok) }
        return switch revision.status {
        case .applied:
            .success(revision.operation == .commit ? .details("recorded as revision \(revision.number)") : .ok)
        case .rejected, .partial: .failure(GroupError(.rejected, revision.error ?? "the plugin refused it"))
        case .superseded:
            .failure(
                GroupError(
                    .pending,
                    "recorded as revision \(revision.number), and \(revision.error ?? Status.superseded.name)"
                )
            )
        case .pending:
            .failure(GroupError(.pending, "recorded as revision \(revision.number), but not confirmed yet"))
        }
    }

    private func error(_ nothing: NothingChanged) -> GroupError {
        switch nothing.why {
        case .notSubmitted(let error):
            GroupError(.storeUnavailable, "the store did not accept the request; nothing was changed: \(error.message)")
        case .interrupted:
            GroupError(
                .notLeader,
                "the caller gave up; the request was cancelled and nothing was changed"
            )
        case .timeIsUp, .leaderChanged:
            GroupError(
                .notLeader,
                "\(nothing.leader.inaction(within: settings.rpcTimeout)); the request was cancelled and nothing was "
                    + "changed"
            )
        }
    }

    private func error(_ unknown: UnknownEnd) -> GroupError {
        if let number = unknown.revision {
            return GroupError(.pending, "recorded as revision \(number), but its outcome could not be read yet")
        }
        let trouble = unknown.trouble.map { ": \($0.trouble)" } ?? ""
        return GroupError(
            .unknownOutcome,
            "it may still be applied; check the history before you try again. The leader has not answered\(trouble)"
        )
    }
}
