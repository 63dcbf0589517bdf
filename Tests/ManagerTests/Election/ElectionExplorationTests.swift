import Store
import Testing

@testable import Manager

/// Every sequence of events up to a depth, with small and large steps of the clock in between.
struct ElectionExplorationTests {
    @Test func noSequenceOfEventsBreaksTheInvariants() throws {
        let result = try Exploration().run(limit: 25_000)
        #expect(result.violation == nil)
        #expect(result.transitions > 300_000)
        // Otherwise the search has not come where things go wrong.
        #expect(result.depth >= 6)
        let all: Set = [
            "acquire", "assume", "extend", "hold", "keep", "letRunOut", "observe", "release", "renew", "resign",
            "suspend",
            "take over",
            "wake",
        ]
        #expect(result.seen == all)
    }

    /// The search finds what it is there to find: each of these elections is broken in one way.
    @Test(
        arguments: [
            ("the clock stands still for it", "deadline"),
            ("it forgets to resign", "resign"),
            ("it releases at once", "released"),
            ("it does not hear of hindrances", "hindered"),
            ("it never wakes", "wake"),
            ("it takes any answer for an acquisition", "assume"),
            ("it looks only once in a poll interval", "look after the end"),
            ("it does not renew while it lets go", "wake"),
            ("it keeps what it has lost", "keeps"),
            ("it goes on acting on an older state", "suspend"),
            ("it lets its groups go for an older state", "lets its groups go"),
            ("it takes an older state for a vacancy", "older state"),
            ("it counts time in which it did not look", "not watched"),
        ]
    )
    func aBrokenElectionIsFound(_ fault: String, _ word: String) throws {
        var exploration = try Exploration()
        switch fault {
        case "the clock stands still for it":
            exploration.handle = { election, event, now in
                let start = BootInstant(nanoseconds: 0)
                var event = event
                if case .observed(let lease, _, let takeoverReason) = event {
                    event = .observed(lease, startedAt: start, takeoverReason: takeoverReason)
                }
                return election.handle(event, now: start).map { directive in
                    if case .wake = directive { .wake(at: now) } else { directive }
                }
            }
        case "it forgets to resign":
            exploration.handle = { election, event, now in
                election.handle(event, now: now).filter { directive in
                    switch directive {
                    case .resign, .keep: false
                    default: true
                    }
                }
            }
        case "it releases at once":
            exploration.handle = { election, event, now in
                election.handle(event, now: now).flatMap { directive -> [ElectionDirective] in
                    guard case .resign(let epoch, let reason, _) = directive else { return [directive] }
                    return [directive, .release(epoch: epoch, reason: reason)]
                }
            }
        case "it does not hear of hindrances":
            exploration.handle = { election, event, now in
                if case .inhibited = event { return election.handle(.tick, now: now) }
                return election.handle(event, now: now)
            }
        case "it never wakes":
            exploration.handle = { election, event, now in
                election.handle(event, now: now).filter { if case .wake = $0 { false } else { true } }
            }
        case "it does not renew while it lets go":
            exploration.handle = { election, event, now in
                let directives = election.handle(event, now: now)
                guard case .resigning(let departure) = election.state, departure.keptUntil != nil else {
                    return directives
                }
                // It wakes up for the deadline alone.
                return directives.map { directive in
                    if case .wake = directive { .wake(at: departure.term.deadline) } else { directive }
                }
            }
        case "it keeps what it has lost":
            exploration.handle = { election, event, now in
                if case .stalled = event { return election.handle(.tick, now: now) }
                return election.handle(event, now: now)
            }
        case "it goes on acting on an older state":
            exploration.handle = { election, event, now in
                if case .suspended = event, election.isLeading { return election.handle(.tick, now: now) }
                return election.handle(event, now: now)
            }
        case "it lets its groups go for an older state":
            exploration.handle = { election, event, now in
                if case .suspended(let epoch, let reason, _) = event {
                    return election.handle(.storeUncertain(epoch: epoch, reason), now: now)
                }
                return election.handle(event, now: now)
            }
        case "it takes an older state for a vacancy":
            exploration.handle = { election, event, now in
                if case .observed(var lease, let startedAt, let takeoverReason) = event {
                    lease.suspension = nil
                    return election.handle(
                        .observed(lease, startedAt: startedAt, takeoverReason: takeoverReason),
                        now: now
                    )
                }
                return election.handle(event, now: now)
            }
        case "it counts time in which it did not look":
            exploration.handle = { election, event, now in
                guard case .observed(let lease, let startedAt, _) = event, case .watching(let watch?) = election.state,
                    watch.isOf(lease)
                else { return election.handle(event, now: now) }
                // As if it had looked all the time.
                var look = watch.lookedAt
                while look < startedAt {
                    let directives = election.handle(.observed(lease, startedAt: look, takeoverReason: nil), now: look)
                    if case .acquiring = election.state { return directives }
                    look = look + .seconds(1)
                }
                return election.handle(event, now: now)
            }
        case "it looks only once in a poll interval":
            exploration.handle = { election, event, now in
                election.handle(event, now: now).map { directive in
                    guard case .wake = directive, case .watching = election.state, let next = election.nextAttempt
                    else { return directive }
                    return .wake(at: next)
                }
            }
        default:
            exploration.handle = { election, event, now in
                if case .acquisitionLost = event { return election.handle(.acquired(.held(epoch: 9)), now: now) }
                return election.handle(event, now: now)
            }
        }
        let violation = try #require(exploration.run(limit: 60_000).violation)
        #expect(violation.contains(word), "\(violation)")
    }
}

