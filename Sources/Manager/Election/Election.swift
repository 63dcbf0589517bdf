internal import Store

/// Decides, from what is seen of the lease row and of the clock, when to ask for the lease, when to renew it, and when
/// to stop acting. It knows no database, no clock and no socket: events come in with the time at which they happened,
/// directives go out.
///
/// The rules, each against a failure that happens (docs/lease.md):
/// - A watcher never compares another host's time with its own clock. It watches `(epoch, sequence)`; only when its looks have
///   found them unchanged for a whole ttl on its own boot-time clock may it take over. Time in which it did not look is not
///   waiting (`Watch`).
/// - The holder's deadline counts from before a renewal was issued, and is shorter than the ttl: what is left is for
///   letting the groups go.
/// - An answer that comes after the deadline is no renewal.
/// - Trouble at the store whose outcome is unknown ends the term: step down, look again, decide. A replica that this happens to
///   within a ttl of its acquisition lets a ttl pass before it acquires again: the groups are not handed to and fro.
/// - A release comes after the groups were let go, never before. Who leaves in order renews until then, so that nobody takes
///   over meanwhile; whoever cannot say that they are free lets the lease run out.
public struct Election: Sendable {
    enum State: Sendable {
        /// Not leading. The row as it was last seen; nil when it was not seen in this state.
        case watching(Watch?)
        /// The lease has been asked for; counting from before the request was issued. The row is the one that was watched.
        case acquiring(issuedAt: BootInstant, watch: Watch)
        case leading(Term)
        /// The groups are being let go. The row may name this replica until the term's expiry.
        case resigning(Departure)
        case stopped
    }

    struct Term: Sendable {
        var epoch: Int
        /// From this moment on nothing may be done under this term.
        var deadline: BootInstant
        /// The row may be taken over from this moment on, by the holder's own clock.
        var expiry: BootInstant
        var renewalIssuedAt: BootInstant?
        /// When the lease was asked for.
        let acquiredAt: BootInstant
        /// Why nothing is done under it although it lasts: the store is older than what was seen of it.
        var suspension: String?
    }

    struct Departure: Sendable {
        var term: Term
        let reason: String
        /// Until then the lease is renewed, as long as that succeeds; nil when it is left to run out.
        var keptUntil: BootInstant?
    }

    let settings: ElectionSettings
    /// This process, as the lease names it.
    let instance: String
    /// This replica's last term, and why it ended.
    private(set) var lastTerm: (epoch: Int, reason: String)?
    private(set) var state = State.watching(nil)
    /// When to look, or renew, next.
    private(set) var nextAttempt: BootInstant?
    /// A look beside those, which leaves them where they are: at the moment from which a row that stands still may be
    /// taken over, when its holder has ended, and when another was faster. If it fails, the others go on.
    private(set) var earlyPoll: BootInstant?
    /// May this replica lead at all (leader file, orphan guard)? Nil means yes; else why not.
    private(set) var inhibitor: String?
    /// After a hand-over nobody asks for the lease at once: another is to have it.
    private(set) var cooldownUntil: BootInstant?
    /// The epoch that was handed over: once another replica has led, the rest has served its purpose.
    private var cooldownEpoch = 0
    /// After trouble at the store that ended a short term nobody asks for the lease at once: it would meet the same trouble.
    private(set) var backoffUntil: BootInstant?
    /// Why the lease, which may be had, was not acquired when it was last asked for: nothing was stored.
    private(set) var refusal: String?
    private(set) var isStopping = false
    /// What the last look at the store gave, when it gave no row.
    private(set) var trouble: String?
    private var jitter: Jitter

    /// A row can promise any ttl, and a moment can be too far away to be counted to.
    private static let farthestPoll = Duration.seconds(86_400)

    /// - Parameters:
    ///   - settings: checked ratios.
    ///   - instance: this process, as it writes itself into the lease.
    ///   - seed: of the jitter; replicas with different seeds do not crowd the file at the same moments.
    public init(_ settings: ElectionSettings, instance: String = "", seed: UInt64) {
        self.settings = settings
        self.instance = instance
        self.jitter = Jitter(seed)
    }

