import GroupSPI
import ManagerModels
import SeededRandom
import Store
import Testing

@testable import Manager

/// How a request is asked and waited for, against a store of which every call may fail, and tell so or not.
struct RequestCourseTests {
    private static let author = Author(user: "ann", uid: 7, host: "here")
    private static let pauses = Duration.milliseconds(50) ... .milliseconds(500)

    private static let rollback = Request.Kind.rollback(to: 1, group: nil, expectedCurrent: nil)

    private static func request(_ kind: Request.Kind = rollback) -> Request {
        Request(id: "r", kind: kind, author: author, patience: 5000)
    }

    private func course(_ kind: Request.Kind = rollback) -> RequestCourse {
        RequestCourse(Self.request(kind), patience: .seconds(5), pauses: Self.pauses, now: at(0))
    }

    private func at(_ milliseconds: Int) -> BootInstant { BootInstant(nanoseconds: milliseconds * 1_000_000) }

    private func busy() -> StoreError { StoreError(.busy, "locked") }

    private func wrong(sourceLocation: SourceLocation = #_sourceLocation) {
        Issue.record("another step", sourceLocation: sourceLocation)
    }

    private func end(_ step: RequestCourse.Step) -> RequestEnd? {
        if case .end(let end) = step { end } else { nil }
    }

    /// The worlds in which it can find itself: whatever happens, what it says in the end is true, and stays true.
    @Test(arguments: [1, 4711, UInt64.random(in: 0 ... .max)]) func whatItSaysIsTrueWhateverHappens(_ seed: UInt64) {
        var random = SeededGenerator(seed)
        var ends: [String: Int] = [:]
        for _ in 0..<4000 {
            let own = random.next()
            var world = RequestWorld(own, isShown: false)
            let end = world.run()
            ends[end.kind, default: 0] += 1
            guard world.lie == nil else {
                // The same once more: to write every step down takes far longer than the steps.
                var again = RequestWorld(own, isShown: true)
                _ = again.run()
                Issue.record("seed \(seed): \(again.lie ?? "")\n\(again.log.joined(separator: "\n"))")
                return
            }
        }
        // Otherwise the worlds are too tame to mean anything.
        for kind in ["carriedOut", "refused", "cancelled", "notSubmitted", "interrupted", "unknown"] {
            #expect(ends[kind, default: 0] > 20, "\(ends)")
        }
    }

    /// Its leader is gone: no other one is asked to step down.
    @Test func aStepDownIsNotForTheNextLeader() {
        var course = course(.stepDown)
        let own = Lease.held(epoch: 3, sequence: 7, by: "a", ttl: 9000)
        let next = Lease.held(epoch: 4, sequence: 9, by: "b", ttl: 9000)
        let request = Self.request(.stepDown)
        _ = course.handle(.submitted, now: at(0))
        let waiting = RequestSight(request: request.asked(in: 3), lease: own)
        guard case .wait = course.handle(.seen(waiting), now: at(10)) else { return wrong() }
        _ = course.handle(.waited, now: at(20))
        let taken = RequestSight(request: request.asked(in: 3), lease: next)
        guard case .cancel = course.handle(.seen(taken), now: at(30)) else { return wrong() }
        guard case .look = course.handle(.cancelled(isStored: true), now: at(40)) else { return wrong() }
        let last = RequestSight(request: request.asked(in: 3, state: .cancelled), lease: next)
        guard case .nothing(let nothing) = end(course.handle(.seen(last), now: at(50))) else { return wrong() }
        #expect(nothing.why == .leaderChanged && nothing.leader.lease == next)
    }

