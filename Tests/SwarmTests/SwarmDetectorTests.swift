import Replication
import SeededRandom
import Swarm
import Testing

/// A detector with a time line in milliseconds.
private struct Bench {
    static let origin = ContinuousClock.now
    static func at(_ milliseconds: Int) -> ContinuousClock.Instant { origin + .milliseconds(milliseconds) }

    var detector: SwarmDetector

    /// Without a settling time, if not said otherwise: two answers are enough.
    init(limit: Int = 3000, answerLimit: Int = 2000, settling: Int = 0) {
        detector = SwarmDetector(
            SwarmDetectorSettings(
                limit: .milliseconds(limit),
                answerLimit: .milliseconds(answerLimit),
                settling: .milliseconds(settling)
            )
        )
    }

    mutating func see(_ answer: SwarmObservation.Answer, _ asked: Int, _ answered: Int? = nil) {
        detector.handle(
            SwarmObservation(answer, askedAt: Self.at(asked), answeredAt: Self.at(answered ?? asked + 10))
        )
    }

    func leads(_ now: Int) -> Bool { detector.claim(at: Self.at(now)).isLeader }
    func claim(_ now: Int) -> LeadershipClaim { detector.claim(at: Self.at(now)) }
}

private let leader = SwarmObservation.Answer.leader(canSeeMajority: true)
private let cutOff = SwarmObservation.Answer.leader(canSeeMajority: false)
private let unknown = SwarmObservation.Answer.unknown(reason: "no answer")

@Suite("The detector's claim")
struct SwarmDetectorTests {
    @Test func `Nothing seen, nothing claimed`() {
        #expect(!Bench().leads(0))
    }

    @Test func `One answer is not enough, two are`() {
        var bench = Bench()
        bench.see(leader, 0)
        #expect(!bench.leads(20))
        bench.see(leader, 1000)
        #expect(bench.claim(1020) == .leader(until: Bench.at(4000)))
    }

    @Test(arguments: [SwarmObservation.Answer.follower, .excluded(reason: "worker"), unknown, cutOff])
    func `Anything between the two begins the count anew`(_ other: SwarmObservation.Answer) {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(other, 500)
        bench.see(leader, 1000)
        #expect(!bench.leads(1020))
        bench.see(leader, 1500)
        #expect(bench.leads(1520))
    }

    @Test func `Two questions at the same time are one`() {
        var bench = Bench()
        bench.see(leader, 0, 500)
        bench.see(leader, 100, 600)
        #expect(!bench.leads(610))
        bench.see(leader, 499, 700)
        #expect(!bench.leads(710))
        bench.see(leader, 500, 710)
        #expect(bench.leads(720))
    }