/// Breadth first over all that can be told to one election.
struct Exploration {
    struct Result {
        var violation: String?
        var transitions = 0
        var depth = 0
        var seen: Set<String> = []
    }

    private struct Node {
        var election: Election
        var world: ElectionWorld
        var depth: Int
        /// Where it comes from, for the report.
        var origin: Int
    }

    let settings: ElectionSettings
    var handle: (inout Election, ElectionEvent, BootInstant) -> [ElectionDirective] = { $0.handle($1, now: $2) }
    private let steps: [Duration] = [.zero, .milliseconds(1500), .milliseconds(4500), .seconds(9)]

    init() throws {
        settings = try ElectionSettings(longestDeparture: .seconds(9))
    }

    func run(limit: Int) -> Result {
        var result = Result()
        let start = Node(
            election: Election(settings, seed: 1),
            world: ElectionWorld(settings: settings),
            depth: 0,
            origin: -1
        )
        var steps: [(origin: Int, step: Duration, event: ElectionEvent)] = []
        var level = [start]
        var known: Set<[Int]> = []
        while !level.isEmpty, known.count < limit {
            var next: [Node] = []
            for node in level {
                for step in self.steps {
                    for event in node.world.possibleEvents(after: step) {
                        var node = node
                        node.world.now = node.world.now + step
                        node.depth += 1
                        let directives = handle(&node.election, event, node.world.now)
                        result.transitions += 1
                        result.depth = max(result.depth, node.depth)
                        for directive in directives { result.seen.insert(directive.shortName) }
                        if let violation = node.world.check(event, directives, node.election) {
                            var path = ["+\(step.milliseconds) \(event)"]
                            while node.origin >= 0 {
                                let (origin, step, event) = steps[node.origin]
                                path.insert("+\(step.milliseconds) \(event)", at: 0)
                                node.origin = origin
                            }
                            result.violation = "\(violation) after \(path.joined(separator: ", "))"
                            return result
                        }
                        guard !node.world.isOver, known.insert(node.world.key(node.election)).inserted else { continue }
                        steps.append((node.origin, step, event))
                        node.origin = steps.count - 1
                        next.append(node)
                        if known.count >= limit { return result }
                    }
                }
            }
            level = next
        }
        return result
    }
}

/// What an election has been told and has asked for, and what therefore has to hold.
struct ElectionWorld {
    let settings: ElectionSettings
    var now = BootInstant(nanoseconds: 0)
    private var acquiring: BootInstant?
    private var renewing: (epoch: Int, issuedAt: BootInstant)?
    private var leading: (epoch: Int, deadline: BootInstant)?
    /// The lease is kept for letting groups go, and since when.
    private var keeping: (epoch: Int, deadline: BootInstant, since: BootInstant)?
    private var isSuspended = false
    private var unfreed: Set<Int> = []
    private var resigned: Set<Int> = []
    private var released: Set<Int> = []
    private var lastEpoch = 0
    private var isHindered = false
    private var isStopping = false
    /// Which row was found unchanged, from after the first to before the last look, without a gap between two.
    private var watched: (row: [Int], from: BootInstant, to: BootInstant)?
    private(set) var isOver = false

    init(settings: ElectionSettings) {
        self.settings = settings
    }