    /// The leader of before has it in hand: taking it back is a wish then, and what becomes of it is waited for with pauses.
    @Test func aStepDownInHandIsTakenBackOnce() {
        var course = course(.stepDown)
        let next = Lease.held(epoch: 4, sequence: 9, by: "b", ttl: 9000)
        let seen = RequestSight(request: Self.request(.stepDown).asked(in: 3, state: .forwarded), lease: next)
        _ = course.handle(.submitted, now: at(0))
        guard case .cancel = course.handle(.seen(seen), now: at(10)) else { return wrong() }
        guard case .look = course.handle(.cancelled(isStored: false), now: at(20)) else { return wrong() }
        for time in [30, 60] {
            guard case .wait = course.handle(.seen(seen), now: at(time)) else { return wrong() }
            guard case .look = course.handle(.waited, now: at(time + 20)) else { return wrong() }
        }
        guard case .unknown = end(course.handle(.seen(seen), now: at(60_000))) else { return wrong() }
    }

    /// A call that was taken up and is not answered may still be carried out; a question what would change may not.
    @Test func aQuestionThatIsNotAnsweredChangesNothing() {
        let kinds: [(Request.Kind, Bool)] = [(.preview([]), false), (.write(.stopUpdate(id: "a")), true)]
        for (kind, isUnknown) in kinds {
            var course = course(kind)
            guard case .look = course.handle(.submitted, now: at(0)) else { return wrong() }
            let taken = Request(id: "r", kind: kind, author: Self.author, patience: 5000, state: .done)
            let sight = RequestSight(request: taken, lease: .none)
            guard case .wait = course.handle(.seen(sight), now: at(100)) else { return wrong() }
            switch end(course.handle(.seen(sight), now: at(5000))) {
            case .unknown: #expect(isUnknown)
            case .carriedOut(let request, nil): #expect(!isUnknown && request.answer == nil)
            default: wrong()
            }
        }
    }

    @Test func aLockedStoreIsAskedAgainUntilTheDeadline() {
        var course = course()
        guard case .wait = course.handle(.submitFailed(busy()), now: at(1000)) else { return wrong() }
        guard case .submit = course.handle(.waited, now: at(1050)) else { return wrong() }
        guard case .nothing(let nothing) = end(course.handle(.submitFailed(busy()), now: at(5001))) else {
            return wrong()
        }
        #expect(nothing.why == .notSubmitted(busy()))
    }

    @Test func troubleWhileItWaitsSaysNothing() {
        var course = course()
        _ = course.handle(.submitted, now: at(1))
        for code in [StoreError.Code.busy, .io, .corrupt, .noAnswer, .missing] {
            guard case .wait = course.handle(.lookFailed(StoreError(code, "x")), now: at(100)) else {
                Issue.record("\(code)")
                return
            }
        }
        // At the deadline it is taken back; that this fails too is no proof of anything.
        guard case .cancel = course.handle(.lookFailed(busy()), now: at(5001)) else { return wrong() }
        guard case .wait = course.handle(.cancelFailed(busy()), now: at(6000)) else { return wrong() }
        guard case .cancel = course.handle(.waited, now: at(6100)) else { return wrong() }
        guard case .unknown(let unknown) = end(course.handle(.cancelFailed(busy()), now: at(8002))) else {
            return wrong()
        }
        #expect(unknown.trouble == busy() && unknown.revision == nil)
    }

    @Test func itTellsANewLeaderThatItWaits() {
        var course = course()
        _ = course.handle(.submitted, now: at(1))
        let request = Self.request().asked(in: 3)
        guard
            case .wait = course.handle(
                .seen(RequestSight(request: request, lease: .held(epoch: 3, by: "a"))),
                now: at(9)
            )
        else { return wrong() }
        let next = RequestSight(request: request, lease: .held(epoch: 4, by: "b"))
        guard case .renew = course.handle(.seen(next), now: at(10)) else { return wrong() }
    }

