internal import GroupSPI
internal import Store

/// Passes a user's write on to the leader, through the store: this replica needs no network path to it.
struct WriteForwarder {
    let store: any StateStore
    let clock: any ManagerClock
    let settings: KeeperSettings

    /// - Parameter id: of the request in the store.
    /// - Throws: ``GroupError``: the leader's own; `notLeader` when none has taken it up in time: then nothing was changed;
    ///   `pending` when it is stored and not confirmed yet.
    func forward(_ call: GroupRequest, from caller: Caller, as id: String) async throws(GroupError) -> GroupReply {
        let request = Request(
            id: id,
            kind: .write(call),
            author: caller,
            time: clock.wallTime(),
            patience: settings.rpcTimeout.milliseconds
        )
        do {
            try await store.submit(request, within: settings.storeTimeout)
            return try await wait(for: request)
        } catch let error as GroupError {
            throw error
        } catch is CancellationError {
            throw GroupError(.unknownOutcome, "the caller gave up; what no leader had taken up was taken back")
        } catch {
            throw GroupError(.storeUnavailable, "store unreachable: \(error)")
        }
    }

    /// How long taking back what another node was asked may take.
    private static let withdrawal = Duration.seconds(10)

    private func wait(for request: Request) async throws -> GroupReply {
        let deadline = clock.now() + settings.rpcTimeout
        var settled: Settled?
        while true {
            let found = try await store.request(request.id, within: settings.storeTimeout)
            if let answer = found?.answer { return try answer.get() }
            if found?.state == .refused { throw GroupError(.rejected, found?.error ?? "the leader refused it") }
            if settled == nil, let number = found?.revision { settled = try await outcome(of: number) }
            if let settled {
                // The answer itself says more. Whoever has stored the outcome stores it next, unless the term is over.
                let isOver = try await store.lease(within: settings.storeTimeout).epoch != settled.epoch
                if isOver || clock.now() >= deadline { return try settled.reply.get() }
            }
            if clock.now() >= deadline {
                if let number = found?.revision {
                    throw GroupError(.pending, "recorded as revision \(number), but not confirmed yet")
                }
                if try await store.cancelRequest(request.id, within: settings.storeTimeout) {
                    throw GroupError(
                        .notLeader,
                        "no leader took it up within \(settings.rpcTimeout.goText); nothing was changed"
                    )
                }
                if found?.state == .done || clock.now() >= deadline + Self.withdrawal {
                    throw GroupError(.unknownOutcome, "the leader took it up and has not answered")
                }
                if found?.state == .cancelled {
                    throw GroupError(.notLeader, "no leader took it up; nothing was changed")
                }
            }
            do {
                try await clock.sleep(until: clock.now() + .milliseconds(100))
            } catch {
                _ = try? await store.cancelRequest(request.id, within: settings.storeTimeout)
                throw error
            }
        }
    }

    /// The leader that took it up may have died before it could answer; the history tells all the same.
    private func outcome(of number: Int) async throws(StoreError) -> Settled? {
        guard let revision = try await store.revision(number, within: settings.storeTimeout) else { return nil }
        let reply: Result<GroupReply, GroupError>
        switch revision.status {
        case .applied:
            reply = .success(revision.operation == .commit ? .details("recorded as revision \(number)") : .ok)
        case .rejected, .partial: reply = .failure(GroupError(.rejected, revision.error ?? "the plugin refused it"))
        case .superseded:
            let words = revision.error ?? Status.superseded.name
            reply = .failure(GroupError(.pending, "recorded as revision \(number), and \(words)"))
        case .pending: return nil
        }
        return Settled(reply: reply, epoch: revision.epoch)
    }

    private struct Settled {
        let reply: Result<GroupReply, GroupError>
        /// Of the leader that has taken the request up, and answers it.
        let epoch: Int
    }
}
