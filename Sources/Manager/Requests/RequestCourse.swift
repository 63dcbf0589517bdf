public import Store

/// The proof that a request was not carried out and never will be: only ``RequestCourse`` has any to give, and it gives one when
/// the store has never taken the request, or has stored that it was taken back.
public struct NothingChanged: Hashable, Sendable {
    public enum Why: Hashable, Sendable {
        /// Nobody had taken it up by its deadline.
        case timeIsUp
        /// Whoever asked did not want it any more.
        case interrupted
        /// It was meant for who led when it was asked, and another term has begun.
        case leaderChanged
        /// The store did not take it.
        case notSubmitted(StoreError)
    }

    public let why: Why
    public let leader: SeenLeader

    fileprivate init(_ why: Why, _ leader: SeenLeader) {
        (self.why, self.leader) = (why, leader)
    }
}

/// How a request is asked, and waited for: a value without clock or store. It is told what happened, and says what to do next.
///
/// The rules:
/// - Trouble while *waiting* says nothing about the request: it is looked at again, until the deadline.
/// - A submission of which nobody knows whether it took place is looked for, by the request's name.
/// - At the deadline the request is taken back. Only that this is stored, in a database that is not older than what was seen of it,
///   or that the request never was, makes ``NothingChanged``; all else may still be carried out.
/// - Whoever asks tells each new leader that they still wait: a leader carries out only what was asked in its own epoch, so that
///   nothing comes of what a process had asked that is gone. Not so of a step-down: it is meant for who led when it was asked,
///   and is taken back when another does.
public struct RequestCourse: Sendable {
    public enum Event: Sendable {
        case submitted
        case submitFailed(StoreError)
        case seen(RequestSight)
        case lookFailed(StoreError)
        /// Also when that failed: the next look tells.
        case renewed
        /// - Parameter isStored: whether it is taken back by now.
        case cancelled(isStored: Bool)
        case cancelFailed(StoreError)
        case waited
    }

    public enum Step: Sendable {
        case submit
        case look
        case renew
        case cancel
        case wait(Duration)
        case end(RequestEnd)
    }

    private enum Phase: Sendable {
        /// - `isOpen`: a submission has been tried, and whether it took place is not known.
        case submitting(isOpen: Bool)
        case submitted
        /// - `isAnswered`: the store has said that it could not be taken back.
        case cancelling(until: BootInstant, isAnswered: Bool)
    }

    /// What is waited for is the plugin's answer, not a revision.
    private let isCall: Bool
    /// Whatever becomes of it, there is nothing that may still be carried out.
    private let changesNothing: Bool
    /// It is of no use to whoever leads next.
    private let isForOneTerm: Bool
    private var hasLeaderChanged = false
    private let began: BootInstant
    private let pauses: ClosedRange<Duration>
    private var deadline: BootInstant
    private var phase = Phase.submitting(isOpen: false)
    private var isInterrupted = false
    /// Whether a submission took place was not known when the request was to be taken back.
    private var wasOpen = false
    private var pause: Duration
    /// To take it back.
    private var attempts = 0
    /// The request has been seen in the store.
    private var wasThere = false
    private var revision: Int?
    private var trouble: StoreError?
    private var lease: Lease?
    /// Since when the lease stands as it is.
    private var leaseSince: BootInstant?
    private var leaseHasMoved = false
    private var leaderHasHeard = false
    private var waitsFor: String?

    /// How long taking a request back may take: of what the waiting took a quarter. Whoever says how long they wait is answered then, and
    /// not much later.
    private var cancellation: Duration
    private static let withdrawals = Duration.seconds(3) ... .seconds(10)
    /// More than fit into that time.
    private static let mostAttempts = 200
    /// For how long it is certain that a request which ended would still be found.
    private static let memory = Duration.seconds(60)

