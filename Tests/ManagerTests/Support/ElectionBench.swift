import GroupSPI
import ManagerModels
import Store

@testable import Manager

/// An election with its clock, for tests that read like a story.
struct ElectionBench {
    var election: Election
    var now = BootInstant(nanoseconds: 0)
    let settings: ElectionSettings

    /// - Parameter settings: nil for a ttl of 9 s, a deadline of 6 s, a poll interval of 1.5 s.
    init(seed: UInt64 = 1, _ settings: ElectionSettings? = nil) throws {
        self.settings = try settings ?? ElectionSettings()
        election = Election(self.settings, seed: seed)
    }

    mutating func wait(_ duration: Duration) { now = now + duration }

    /// - Returns: what is to be done, wakes left out.
    mutating func tell(_ event: ElectionEvent) -> [ElectionDirective] {
        election.handle(event, now: now).filter { if case .wake = $0 { false } else { true } }
    }

    mutating func wake(_ event: ElectionEvent = .tick) -> BootInstant? {
        election.handle(event, now: now).compactMap { if case .wake(let at) = $0 { at } else { nil } }.last
    }

    mutating func see(_ lease: Lease, startedAt: BootInstant? = nil, isGone: Bool = false) -> [ElectionDirective] {
        let takeoverReason = lease.isHeld ? (isGone ? "the process of \(lease.holder) has ended" : nil) : "released"
        return tell(.observed(lease, startedAt: startedAt ?? now, takeoverReason: takeoverReason))
    }

    /// Looks at a row once a poll interval for so long, as the loop does; the last look is at the end.
    ///
    /// - Returns: what is to be done but to look.
    mutating func watch(_ lease: Lease, for duration: Duration) -> [ElectionDirective] {
        var (directives, rest) = ([ElectionDirective](), duration)
        while rest > .zero {
            let step = min(rest, settings.pollInterval)
            wait(step)
            rest -= step
            directives += see(lease).filter { $0 != .observe }
        }
        return directives
    }

    /// From the start to leading in epoch 1; the term counts from `now`.
    mutating func lead() {
        _ = tell(.tick)
        _ = see(.released(epoch: 0))
        _ = tell(.acquired(.held(epoch: 1)))
    }

    /// A renewal that is answered after `delay`.
    mutating func renew(after delay: Duration) -> [ElectionDirective] {
        wait(.milliseconds(1500))
        let directives = tell(.tick)
        wait(delay)
        return directives + tell(.renewed(epoch: election.leadingEpoch ?? 0))
    }
}

extension Lease {
    static func held(epoch: Int, sequence: Int = 1, by holder: Identifier = "other", ttl: Int = 9000) -> Lease {
        Lease(Replica.candidate(holder), epoch: epoch, sequence: sequence, ttl: ttl)
    }

    static func released(epoch: Int, sequence: Int = 0) -> Lease {
        held(epoch: epoch, sequence: sequence - 1).next(holder: "")
    }
}
