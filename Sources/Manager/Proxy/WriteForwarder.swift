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
        var settled: (at: BootInstant, reply: Result<GroupReply, GroupError>)?
        while true {
            let found = try await store.request(request.id, within: settings.storeTimeout)
            if let answer = found?.answer { return try answer.get() }
            if found?.state == .refused { throw GroupError(.rejected, found?.error ?? "the leader refused it") }
            if settled == nil, let number = found?.revision, let reply = try await outcome(of: number) {
                settled = (clock.now(), reply)
            }
            // The answer itself says more, and follows the outcome at once, if at all.
            if let settled, clock.now() - settled.at >= .seconds(1) || clock.now() >= deadline {
                return try settled.reply.get()
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
    private func outcome(of number: Int) async throws(StoreError) -> Result<GroupReply, GroupError>? {
        guard let revision = try await store.revision(number, within: settings.storeTimeout) else { return nil }
        switch revision.status {
        case .applied: return .success(revision.operation == .commit ? .details("recorded as revision \(number)") : .ok)
        case .rejected, .partial: return .failure(GroupError(.rejected, revision.error ?? "the plugin refused it"))
        case .superseded:
            let words = revision.error ?? Status.superseded.name
            return .failure(GroupError(.pending, "recorded as revision \(number), and \(words)"))
        case .pending: return nil
        }
    }
}