    /// - Parameters:
    ///   - request: what is asked for.
    ///   - patience: how long to wait for the request's end.
    ///   - pauses: between two looks, at first and at last.
    ///   - now: the present moment.
    public init(_ request: Request, patience: Duration, pauses: ClosedRange<Duration>, now: BootInstant) {
        isForOneTerm = request.kind == .stepDown
        switch request.kind {
        case .write: (isCall, changesNothing) = (true, false)
        case .preview: (isCall, changesNothing) = (true, true)
        case .rollback, .commit, .import, .mark, .stepDown: (isCall, changesNothing) = (false, false)
        }
        began = now
        deadline = now + patience
        cancellation = min(max(patience / 4, Self.withdrawals.lowerBound), Self.withdrawals.upperBound)
        self.pauses = pauses
        pause = pauses.lowerBound
    }

    /// How long a call to the store is waited for.
    public func limit(_ now: BootInstant) -> Duration {
        let end =
            if case .cancelling(let until, _) = phase { until } else { deadline + cancellation }
        return max(end - now, .seconds(1))
    }

    /// Whoever asked does not want it any more.
    public mutating func interrupt(_ now: BootInstant) {
        guard !isInterrupted else { return }
        isInterrupted = true
        deadline = min(deadline, now)
        // A second signal ends it at once.
        cancellation = Self.withdrawals.upperBound
    }

    /// The leader has heard of it: its answer comes soon.
    public mutating func leaderHeard(looksEvery pause: Duration) { (leaderHasHeard, self.pause) = (true, pause) }

    public mutating func handle(_ event: Event, now: BootInstant) -> Step {
        switch event {
        case .submitted:
            phase = .submitted
            return now >= deadline ? cancel(now) : .look
        case .submitFailed(let error): return submitFailed(error, now)
        case .seen(let sight): return seen(sight, now)
        case .lookFailed(let error):
            trouble = error
            return again(now)
        case .renewed: return rest()
        // Whether that was in the database in which it was asked; and who leads is to be told too.
        case .cancelled(isStored: true): return .look
        case .cancelled(isStored: false):
            if case .cancelling(let until, _) = phase { phase = .cancelling(until: until, isAnswered: true) }
            return .look
        case .cancelFailed(let error):
            trouble = error
            return again(now)
        case .waited:
            return switch phase {
            case .submitting(isOpen: false): now >= deadline ? nothing() : .submit
            case .cancelling(_, isAnswered: false): .cancel
            case .submitting, .submitted, .cancelling: .look
            }
        }
    }

    // MARK: - Asking

    private mutating func submitFailed(_ error: StoreError, _ now: BootInstant) -> Step {
        guard case .submitting(let isOpen) = phase else { return again(now) }
        trouble = error
        switch error.code {
        case .unknownOutcome:
            phase = .submitting(isOpen: true)
            return .look
        case .conflict where isOpen:
            // It is there, of an attempt before.
            phase = .submitted
            return .look
        case .busy where now < deadline: return rest()
        default: return isOpen ? rest() : nothing()
        }
    }

    // MARK: - Waiting

    private mutating func seen(_ sight: RequestSight, _ now: BootInstant) -> Step {
        trouble = sight.trouble
        guard !isOlder(sight.lease) else {
            trouble = StoreError(
                .stale,
                "the database is older than the state that this command has seen; the outcome of the request is not "
                    + "known"
            )
            return again(now)
        }
        note(sight.lease, now)
        guard let request = sight.request else { return absent(now) }
        wasThere = true
        if case .submitting = phase { phase = .submitted }
        revision = request.revision
        waitsFor = request.waitsFor
        switch request.state {
        case .refused: return .end(.refused(request.error ?? "the leader refused it"))
        case .cancelled: return nothing()
        case .lost: return unknown()
        case .done: return done(request, sight, now)
        case .waiting, .forwarded:
            let isOfThisTerm = request.epoch == sight.lease.epoch
            if isForOneTerm, !isOfThisTerm { hasLeaderChanged = true }
            guard now < deadline, !hasLeaderChanged else {
                // Taking back what was passed on is a wish, which is noted once.
                if request.state == .forwarded, case .cancelling(_, isAnswered: true) = phase { return again(now) }
                return cancel(now)
            }
            return isOfThisTerm ? rest() : .renew
        }
    }

