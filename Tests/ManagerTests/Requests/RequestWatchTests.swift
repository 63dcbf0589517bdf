import GroupSPI
import Store
import Testing

@testable import Manager

struct RequestWatchTests {
    private func at(_ seconds: Int) -> BootInstant { BootInstant(nanoseconds: seconds * 1_000_000_000) }

    private func request(_ id: String = "r", epoch: Int? = 3, patience: Int = 30_000, time: Int = 0) -> Request {
        Request(
            id: id,
            kind: .stepDown,
            author: Author(user: "ann", uid: 7, host: "here"),
            time: time,
            patience: patience,
            epoch: epoch
        )
    }

    @Test func whatIsAskedInThisEpochIsCarriedOutUntilItsPatienceIsOver() {
        var watch = RequestWatch(from: at(0))
        watch.saw([request()], lookBegan: at(1), now: at(2))
        #expect(watch.verdict(on: request(), epoch: 3, now: at(2)) == .carryOut)
        #expect(watch.verdict(on: request(), epoch: 3, now: at(32)) == .carryOut)
        #expect(watch.verdict(on: request(), epoch: 3, now: at(33)) == .overdue(.seconds(30)))
        // Seen again and again, it gets no younger.
        watch.saw([request()], lookBegan: at(32), now: at(32))
        #expect(watch.verdict(on: request(), epoch: 3, now: at(33)) == .overdue(.seconds(30)))
    }

    @Test func whatIsAskedInAnotherEpochWaitsForWhoAskedAndThenForNothing() {
        var watch = RequestWatch(from: at(0))
        watch.saw([request(epoch: 2)], lookBegan: at(1), now: at(1))
        #expect(watch.verdict(on: request(epoch: 2), epoch: 3, now: at(2)) == .wait)
        #expect(watch.verdict(on: request(epoch: 3), epoch: 3, now: at(2)) == .carryOut)
        #expect(watch.verdict(on: request(epoch: 2), epoch: 3, now: at(40)) == .overdue(.seconds(30)))
    }

    /// A program that does not tell in which epoch it asked, nor for how long.
    @Test func whatDoesNotTellIsCarriedOutForAMinute() {
        var watch = RequestWatch(from: at(0))
        let request = request(epoch: nil, patience: 0)
        watch.saw([request], lookBegan: at(1), now: at(1))
        #expect(watch.verdict(on: request, epoch: 3, now: at(60)) == .carryOut)
        #expect(watch.verdict(on: request, epoch: 3, now: at(62)) == .overdue(.seconds(60)))
    }

    /// No look succeeded for an hour, while the lease was renewed: what is found then may be an hour old.
    @Test func afterALongTimeWithoutALookNothingIsTakenForNew() {
        var watch = RequestWatch(from: at(0))
        watch.saw([], lookBegan: at(1), now: at(1))
        watch.saw([request()], lookBegan: at(3600), now: at(3600))
        #expect(watch.verdict(on: request(), epoch: 3, now: at(3600)) == .overdue(.seconds(30)))
        // Who asks after that is heard.
        watch.saw([request(), request("s")], lookBegan: at(3602), now: at(3602))
        #expect(watch.verdict(on: request("s"), epoch: 3, now: at(3602)) == .carryOut)
    }
}