    /// Takes note of an event.
    ///
    /// - Parameters:
    ///   - event: what happened.
    ///   - now: when it is handled; never earlier than at the call before.
    /// - Returns: what to do, in order.
    public mutating func handle(_ event: ElectionEvent, now: BootInstant) -> [ElectionDirective] {
        var directives: [ElectionDirective] = []
        // The deadline comes before everything else: an event that arrives late must not count as one in time.
        expire(now, &directives)
        switch event {
        case .tick: break
        case .observed(let lease, let startedAt, let takeoverReason):
            observed(lease, startedAt, takeoverReason, now, &directives)
        case .observationFailed(let reason): trouble = reason
        case .holderEnded(let epoch): holderEnded(epoch, now)
        case .acquired(let lease): acquired(lease, now, &directives)
        case .acquisitionLost, .acquisitionFailed: acquisitionFailed(event, now)
        case .acquisitionRefused(let reason): acquisitionRefused(reason)
        case .renewed(let epoch): renewed(epoch, now, &directives)
        case .renewalFailed(let epoch, let reason): renewalFailed(epoch, reason)
        case .renewalFenced(let epoch, let message): lose(epoch, message, now, &directives)
        case .storeUncertain(let epoch, let reason):
            backOff(epoch, now)
            lose(epoch, "the outcome of a write is not known: \(reason)", now, &directives)
        case .suspended(let epoch, let reason, let isRenewed):
            suspended(epoch, reason, isRenewed, now, &directives)
        case .inhibited(let reason): inhibited(reason, now, &directives)
        case .stepDown(let epoch, let reason):
            guard leadingEpoch == epoch else { break }
            (cooldownUntil, cooldownEpoch) = (now + settings.ttl, epoch)
            resign(reason, isOrderly: true, now, &directives)
        case .freed(let epoch): freed(epoch, now, &directives)
        case .stalled(let epoch): if departingEpoch == epoch { letRunOut(&directives) }
        case .stop: stop(now, &directives)
        }
        attempt(now, &directives)
        return directives
    }

    // MARK: - Time

    private mutating func expire(_ now: BootInstant, _ directives: inout [ElectionDirective]) {
        switch state {
        case .leading(let term) where now >= term.deadline:
            resign("the lease could not be renewed in time", isOrderly: false, now, &directives)
        case .resigning(let departure):
            if let until = departure.keptUntil, now >= min(until, departure.term.deadline) { letRunOut(&directives) }
            // The row has run out by itself; groups that are not free yet go on being freed, or are left to the guard.
            if now >= departure.term.expiry { state = isStopping ? .stopped : .watching(nil) }
        default: break
        }
        if let cooldown = cooldownUntil, now >= cooldown, departingEpoch != cooldownEpoch { cooldownUntil = nil }
        if let backoff = backoffUntil, now >= backoff { backoffUntil = nil }
    }

    /// Looks at the row, or renews it, when it is time.
    private mutating func attempt(_ now: BootInstant, _ directives: inout [ElectionDirective]) {
        switch state {
        case .watching:
            let isTime = now >= nextAttempt ?? now
            if isTime { nextAttempt = now + jitter.shorten(settings.pollInterval) }
            let isExtra = earlyPoll.map { now >= $0 } ?? false
            if isExtra { earlyPoll = endOfTTL(after: now) }
            if isTime || isExtra { directives.append(.observe) }
        case .leading(var term):
            if renew(&term, now, &directives) { state = .leading(term) }
        case .resigning(var departure):
            guard departure.keptUntil != nil, renew(&departure.term, now, &directives) else { break }
            state = .resigning(departure)
        case .acquiring, .stopped: break
        }
        if let wake = nextWake { directives.append(.wake(at: wake)) }
    }

    private mutating func renew(
        _ term: inout Term,
        _ now: BootInstant,
        _ directives: inout [ElectionDirective]
    ) -> Bool {
        guard term.renewalIssuedAt == nil, now >= nextAttempt ?? now else { return false }
        term.renewalIssuedAt = now
        directives.append(.renew(epoch: term.epoch))
        nextAttempt = now + jitter.shorten(settings.pollInterval)
        return true
    }

    private var nextWake: BootInstant? {
        func beforeDeadline(_ term: Term) -> BootInstant {
            term.renewalIssuedAt == nil ? min(nextAttempt ?? term.deadline, term.deadline) : term.deadline
        }
        switch state {
        case .watching: return [nextAttempt, earlyPoll].compactMap(\.self).min()
        case .leading(let term): return beforeDeadline(term)
        case .resigning(let departure):
            return departure.keptUntil.map { min($0, beforeDeadline(departure.term)) } ?? departure.term.expiry
        case .acquiring, .stopped: return nil
        }
    }

    // MARK: - Not leading

