public import Store

/// Asks the leader for something, through the store, and waits for what becomes of it: for commands, and for a follower that
/// passes users' writes on.
public struct RequestClient: Sendable {
    private let store: any RequestStore
    private let clock: any ManagerClock
    private let timeout: Duration
    private let pauses: ClosedRange<Duration>
    private let tellLeader: @Sendable () async -> Bool

    /// - Parameters:
    ///   - store: where the history lies.
    ///   - clock: counts the time.
    ///   - timeout: how long one call to the store may take.
    ///   - pauses: between two looks at the request, at first and at last.
    ///   - tellLeader: tells a leader within reach that there is a request; false when none has heard.
    public init(
        _ store: any RequestStore,
        clock: any ManagerClock,
        within timeout: Duration,
        pauses: ClosedRange<Duration> = .milliseconds(50) ... .milliseconds(500),
        tellLeader: @escaping @Sendable () async -> Bool = { false }
    ) {
        self.store = store
        self.clock = clock
        self.timeout = timeout
        self.pauses = pauses
        self.tellLeader = tellLeader
    }

    /// A leader that has heard of a request needs some milliseconds.
    private static let soon = Duration.milliseconds(2)

    /// When the task is cancelled, the request is taken back; how that came out is the result then.
    ///
    /// - Parameters:
    ///   - request: what is asked for.
    ///   - patience: how long to wait; taking the request back comes after that.
    public func ask(_ request: Request, for patience: Duration) async -> RequestEnd {
        var course = RequestCourse(request, patience: patience, pauses: pauses, now: clock.now())
        var step = RequestCourse.Step.submit
        while true {
            if Task.isCancelled {
                course.interrupt(clock.now())
                // Nothing is asked that nobody wants any more.
                if case .submit = step { step = course.handle(.waited, now: clock.now()) }
            }
            let limit = min(timeout, course.limit(clock.now()))
            let event: RequestCourse.Event
            switch step {
            case .end(let end): return end
            case .wait(let pause):
                await sleep(for: pause)
                event = .waited
            case .submit, .look, .renew, .cancel:
                event = await carryOut(step, request, within: limit)
                switch event {
                case .submitted, .renewed: if await tellLeader() { course.leaderHeard(looksEvery: Self.soon) }
                default: break
                }
            }
            if Task.isCancelled { course.interrupt(clock.now()) }
            step = course.handle(event, now: clock.now())
        }
    }

    private func carryOut(
        _ step: RequestCourse.Step,
        _ request: Request,
        within limit: Duration
    ) async -> RequestCourse.Event {
        do throws(StoreError) {
            switch step {
            case .submit:
                try await store.submit(request, within: limit)
                return .submitted
            case .look: return .seen(try await store.sight(of: request, within: limit))
            case .renew:
                try await store.renewRequest(request.id, within: limit)
                return .renewed
            case .cancel:
                return .cancelled(isStored: try await store.cancelRequest(request.id, within: limit))
            case .wait, .end: return .waited
            }
        } catch {
            return switch step {
            case .submit: .submitFailed(error)
            case .cancel: .cancelFailed(error)
            default: .lookFailed(error)
            }
        }
    }

    private func sleep(for pause: Duration) async {
        let end = clock.now() + pause
        guard Task.isCancelled else {
            // That whoever asked gives up ends the pause.
            try? await clock.sleep(until: end)
            return
        }
        // What is left to do is to take it back, and that takes pauses too. Not a child task, as that would be cancelled like
        // this one.
        await Task { [clock] in try? await clock.sleep(until: end) }.value
    }
}