    /// In the newer file, if that is put back, the request still waits.
    @Test func whatIsTakenBackInAnOlderCopyIsNoProof() {
        var course = course()
        func sight(_ state: Request.State, sequence: Int) -> RequestCourse.Event {
            .seen(
                RequestSight(
                    request: Self.request().asked(in: 3, state: state),
                    lease: .held(epoch: 3, sequence: sequence, by: "a")
                )
            )
        }
        _ = course.handle(.submitted, now: at(1))
        _ = course.handle(sight(.waiting, sequence: 7), now: at(10))
        guard case .cancel = course.handle(sight(.waiting, sequence: 8), now: at(5001)) else { return wrong() }
        guard case .look = course.handle(.cancelled(isStored: true), now: at(5002)) else { return wrong() }
        guard case .wait = course.handle(sight(.cancelled, sequence: 5), now: at(5003)) else { return wrong() }
        // The newer file is there again, and has it still.
        var again = course
        guard case .cancel = again.handle(.waited, now: at(5100)) else { return wrong() }
        guard case .look = again.handle(.cancelled(isStored: true), now: at(5101)) else { return wrong() }
        guard case .nothing = end(again.handle(sight(.cancelled, sequence: 8), now: at(5102))) else { return wrong() }
        // Or it is not.
        guard case .unknown(let unknown) = end(course.handle(sight(.cancelled, sequence: 6), now: at(15_002))) else {
            return wrong()
        }
        #expect(unknown.trouble?.code == .stale)
    }

    @Test func whoLeadsIsToldByWhatWasSeen() {
        func leader(_ sights: [(Int, Lease)], heard: Bool = false, waitsFor: String? = nil) -> SeenLeader? {
            var course = course()
            _ = course.handle(.submitted, now: at(1))
            if heard { course.leaderHeard(looksEvery: .milliseconds(2)) }
            for (time, lease) in sights {
                let request = Self.request().asked(in: lease.epoch, waitsFor: waitsFor)
                _ = course.handle(.seen(RequestSight(request: request, lease: lease)), now: at(time))
            }
            _ = course.handle(.waited, now: at(5000))
            _ = course.handle(.lookFailed(busy()), now: at(5001))
            guard case .look = course.handle(.cancelled(isStored: true), now: at(5002)) else { return nil }
            let last = RequestSight(
                request: Self.request().asked(in: 3, state: .cancelled, waitsFor: waitsFor),
                lease: sights.last?.1 ?? .released(epoch: 3)
            )
            guard case .nothing(let nothing) = end(course.handle(.seen(last), now: at(5003))) else { return nil }
            return nothing.leader
        }
        let held = Lease.held(epoch: 3, sequence: 7, by: "a", ttl: 9000)
        let renewed = Lease.held(epoch: 3, sequence: 8, by: "a", ttl: 9000)
        let short = Lease.held(epoch: 3, sequence: 7, by: "a", ttl: 3000)
        #expect(leader([]) == SeenLeader.none)
        #expect(leader([(10, .released(epoch: 3))]) == SeenLeader.none)
        #expect(leader([(10, held)]) == .named(held))
        #expect(leader([(10, held), (2000, renewed)]) == .alive(renewed, waitsFor: nil))
        #expect(leader([(10, held)], heard: true) == .alive(held, waitsFor: nil))
        #expect(leader([(10, held)], waitsFor: "x") == .alive(held, waitsFor: "x"))
        #expect(leader([(10, short), (4000, short)]) == .silent(short, for: .milliseconds(4990)))
    }
}

extension RequestEnd {
    fileprivate var kind: String {
        switch self {
        case .carriedOut: "carriedOut"
        case .refused: "refused"
        case .nothing(let nothing):
            switch nothing.why {
            case .timeIsUp: "cancelled"
            case .interrupted: "interrupted"
            case .leaderChanged: "leaderChanged"
            case .notSubmitted: "notSubmitted"
            }
        case .unknown: "unknown"
        }
    }
}

extension Request {
    fileprivate func asked(in epoch: Int, state: State = .waiting, waitsFor: String? = nil) -> Request {
        Request(
            id: id,
            kind: kind,
            author: author,
            patience: patience,
            epoch: epoch,
            state: state,
            waitsFor: waitsFor
        )
    }
}