    /// States that differ in nothing that matters: the jitter apart, time counts only from now on.
    func key(_ election: Election) -> [Int] {
        func relative(_ instant: BootInstant?) -> Int {
            instant.map { ($0.nanoseconds - now.nanoseconds + 200_000_000) / 500_000_000 } ?? .min
        }
        var key = [
            relative(election.nextAttempt), relative(election.earlyPoll), relative(election.cooldownUntil),
            relative(election.backoffUntil), relative(renewing?.issuedAt), unfreed.count, min(lastEpoch, 2),
            (isHindered ? 1 : 0) + (isStopping ? 2 : 0),
        ]
        switch election.state {
        case .watching(let watch):
            key += [0, watch?.lease.sequence ?? -1, relative(watch?.waitsSince), relative(watch?.lookedAt)]
        case .acquiring(let issuedAt, let watch):
            key += [1, relative(issuedAt), watch.lease.sequence, relative(watch.waitsSince), relative(watch.lookedAt)]
        case .leading(let term):
            let isYoung = now < term.acquiredAt + settings.ttl
            key += [2, relative(term.deadline), relative(term.renewalIssuedAt), term.suspension == nil ? 0 : 1]
            key.append(isYoung ? 1 : 0)
        case .resigning(let departure):
            key += [
                3, relative(departure.term.expiry), relative(departure.term.deadline), relative(departure.keptUntil),
                relative(departure.term.renewalIssuedAt),
            ]
        case .stopped: key += [4]
        }
        return key
    }

    func possibleEvents(after step: Duration) -> [ElectionEvent] {
        let later = now + step
        let epoch = leading?.epoch ?? lastEpoch
        // Its ttl is over between two steps of the clock, and between two regular looks.
        let other = Lease.held(epoch: lastEpoch + 1, sequence: 8, ttl: 5000)
        var events: [ElectionEvent] = [
            .tick, .inhibited(isHindered ? nil : "hindered"), .stop, .observationFailed("io"),
            .holderEnded(epoch: lastEpoch + 1),
            .observed(.released(epoch: lastEpoch, sequence: 7), startedAt: later, takeoverReason: "released"),
            .observed(other, startedAt: later, takeoverReason: nil),
            .observed(other, startedAt: now, takeoverReason: nil),
            .observed(.held(epoch: lastEpoch + 1, sequence: 9), startedAt: later, takeoverReason: "gone"),
            .observed(.held(epoch: lastEpoch + 1, sequence: 10), startedAt: later, takeoverReason: nil),
            .observed(.ofAnOlderState(epoch: lastEpoch), startedAt: later, takeoverReason: "released"),
            // Of a term that is over, or never was.
            .suspended(epoch: epoch - 1, "older", isRenewed: true),
            .renewed(epoch: epoch - 1), .freed(epoch: epoch - 1), .storeUncertain(epoch: epoch - 1, "io"),
        ]
        if leading != nil { events.append(.suspended(epoch: epoch, "older", isRenewed: false)) }
        if leading != nil { events += [.stepDown(epoch: epoch, "asked"), .storeUncertain(epoch: epoch, "io")] }
        if let keeping { events += [.stalled(epoch: keeping.epoch), .storeUncertain(epoch: keeping.epoch, "io")] }
        if acquiring != nil {
            events += [
                .acquired(.held(epoch: lastEpoch + 1)), .acquisitionLost, .acquisitionFailed("io"),
                .acquisitionRefused("full"),
            ]
        }
        if let renewing {
            events += [
                .renewed(epoch: renewing.epoch), .renewalFailed(epoch: renewing.epoch, "busy"),
                .renewalFenced(epoch: renewing.epoch, "fenced"),
                .suspended(epoch: renewing.epoch, "older", isRenewed: true),
            ]
        }
        events += unfreed.map { .freed(epoch: $0) }
        return events
    }