    private mutating func done(_ request: Request, _ sight: RequestSight, _ now: BootInstant) -> Step {
        if isCall, request.answer != nil { return .end(.carriedOut(request, sight.revision)) }
        if let revision = sight.revision, revision.status != .pending {
            // The answer to a call says more. Whoever has stored the outcome stores it next, unless their term is over.
            let isAnswerLost = sight.lease.epoch != revision.epoch || !sight.lease.namesLeader
            if !isCall || isAnswerLost || now >= deadline { return .end(.carriedOut(request, revision)) }
        } else if request.revision == nil, !isCall {
            return .end(.carriedOut(request, nil))
        }
        guard now >= deadline else { return rest() }
        if let revision = sight.revision { return .end(.carriedOut(request, revision)) }
        return changesNothing ? .end(.carriedOut(request, nil)) : unknown()
    }

    /// The request is not in the store.
    private mutating func absent(_ now: BootInstant) -> Step {
        // One that has been there, or surely was, has ended and is forgotten; or another file is in the store's place.
        guard !wasThere, now - began < Self.memory else { return unknown() }
        switch phase {
        case .submitting: return now >= deadline ? cancel(now) : .submit
        case .submitted: return unknown()
        case .cancelling(_, let isAnswered):
            // The store carries out one write after the other: what was not there to be taken back does not come any more.
            guard isAnswered else { return cancel(now) }
            return wasOpen ? nothing() : unknown()
        }
    }

    /// Somebody has put an older copy in the place of the file: what is taken back there may be carried out in the newer one.
    private func isOlder(_ lease: Lease) -> Bool {
        guard let known = self.lease else { return false }
        return (lease.epoch, lease.sequence) < (known.epoch, known.sequence)
    }

    private mutating func note(_ lease: Lease, _ now: BootInstant) {
        if let known = self.lease, known.epoch == lease.epoch, known.sequence == lease.sequence { return }
        // Of a release that is not a sign of life.
        if let known = self.lease, lease.isHeld, known != lease { leaseHasMoved = true }
        (self.lease, leaseSince) = (lease, now)
    }

    // MARK: - Taking back

    private mutating func cancel(_ now: BootInstant) -> Step {
        switch phase {
        case .cancelling(let until, _): return now >= until ? unknown() : .cancel
        case .submitting(let isOpen): wasOpen = isOpen
        case .submitted: break
        }
        // What the last look took is not given once more; but one attempt there is.
        phase = .cancelling(until: max(min(deadline, now) + cancellation, now + .seconds(1)), isAnswered: false)
        pause = pauses.lowerBound
        return .cancel
    }

    /// After trouble, or what did not help.
    private mutating func again(_ now: BootInstant) -> Step {
        switch phase {
        case .cancelling(let until, _):
            attempts += 1
            return now >= until || attempts > Self.mostAttempts ? unknown() : rest()
        case .submitting, .submitted: return now >= deadline ? cancel(now) : rest()
        }
    }

    private mutating func rest() -> Step {
        defer { pause = min(pause * 3 / 2, pauses.upperBound) }
        return .wait(pause)
    }

    // MARK: - The end

    private var why: NothingChanged.Why {
        if isInterrupted { return .interrupted }
        return hasLeaderChanged ? .leaderChanged : .timeIsUp
    }

    /// To be called only where nothing was stored, or that it was taken back is.
    private func nothing() -> Step {
        if case .submitting = phase, !isInterrupted, let trouble {
            return .end(.nothing(NothingChanged(.notSubmitted(trouble), leader)))
        }
        if case .cancelling = phase, wasOpen, !wasThere, !isInterrupted, let trouble {
            return .end(.nothing(NothingChanged(.notSubmitted(trouble), leader)))
        }
        return .end(.nothing(NothingChanged(why, leader)))
    }

    private func unknown() -> Step {
        .end(.unknown(UnknownEnd(revision: revision, why: why, trouble: trouble)))
    }

    private var leader: SeenLeader {
        guard let lease, let leaseSince else { return .unknown }
        guard lease.namesLeader else { return .none }
        if let waitsFor { return .alive(lease, waitsFor: waitsFor) }
        let silence = deadline - leaseSince
        if silence >= .milliseconds(lease.ttl) { return .silent(lease, for: silence) }
        return leaseHasMoved || leaderHasHeard ? .alive(lease, waitsFor: nil) : .named(lease)
    }
}
