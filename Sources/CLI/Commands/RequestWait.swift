internal import Glibc
internal import GroupSPI
internal import Manager
internal import Store

/// A request to the leader, from its submission to its end.
struct RequestWait {
    let store: Store
    let timeout: Duration
    let session: Session

    /// Submits a request, and waits until it has ended and its revision is settled.
    ///
    /// - Returns: the request as it ended; its revision may still be pending when the time is up.
    /// - Throws: ``Failure``: the leader's words when it refused; `noLeader` when nobody has taken it up: then it was taken
    ///   back.
    func run(_ kind: Request.Kind, message: String = "") async throws -> Request {
        let request = Request(
            id: Request.makeID(),
            kind: kind,
            author: .ofProcess(),
            message: message,
            patience: timeout.milliseconds
        )
        return try await session.waiting("waiting up to \(timeout.goText) for the leader to carry it out") {
            let deadline = ContinuousClock.now + timeout
            try await store.submit(request, within: commandTimeout)
            let isHeard = await LeaderBell.ring(store)
            return try await end(of: request, by: deadline, lookingAfter: isHeard ? Self.heard : Self.unheard)
        }
    }

    /// A leader that has heard of it needs some milliseconds. Another one finds it within its poll interval.
    private static let (heard, unheard) = (Duration.milliseconds(2), Duration.milliseconds(50))

    /// - Parameter first: the first pause; each is longer than the one before.
    private func end(
        of request: Request,
        by deadline: ContinuousClock.Instant,
        lookingAfter first: Duration
    ) async throws -> Request {
        var pause = first
        while true {
            if let found = try await store.request(request, within: commandTimeout) {
                let isLate = ContinuousClock.now >= deadline
                switch found.state {
                case .refused: throw Failure(found.error ?? "the leader refused it")
                case .done where try await isSettled(found) || isLate: return found
                // Taken back, so that it does not surprise anybody later; unless a leader was faster.
                case .waiting where isLate:
                    if try await store.cancelRequest(request.id, within: commandTimeout) { throw nobody }
                case .cancelled where isLate: throw nobody
                // Its manager has passed it on, and may be taking it back.
                case .passedOn where ContinuousClock.now >= deadline + Self.withdrawal: throw unknown
                case .passedOn where isLate: _ = try await store.cancelRequest(request.id, within: commandTimeout)
                case .waiting, .done, .cancelled, .passedOn: break
                }
            }
            let rest = max(deadline - ContinuousClock.now, .milliseconds(20))
            try await Task.sleep(for: min(pause, rest), clock: .suspending)
            pause = min(pause * 3 / 2, .milliseconds(500))
        }
    }

    private var nobody: Failure {
        Failure(
            "nobody leads: no manager took the request up within \(timeout.goText), and nothing was changed",
            .noLeader
        )
    }

    /// How long taking back a request that was passed on may take.
    private static let withdrawal = Duration.seconds(10)

    private var unknown: Failure {
        Failure(
            "no answer within \((timeout + Self.withdrawal).goText): the request was passed on and may still be carried out. "
                + "Look at the history before you ask again."
        )
    }

    private func isSettled(_ request: Request) async throws -> Bool {
        if case .write = request.kind { return request.answer != nil }
        guard let number = request.revision else { return true }
        return try await store.revision(number, within: commandTimeout)?.status != .pending
    }
}

extension Author {
    /// The user of this process, as the user database names them; the environment could say anything.
    static func ofProcess() -> Author {
        let uid = getuid()
        return Author(user: name(of: uid), uid: Int(uid), host: ProcessIdentity.current().host)
    }

    private static func name(of uid: uid_t) -> Identifier? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &result) == 0, result != nil else { return nil }
        return Identifier(String(cString: entry.pw_name))
    }
}