    private mutating func observed(
        _ lease: Lease,
        _ startedAt: BootInstant,
        _ takeoverReason: String?,
        _ now: BootInstant,
        _ directives: inout [ElectionDirective]
    ) {
        guard case .watching(let watch) = state else { return }
        trouble = nil
        if lease.epoch > cooldownEpoch { cooldownUntil = nil }
        let poll = Watch.Look(of: lease, from: startedAt, to: now)
        let current: Watch
        if let watch, watch.isOf(lease) {
            current = watch.joined(by: poll, atMost: settings.longestGap(for: lease))
        } else {
            current = Watch(poll)
            earlyPoll = nil
        }
        state = .watching(current)
        earlyPoll = earlyPoll ?? endOfTTL(after: now)
        let refusal = self.refusal
        self.refusal = nil
        // A row of an older state says nothing of who leads, and nobody leads there until a person has decided.
        guard inhibitor == nil, !isStopping, lease.suspension == nil, backoffUntil == nil else { return }
        let reason: String
        if let takeoverReason {
            // Whoever has just handed over lets another go first.
            guard cooldownUntil == nil else { return }
            reason = takeoverReason
        } else if lease.isHeld, current.waited >= .milliseconds(lease.ttl) {
            reason = "no renewal by \(lease.holder) for \(lease.ttl) ms"
        } else {
            return
        }
        state = .acquiring(issuedAt: now, watch: current)
        self.refusal = refusal
        earlyPoll = nil
        directives.append(.acquire(watched: lease, reason: reason))
    }

    /// From when on the row that is watched may be taken over, unless it changes; nil when that moment has been.
    private func endOfTTL(after now: BootInstant) -> BootInstant? {
        guard case .watching(let watch?) = state, watch.lease.isHeld else { return nil }
        let end = watch.waitsSince + min(.milliseconds(watch.lease.ttl), Self.farthestPoll)
        return end > now ? end : nil
    }

    /// All followers of that host hear of it at once, and are not to meet at the file.
    private mutating func holderEnded(_ epoch: Int, _ now: BootInstant) {
        guard case .watching(let watch?) = state, watch.lease.epoch == epoch else { return }
        let poll = now + jitter.spread(over: settings.spread)
        earlyPoll = min(earlyPoll ?? poll, poll)
    }

    private mutating func acquired(_ lease: Lease, _ now: BootInstant, _ directives: inout [ElectionDirective]) {
        guard case .acquiring(let issuedAt, _) = state else { return }
        refusal = nil
        let deadline = issuedAt + settings.renewDeadline
        let expiry = issuedAt + settings.ttl
        guard now < deadline, inhibitor == nil, !isStopping else {
            // Too late, or not wanted any more. Nothing was done under this term, so it can be given back at once.
            directives.append(.release(epoch: lease.epoch, reason: "leadership was not started"))
            state = isStopping ? .stopped : .watching(nil)
            return
        }
        state = .leading(Term(epoch: lease.epoch, deadline: deadline, expiry: expiry, acquiredAt: issuedAt))
        nextAttempt = now + jitter.shorten(settings.pollInterval)
        directives.append(.assume(epoch: lease.epoch, deadline: deadline))
    }

    private mutating func acquisitionFailed(_ event: ElectionEvent, _ now: BootInstant) {
        guard case .acquiring = state else { return }
        refusal = nil
        switch event {
        case .acquisitionFailed(let reason): trouble = reason
        // The row is another one by now: whose?
        default: earlyPoll = now
        }
        state = isStopping ? .stopped : .watching(nil)
    }

    /// The row is as it was watched, so what was waited counts: the next look tries again.
    private mutating func acquisitionRefused(_ reason: String) {
        guard case .acquiring(_, let watch) = state else { return }
        refusal = reason
        state = isStopping ? .stopped : .watching(watch)
    }

    // MARK: - Leading

    private mutating func renewed(_ epoch: Int, _ now: BootInstant, _ directives: inout [ElectionDirective]) {
        switch state {
        case .leading(var term):
            guard extend(&term, epoch) else { return }
            let wasSuspended = term.suspension != nil
            term.suspension = nil
            state = .leading(term)
            trouble = nil
            // The renewal itself may have taken longer than what it gained.
            guard now < term.deadline else { return expire(now, &directives) }
            // What was known before is not to be relied on: all of it is read again.
            directives.append(
                wasSuspended
                    ? .assume(epoch: term.epoch, deadline: term.deadline)
                    : .extend(epoch: term.epoch, deadline: term.deadline)
            )
        case .resigning(var departure):
            guard extend(&departure.term, epoch) else { return }
            state = .resigning(departure)
            guard departure.keptUntil != nil, now < departure.term.deadline else { return expire(now, &directives) }
            directives.append(.keep(epoch: epoch, deadline: departure.term.deadline))
        case .watching, .acquiring, .stopped: break
        }
    }

    private func extend(_ term: inout Term, _ epoch: Int) -> Bool {
        guard term.epoch == epoch, let issuedAt = term.renewalIssuedAt else { return false }
        term.renewalIssuedAt = nil
        term.deadline = issuedAt + settings.renewDeadline
        term.expiry = max(term.expiry, issuedAt + settings.ttl)
        return true
    }