    /// - Returns: what is wrong.
    mutating func check(_ event: ElectionEvent, _ directives: [ElectionDirective], _ election: Election) -> String? {
        var answeredAcquisition: (epoch: Int, issuedAt: BootInstant)?
        var answeredRenewal: (epoch: Int, issuedAt: BootInstant)?
        var (freed, lost): (Int?, Int?) = (nil, nil)
        let wasStopping = isStopping
        var isOlder = false
        let wasSuspended = isSuspended
        switch event {
        case .suspended(let epoch, _, let isRenewed):
            // At its deadline the term ends, whatever is told then.
            if let leading, leading.epoch == epoch, now < leading.deadline { (isOlder, isSuspended) = (true, true) }
            if isRenewed, let renewing, renewing.epoch == epoch {
                answeredRenewal = renewing
                self.renewing = nil
            }
        case .observed(let lease, let startedAt, _):
            isOlder = lease.suspension != nil
            watch(lease, startedAt)
        case .inhibited(let reason): isHindered = reason != nil
        case .stop: isStopping = true
        case .acquired(let lease):
            if let issuedAt = acquiring { answeredAcquisition = (lease.epoch, issuedAt) }
            acquiring = nil
        case .acquisitionLost, .acquisitionFailed, .acquisitionRefused: acquiring = nil
        case .renewed(let epoch):
            if let renewing, renewing.epoch == epoch {
                answeredRenewal = renewing
                self.renewing = nil
            }
        case .renewalFailed(let epoch, _), .renewalFenced(let epoch, _):
            if renewing?.epoch == epoch { renewing = nil }
        case .stalled(let epoch), .storeUncertain(let epoch, _): if keeping?.epoch == epoch { lost = epoch }
        case .freed(let epoch):
            if unfreed.remove(epoch) != nil { freed = epoch }
        default: break
        }
        var wake: BootInstant?
        for directive in directives {
            switch directive {
            case .observe: break
            case .acquire:
                if isOlder { return "asks for the lease of an older state" }
                if acquiring != nil { return "asks twice" }
                if leading != nil { return "asks while leading" }
                if isHindered || isStopping { return "asks while hindered or stopping" }
                if case .observed(let lease, _, nil) = event, !hasWatched(lease) {
                    return "takes over what it has not watched for a ttl"
                }
                acquiring = now
            case .renew(let epoch):
                guard let deadline = leading?.epoch == epoch ? leading?.deadline : keeping?.deadline,
                    epoch == leading?.epoch ?? keeping?.epoch
                else { return "renews what it has not" }
                if now >= deadline { return "renews at the deadline" }
                if renewing?.epoch == epoch { return "renews twice" }
                renewing = (epoch, now)
            case .assume(let epoch, let deadline) where leading?.epoch == epoch:
                guard wasSuspended, let answer = answeredRenewal, answer.epoch == epoch else {
                    return "begins anew what was not suspended"
                }
                if now >= deadline || deadline != answer.issuedAt + settings.renewDeadline {
                    return "begins anew with a wrong deadline"
                }
                isSuspended = false
                leading = (epoch, deadline)
            case .assume(let epoch, let deadline):
                guard let answer = answeredAcquisition, answer.epoch == epoch else {
                    return "assume without an acquire"
                }
                if deadline != answer.issuedAt + settings.renewDeadline { return "assume with a wrong deadline" }
                if now >= deadline { return "assume after the deadline" }
                if isHindered || isStopping { return "assume while hindered or stopping" }
                if epoch <= lastEpoch { return "the epoch does not rise" }
                lastEpoch = epoch
                leading = (epoch, deadline)
            case .extend(let epoch, let deadline):
                guard let old = leading, old.epoch == epoch, let answer = answeredRenewal, answer.epoch == epoch else {
                    return "extend without a renewal"
                }
                if isSuspended { return "extends what has to be suspended" }
                if now >= old.deadline || now >= deadline { return "extend at or after the deadline" }
                if deadline != answer.issuedAt + settings.renewDeadline { return "extend with a wrong deadline" }
                leading = (epoch, deadline)
            case .suspend(let epoch, _):
                guard leading?.epoch == epoch, isOlder, !wasSuspended else { return "suspend without a reason" }
            case .hold(let epoch, let deadline):
                guard let old = leading, old.epoch == epoch, isSuspended, let answer = answeredRenewal,
                    answer.epoch == epoch, now < old.deadline, now < deadline,
                    deadline == answer.issuedAt + settings.renewDeadline
                else { return "holds without a renewal" }
                leading = (epoch, deadline)
            case .resign(let epoch, _, let isOrderly):
                if isOlder, let leading, now < leading.deadline {
                    // The deadline of before this answer counts: an answer in time has brought another.
                    if answeredRenewal.map({ now < $0.issuedAt + settings.renewDeadline }) ?? true {
                        return "lets its groups go for an older state"
                    }
                }
                isSuspended = false
                guard let term = leading, term.epoch == epoch, resigned.insert(epoch).inserted else {
                    return "resign without a term"
                }
                if isOrderly { keeping = (epoch, term.deadline, now) }
                leading = nil
                unfreed.insert(epoch)
            case .keep(let epoch, let deadline):
                guard let kept = keeping, kept.epoch == epoch else { return "keeps what it has not" }
                let isFirst = kept.since == now && deadline == kept.deadline
                if !isFirst, deadline != (answeredRenewal?.issuedAt).map({ $0 + settings.renewDeadline }) {
                    return "keeps with a wrong deadline"
                }
                if now >= deadline { return "keeps at or after the deadline" }
                keeping = (epoch, deadline, kept.since)
            case .letRunOut(let epoch):
                guard keeping?.epoch == epoch else { return "lets run out what it has not" }
                keeping = nil
            case .release(let epoch, _):
                let isUnused = answeredAcquisition?.epoch == epoch && leading?.epoch != epoch
                guard freed == epoch || isUnused else { return "released before it was freed" }
                guard released.insert(epoch).inserted else { return "released twice" }
                lastEpoch = max(lastEpoch, epoch)
                if keeping?.epoch == epoch { keeping = nil }
            case .wake(let at): wake = at
            }
        }
        if let lost, keeping?.epoch == lost { return "keeps what is lost" }
        if let keeping, now >= min(keeping.deadline, keeping.since + settings.longestDeparture) {
            return "keeps at or after the deadline, or for too long"
        }
        return state(election, wake, freed, wasStopping)
    }