/// A store with one row for the request, a leader that may take it up at any moment while it waits, and calls that fail.
private struct RequestWorld {
    private var random: SeededGenerator
    private var row: Request?
    private var now = 0
    private let isTroubled: Int
    private let leaderIsThere: Bool
    private let interruptedAt: Int?
    private var hasBeenCarriedOut = false
    private(set) var log: [String] = []
    private(set) var lie: String?

    private let isShown: Bool

    init(_ seed: UInt64, isShown: Bool) {
        self.isShown = isShown
        random = SeededGenerator(seed)
        isTroubled = [0, 20, 50, 90, 100][random.below(5)]
        leaderIsThere = random.below(3) > 0
        interruptedAt = random.below(3) == 0 ? random.below(6000) : nil
    }

    private var instant: BootInstant { BootInstant(nanoseconds: now * 1_000_000) }

    mutating func run() -> RequestEnd {
        let request = Request(
            id: "r",
            kind: .rollback(to: 1, group: nil, expectedCurrent: nil),
            author: Author(user: "ann", uid: 7, host: "here"),
            patience: 5000
        )
        var course = RequestCourse(
            request,
            patience: .seconds(5),
            pauses: .milliseconds(50) ... .milliseconds(500),
            now: instant
        )
        var step = RequestCourse.Step.submit
        while true {
            if let interruptedAt, now >= interruptedAt {
                course.interrupt(instant)
                if case .submit = step { step = course.handle(.waited, now: instant) }
            }
            if isShown { log.append("\(now): \(step)") }
            if case .end(let end) = step {
                judge(end)
                return end
            }
            let event = carryOut(step, request)
            leaderActs()
            if isShown { log.append("\(now): \(event)") }
            step = course.handle(event, now: instant)
        }
    }

    private mutating func carryOut(_ step: RequestCourse.Step, _ request: Request) -> RequestCourse.Event {
        let isFailing = random.below(100) < isTroubled
        now += random.below(4) == 0 ? random.below(1500) : random.below(20)
        switch step {
        case .wait(let pause):
            now += pause.milliseconds
            return .waited
        case .look:
            if isFailing { return .lookFailed(StoreError([.busy, .io, .noAnswer][random.below(3)], "x")) }
            return .seen(RequestSight(request: row, lease: .held(epoch: 1, by: "a")))
        case .renew: return .renewed
        case .submit:
            let isStored = !isFailing || random.below(3) == 0
            if isStored, row != nil { return .submitFailed(StoreError(.conflict, "it is there")) }
            if isStored { row = request.in(.waiting) }
            guard isFailing else { return .submitted }
            let code: StoreError.Code =
                isStored ? .unknownOutcome : [.busy, .unknownOutcome, .full][random.below(3)]
            return .submitFailed(StoreError(code, "x"))
        case .cancel:
            let isDone = !isFailing || random.below(3) == 0
            if isDone, row?.state == .waiting { row = row?.in(.cancelled) }
            let isCancelled = row?.state == .cancelled
            guard isFailing else { return .cancelled(isStored: isCancelled) }
            return .cancelFailed(StoreError(isDone ? .unknownOutcome : .busy, "x"))
        case .end: return .waited
        }
    }

    private mutating func leaderActs() {
        guard leaderIsThere, row?.state == .waiting, random.below(6) == 0 else { return }
        if random.below(3) == 0 {
            row = row?.in(.refused)
        } else {
            hasBeenCarriedOut = true
            row = row?.in(.done)
        }
    }

    private mutating func judge(_ end: RequestEnd) {
        switch end {
        case .nothing, .refused:
            if hasBeenCarriedOut { lie = "it was carried out: \(end)" }
            // Nor will it be.
            if row?.state == .waiting { lie = "it may be carried out: \(end)" }
        case .carriedOut: if !hasBeenCarriedOut { lie = "it was not carried out: \(end)" }
        case .unknown: break
        }
    }
}

extension Request {
    fileprivate func `in`(_ state: State) -> Request {
        Request(id: id, kind: kind, author: author, patience: patience, epoch: 1, state: state)
    }
}