    /// Others honour the lease as long as it is renewed, in an older state of the store as well. So the groups stay where they
    /// are, and nothing else is done. Who has begun to let them go, because it was told to, goes on with that.
    private mutating func suspended(
        _ epoch: Int,
        _ reason: String,
        _ isRenewed: Bool,
        _ now: BootInstant,
        _ directives: inout [ElectionDirective]
    ) {
        if isRenewed, departingEpoch == epoch { return renewed(epoch, now, &directives) }
        guard case .leading(var term) = state, term.epoch == epoch else { return }
        let isNews = term.suspension == nil
        term.suspension = reason
        if isRenewed {
            _ = extend(&term, epoch)
        } else if isNews {
            // A renewal tells whether the lease can be held there.
            nextAttempt = now
        }
        state = .leading(term)
        if isNews { directives.append(.suspend(epoch: epoch, reason: reason)) }
        guard now < term.deadline else { return expire(now, &directives) }
        if isRenewed { directives.append(.hold(epoch: epoch, deadline: term.deadline)) }
    }

    private mutating func renewalFailed(_ epoch: Int, _ reason: String) {
        switch state {
        case .leading(var term) where term.epoch == epoch:
            trouble = reason
            term.renewalIssuedAt = nil
            state = .leading(term)
        case .resigning(var departure) where departure.term.epoch == epoch:
            departure.term.renewalIssuedAt = nil
            state = .resigning(departure)
        default: break
        }
    }

    private mutating func inhibited(_ reason: String?, _ now: BootInstant, _ directives: inout [ElectionDirective]) {
        inhibitor = reason
        guard let reason else {
            // What stood in the way is gone: no reason to wait for the next look.
            if case .watching = state { nextAttempt = now }
            return
        }
        resign(reason, isOrderly: true, now, &directives)
    }

    private mutating func backOff(_ epoch: Int, _ now: BootInstant) {
        guard case .leading(let term) = state, term.epoch == epoch, now < term.acquiredAt + settings.ttl else { return }
        backoffUntil = now + settings.ttl
    }

    /// Ends that very term, if it lasts: it is lost, or nobody knows.
    private mutating func lose(
        _ epoch: Int,
        _ reason: String,
        _ now: BootInstant,
        _ directives: inout [ElectionDirective]
    ) {
        if leadingEpoch == epoch { resign(reason, isOrderly: false, now, &directives) }
        if departingEpoch == epoch { letRunOut(&directives) }
    }

    /// - Parameter isOrderly: the lease is held, and is kept until the groups are free.
    private mutating func resign(
        _ reason: String,
        isOrderly: Bool,
        _ now: BootInstant,
        _ directives: inout [ElectionDirective]
    ) {
        guard case .leading(var term) = state else { return }
        lastTerm = (term.epoch, reason)
        term.expiry = max(term.expiry, now)
        state = .resigning(
            Departure(term: term, reason: reason, keptUntil: isOrderly ? now + settings.longestDeparture : nil)
        )
        if !isOrderly { nextAttempt = nil }
        directives.append(.resign(epoch: term.epoch, reason: reason, isOrderly: isOrderly))
        if isOrderly { directives.append(.keep(epoch: term.epoch, deadline: term.deadline)) }
    }

    /// The lease is not renewed any more: others take over when it has run out.
    private mutating func letRunOut(_ directives: inout [ElectionDirective]) {
        guard case .resigning(var departure) = state, departure.keptUntil != nil else { return }
        departure.keptUntil = nil
        state = .resigning(departure)
        nextAttempt = nil
        directives.append(.letRunOut(epoch: departure.term.epoch))
    }

    private mutating func freed(_ freed: Int, _ now: BootInstant, _ directives: inout [ElectionDirective]) {
        guard case .resigning(let departure) = state, departure.term.epoch == freed else { return }
        directives.append(.release(epoch: freed, reason: departure.reason))
        // From now on another can have it.
        if cooldownUntil != nil, cooldownEpoch == freed { cooldownUntil = now + settings.ttl }
        state = isStopping ? .stopped : .watching(nil)
        nextAttempt = isStopping ? nil : now + jitter.shorten(settings.pollInterval)
    }

    private mutating func stop(_ now: BootInstant, _ directives: inout [ElectionDirective]) {
        isStopping = true
        switch state {
        case .leading: resign("stopped", isOrderly: true, now, &directives)
        case .watching: state = .stopped
        case .acquiring, .resigning, .stopped: break
        }
    }
}

extension Election {
    public var isLeading: Bool { leadingEpoch != nil }

    /// The epoch in which this replica leads; nil when it does not.
    var leadingEpoch: Int? {
        guard case .leading(let term) = state else { return nil }
        return term.epoch
    }

    /// The epoch whose groups are being let go while the row may still name this replica.
    private var departingEpoch: Int? {
        guard case .resigning(let departure) = state else { return nil }
        return departure.term.epoch
    }

    public var isStopped: Bool {
        guard case .stopped = state else { return false }
        return true
    }
}