    @Test(arguments: [SwarmObservation.Answer.follower, .excluded(reason: "worker"), cutOff])
    func `A clear no ends the claim at once`(_ no: SwarmObservation.Answer) {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 1000)
        bench.see(no, 1500, 1600)
        #expect(!bench.leads(1600))
        bench.see(leader, 2000)
        #expect(!bench.leads(2020))
    }

    @Test func `A claim outlives an unknown, up to its limit, which counts from before the last good question`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 1000, 1900)
        bench.see(unknown, 2000, 2500)
        #expect(bench.leads(3999))
        #expect(!bench.leads(4000))
    }

    @Test func `Silence ends a claim as an unknown does`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 1000)
        #expect(bench.leads(3999))
        guard case .unknown(let reason) = bench.claim(4000) else {
            Issue.record("\(bench.claim(4000))")
            return
        }
        #expect(reason.contains("3.0 seconds"))
    }

    @Test func `After an unknown one answer alone does not prolong the claim`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 1000)
        bench.see(unknown, 1500)
        bench.see(leader, 2000)
        #expect(bench.claim(2020) == .leader(until: Bench.at(4000)))
        bench.see(leader, 2500)
        #expect(bench.claim(2520) == .leader(until: Bench.at(5500)))
    }

    @Test func `What was asked before the unknown came does not count`() {
        var bench = Bench()
        bench.see(unknown, 0, 1000)
        bench.see(leader, 500, 1010)
        bench.see(leader, 999, 1020)
        bench.see(leader, 1100)
        #expect(!bench.leads(1120))
        bench.see(leader, 1200)
        #expect(bench.leads(1220))
    }

    @Test func `A claim that has run out needs two answers again`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 1000)
        bench.see(leader, 4100)
        #expect(!bench.leads(4120))
        bench.see(leader, 4200)
        #expect(bench.leads(4220))
    }

    @Test func `What was said before a silence says nothing after it`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 3011)
        #expect(!bench.leads(3030))
        var other = Bench()
        other.see(leader, 0)
        other.see(leader, 3010)
        #expect(other.leads(3030))
    }

    @Test func `An answer that took too long is an unknown`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 100, 2101)
        #expect(!bench.leads(2110))
        bench.see(leader, 2200)
        #expect(!bench.leads(2220))
        bench.see(leader, 2300)
        #expect(bench.leads(2320))
        // Even a no: it is not known what holds now. The claim stands on what it had.
        bench.see(.follower, 2400, 4401)
        #expect(bench.leads(4410))
        #expect(!bench.leads(5300))
    }

    @Test func `An answer just in time counts`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 100, 2100)
        #expect(bench.leads(2110))
    }

    @Test(arguments: [leader, .follower, unknown, cutOff])
    func `What was asked before a newer one is nothing`(_ late: SwarmObservation.Answer) {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 1000)
        bench.see(late, 500, 1500)
        #expect(bench.claim(1510) == .leader(until: Bench.at(4000)))
        var other = Bench()
        other.see(.follower, 1000)
        other.see(late, 500, 1500)
        #expect(other.claim(1510) == .follower)
    }

    @Test func `An answer that comes after what it would gain`() {
        var bench = Bench(limit: 1000, answerLimit: 2000)
        bench.see(leader, 0)
        bench.see(leader, 500, 1500)
        #expect(!bench.leads(1500))
    }

    @Test func `The answers span the settling time`() {
        var bench = Bench(settling: 3500)
        for asked in stride(from: 0, through: 3500, by: 500) {
            bench.see(leader, asked)
            #expect(!bench.leads(asked + 20))
        }
        bench.see(leader, 3510)
        #expect(bench.leads(3530))
        #expect(SwarmDetectorSettings().settling > SwarmDetectorSettings().limit)
        #expect(SwarmDetectorSettings(limit: .seconds(9)).settling > .seconds(9))
    }

    @Test func `An engine that was stopped answers once from its old state`() {
        var bench = Bench()
        bench.see(leader, 0)
        bench.see(leader, 1000)
        bench.see(unknown, 2000, 3000)
        bench.see(unknown, 3000, 4000)
        #expect(!bench.leads(4000))
        bench.see(leader, 4000)
        bench.see(unknown, 5000)
        #expect(!bench.leads(5020))
        bench.see(.follower, 6000)
        #expect(bench.claim(6020) == .follower)
    }

    // MARK: - Without settling

    @Test func `When the leader before has let go, two answers are enough`() {
        var bench = Bench(settling: 3500)
        bench.detector.skipSettling()
        bench.see(leader, 0)
        bench.detector.skipSettling()
        #expect(!bench.leads(20))
        bench.see(leader, 500)
        #expect(!bench.leads(520))
        bench.detector.skipSettling()
        #expect(bench.claim(520) == .leader(until: Bench.at(3500)))
        // From then on it is a claim like others.
        bench.see(leader, 1000)
        #expect(bench.claim(1020) == .leader(until: Bench.at(4000)))
        bench.see(cutOff, 1100)
        bench.detector.skipSettling()
        #expect(!bench.leads(1120))
    }

    @Test(arguments: [SwarmObservation.Answer.follower, .excluded(reason: "worker"), unknown, cutOff])
    func `Nothing is skipped after another answer`(_ other: SwarmObservation.Answer) {
        var bench = Bench(settling: 3500)
        bench.see(leader, 0)
        bench.see(leader, 500)
        bench.see(other, 1000)
        let before = bench.claim(1020)
        bench.detector.skipSettling()
        #expect(bench.claim(1020) == before && !bench.leads(1020))
        bench.see(leader, 1500)
        bench.detector.skipSettling()
        #expect(!bench.leads(1520))
    }

    @Test func `What is skipped counts from the last question, and prolongs no claim`() {
        var bench = Bench(settling: 3500)
        bench.see(leader, 0)
        bench.see(leader, 500)
        bench.detector.skipSettling()
        bench.see(unknown, 1000)
        bench.detector.skipSettling()
        #expect(bench.leads(3499) && !bench.leads(3500))
        // Long after the two answers they say nothing any more.
        var other = Bench(settling: 3500)
        other.see(leader, 0)
        other.see(leader, 500)
        other.detector.skipSettling()
        #expect(!other.leads(3600))
    }

    // MARK: - At random

    /// Never a claim that the rules, written down once more in another way, do not give.
    @Test func `No sequence gives a claim that the rules forbid`() async {
        var random = SeededGenerator(20_261_122)
        for _ in 0..<3000 {
            await Task.yield()
            var bench = Bench(settling: 1200)
            var now = 0
            var seen: [(answer: SwarmObservation.Answer, asked: Int, answered: Int)] = []
            for _ in 0..<25 {
                let asked = max(0, now - Int.random(in: 0...200, using: &random))
                let took = Int.random(in: 0...10, using: &random) == 0 ? 2500 : Int.random(in: 1...900, using: &random)
                let answer =
                    [leader, leader, leader, leader, leader, leader, cutOff, .follower, unknown, unknown]
                    .randomElement(using: &random) ?? leader
                now = max(now, asked + took)
                bench.see(answer, asked, now)
                seen.append((answer, asked, now))
                let later = now + Int.random(in: 0...3500, using: &random)
                if bench.leads(later) { #expect(Self.isAllowed(seen, later), "\(seen) at \(later)") }
                now += Int.random(in: 0...700, using: &random)
            }
        }
    }

    /// Two leader answers that did not overlap, with nothing but leader answers asked from the first on and taken into
    /// account until the second, far enough apart, and no clear no since.
    private static func isAllowed(
        _ seen: [(answer: SwarmObservation.Answer, asked: Int, answered: Int)],
        _ now: Int
    ) -> Bool {
        var newest = -1
        var counted: [(answer: SwarmObservation.Answer, asked: Int, answered: Int)] = []
        for one in seen where one.asked >= newest {
            newest = one.asked
            counted.append(one.answered - one.asked > 2000 ? (unknown, one.asked, one.answered) : one)
        }
        guard let last = counted.lastIndex(where: { $0.answer == leader && now < $0.asked + 3000 }) else {
            return false
        }
        guard !counted[last...].contains(where: { $0.answer == .follower || $0.answer == cutOff }) else { return false }
        return counted.indices.contains { end in
            guard counted[end].answer == leader, now < counted[end].asked + 3000 else { return false }
            guard !counted[end...].contains(where: { $0.answer == .follower || $0.answer == cutOff }) else {
                return false
            }
            return counted[..<end].indices.contains { first in
                counted[first].answer == leader && counted[end].asked >= counted[first].answered
                    && counted[first...end].allSatisfy { $0.answer == leader }
            }
        }
    }

    /// Two managers ask their own Engines, whose office moves at random; an Engine tells the truth of the moment at which
    /// it answers. Whatever the pace, they never claim at once, because the settling time is longer than a claim.
    @Test func `Two replicas never claim at once while their Engines tell the truth`() async {
        var random = SeededGenerator(1)
        var claims = 0
        for _ in 0..<300 {
            await Task.yield()
            var benches = [Bench(settling: 3500), Bench(settling: 3500)]
            var next = [0, Int.random(in: 0...1000, using: &random)]
            var office = 0
            var moves = Int.random(in: 3000...9000, using: &random)
            for now in stride(from: 0, to: 40_000, by: 50) {
                if now >= moves {
                    office = 1 - office
                    moves = now + Int.random(in: 500...15_000, using: &random)
                }
                for replica in 0...1 where now >= next[replica] {
                    let took = Int.random(in: 0...900, using: &random)
                    let isLost = Int.random(in: 0..<6, using: &random) == 0
                    // Asked before, answered now.
                    let answer: SwarmObservation.Answer = isLost ? unknown : office == replica ? leader : .follower
                    benches[replica].see(answer, now - took, now)
                    next[replica] = now + took + Int.random(in: 100...1000, using: &random)
                }
                let leads = benches.map { $0.leads(now) }
                #expect(leads != [true, true])
                if leads.contains(true) { claims += 1 }
            }
        }
        #expect(claims > 30_000)
    }
}
