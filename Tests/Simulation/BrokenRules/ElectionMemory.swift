internal import Manager
internal import Store

/// What a broken election remembers.
final class ElectionMemory: @unchecked Sendable {
    private var epoch = 0
    private var renewal: (epoch: Int, before: Election)?
    private var isAsking = false
    private var look: (epoch: Int, sequence: Int, from: BootInstant)?

    /// As if it had looked all the time since its last look, and found what it finds now.
    func decideAsIfAlwaysLooking(
        _ election: inout Election,
        _ event: ElectionEvent,
        _ now: BootInstant
    ) -> [ElectionDirective] {
        guard case .observed(let lease, let startedAt, let takeoverReason) = event else {
            return election.handle(event, now: now)
        }
        defer { look = (lease.epoch, lease.sequence, startedAt) }
        if takeoverReason == nil, let look, (look.epoch, look.sequence) == (lease.epoch, lease.sequence) {
            var from = look.from
            while from < startedAt {
                let directives = election.handle(.observed(lease, startedAt: from, takeoverReason: nil), now: from)
                if directives.contains(where: { if case .acquire = $0 { true } else { false } }) { return directives }
                from = from + .milliseconds(100)
            }
        }
        return election.handle(event, now: now)
    }

    /// When a renewal is answered, goes back to before it was asked for, and asks now.
    func decideAsIfAskedNow(
        _ election: inout Election,
        _ event: ElectionEvent,
        _ now: BootInstant
    ) -> [ElectionDirective] {
        if case .renewed(let answered) = event, election.isLeading, answered == epoch, let renewal,
            renewal.epoch == epoch
        {
            election = renewal.before
            let asked = election.handle(.tick, now: now).filter { if case .renew = $0 { false } else { true } }
            return asked + election.handle(event, now: now)
        }
        let before = election
        let directives = election.handle(event, now: now)
        for directive in directives {
            switch directive {
            case .assume(let epoch, _): self.epoch = epoch
            case .renew(let epoch): renewal = (epoch, before)
            default: break
            }
        }
        return directives
    }

    /// Does not hear of the time while a renewal is under way.
    func decideWhenAnswered(
        _ election: inout Election,
        _ event: ElectionEvent,
        _ now: BootInstant
    ) -> [ElectionDirective] {
        switch event {
        case .tick: if isAsking { return [] }
        case .renewed, .renewalFailed, .renewalFenced, .storeUncertain: isAsking = false
        default: break
        }
        let directives = election.handle(event, now: now)
        for case .renew in directives { isAsking = true }
        return directives
    }
}