    private mutating func watch(_ lease: Lease, _ startedAt: BootInstant) {
        let row = [lease.epoch, lease.sequence, lease.suspension == nil ? 0 : 1]
        let gap = min(settings.ttl, .milliseconds(lease.ttl)) - settings.pollInterval * 2
        if let watched, watched.row == row, startedAt - watched.to <= gap {
            self.watched?.to = max(watched.to, startedAt)
        } else {
            watched = (row, now, startedAt)
        }
    }

    private func hasWatched(_ lease: Lease) -> Bool {
        watched.map { $0.to - $0.from >= .milliseconds(lease.ttl) } ?? false
    }

    private mutating func state(
        _ election: Election,
        _ wake: BootInstant?,
        _ freed: Int?,
        _ wasStopping: Bool
    ) -> String? {
        if let leading, now >= leading.deadline { return "acts after its deadline" }
        if isSuspended, case .leading(let term) = election.state, term.suspension == nil {
            return "does not suspend what it does"
        }
        if leading?.epoch != election.leadingEpoch {
            return "leads without saying so, or the other way round (resign?)"
        }
        if leading != nil, isHindered || isStopping { return "leads while hindered or stopping" }
        if isStopping, leading == nil, acquiring == nil {
            let waits: Bool
            if case .resigning(let departure) = election.state {
                waits = unfreed.contains(departure.term.epoch)
            } else {
                waits = false
            }
            if !waits, !election.isStopped { return "does not stop" }
        }
        isOver = election.isStopped
        if isOver { return isStopping ? nil : "stopped by itself" }
        if let keeping, renewing?.epoch != keeping.epoch, wake.map({ $0 > now + settings.pollInterval }) ?? true {
            return "a wake after the renewal is due"
        }
        if acquiring != nil || isStopping { return nil }
        guard let wake else { return "no wake" }
        if wake < now { return "a wake in the past" }
        if let leading, wake > leading.deadline { return "a wake after the deadline" }
        return tooLateLook(election, wake)
    }

    /// Who watches a row that stands still looks again no later than at the moment from which it may be taken over.
    private func tooLateLook(_ election: Election, _ wake: BootInstant) -> String? {
        guard case .watching(let watch?) = election.state, watch.lease.isHeld else { return nil }
        let end = watch.waitsSince + .milliseconds(watch.lease.ttl)
        return now < end && wake > end ? "a look after the end of the ttl" : nil
    }
}

extension ElectionDirective {
    fileprivate var shortName: String {
        switch self {
        case .observe: "observe"
        case .acquire(_, let reason): reason.hasPrefix("no renewal") ? "take over" : "acquire"
        case .renew: "renew"
        case .assume: "assume"
        case .extend: "extend"
        case .suspend: "suspend"
        case .hold: "hold"
        case .keep: "keep"
        case .letRunOut: "letRunOut"
        case .resign: "resign"
        case .release: "release"
        case .wake: "wake"
        }
    }
}

extension Lease {
    fileprivate static func ofAnOlderState(epoch: Int) -> Lease {
        var lease = Lease.released(epoch: epoch, sequence: 6)
        lease.suspension = Suspension(seen: Watermark(), lastEpoch: 0, lastNumber: 0, isExact: true)
        return lease
    }
}
