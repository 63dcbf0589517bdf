internal import Glibc
internal import GroupSPI
internal import Manager
internal import Store
internal import Terminal

/// A request to the leader, from its submission to its end.
struct LeaderRequest {
    let store: Store
    let timeout: Duration
    let session: Session

    /// Reads what a command needs before it asks. A lock that another program holds meanwhile is waited for, as the request's is.
    ///
    /// - Throws: what `body` throws; ``StoreError`` `busy` when the time is up.
    func reading<Result>(_ body: () async throws -> Result) async throws -> Result {
        let deadline = ContinuousClock.now + timeout
        while true {
            do {
                return try await body()
            } catch let error as StoreError where error.code == .busy && ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50), clock: .suspending)
            }
        }
    }

    /// Submits a request, and waits until it has ended and its revision is settled. SIGINT, SIGTERM and SIGHUP take it back.
    ///
    /// - Returns: what carries it out; the revision may still be pending when the time is up.
    /// - Throws: ``Failure``: the leader's words when it refused; else whether nothing was changed, or it may still be carried
    ///   out.
    func run(_ kind: Request.Kind, message: String = "") async throws -> Answer {
        let request = Request(
            id: Request.makeID(),
            kind: kind,
            author: .ofProcess(),
            message: message,
            patience: timeout.milliseconds
        )
        let client = RequestClient(store, clock: BootClock(), within: commandTimeout) { [store] in
            await LeaderNotifier.notify(store)
        }
        let end = try await session.waiting("waiting up to \(timeout.goText) for the leader") {
            try await Interruption.catching(in: session) { await client.ask(request, for: timeout) }
        }
        switch end {
        case .carriedOut(let request, let revision): return Answer(request: request, revision: revision)
        case .refused(let words): throw Failure(words)
        case .nothing(let nothing): throw Failure(nothing, within: timeout)
        case .unknown(let unknown): throw Failure(unknown, within: timeout)
        }
    }

    /// How a request ended.
    struct Answer {
        let request: Request
        /// As it was last seen; nil when nothing had to change.
        let revision: Revision?
    }
}

extension Author {
    /// The user of this process, as the user database names them; the environment could say anything.
    static func ofProcess() -> Author {
        let uid = getuid()
        return Author(
            user: LoginUser.name(of: uid),
            uid: Int(uid),
            host: ProcessIdentity.current().host,
            login: LoginUser.current()
        )
    }
}
