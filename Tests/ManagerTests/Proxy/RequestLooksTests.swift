import Testing

@testable import Manager

struct RequestLooksTests {
    private let start = BootInstant(nanoseconds: 0)
    private func after(_ milliseconds: Int) -> BootInstant { start + .milliseconds(milliseconds) }

    @Test func looksAtOnceAndThenOnceInAnInterval() {
        var looks = RequestLooks(every: .seconds(1), from: start)
        #expect(looks.due == start)
        #expect(looks.begin(start) == true)
        #expect(looks.due == nil)
        #expect(looks.begin(after(5000)) == false, "one at a time")
        looks.end()
        #expect(looks.due == after(1000))
        #expect(looks.begin(after(999)) == false)
        #expect(looks.begin(after(1000)) == true)
    }

    @Test func looksAtOnceWhenItIsTold() {
        var looks = RequestLooks(every: .seconds(1), from: start)
        _ = looks.begin(start)
        looks.end()
        #expect(looks.ask(after(400)) == true)
        #expect(looks.due == after(400))
        #expect(looks.ask(after(400)) == false, "it is due already")
        #expect(looks.begin(after(400)) == true)
        looks.end()
        #expect(looks.due == after(1400))
    }

    @Test func aRequestThatCameDuringALookHasOneOfItsOwn() {
        var looks = RequestLooks(every: .seconds(1), from: start)
        _ = looks.begin(start)
        #expect(looks.ask(after(3)) == false, "nothing is due before the look has ended")
        #expect(looks.due == nil)
        looks.end()
        #expect(looks.due == after(10))
    }

    @Test func whoeverAsksWithoutEndGetsALookInTenMilliseconds() {
        var looks = RequestLooks(every: .seconds(1), from: start)
        var count = 0
        for microsecond in stride(from: 0, through: 1_000_000, by: 50) {
            let now = start + .microseconds(microsecond)
            _ = looks.ask(now)
            guard looks.begin(now) else { continue }
            count += 1
            looks.end()
        }
        #expect(count == 101)
    }

    @Test func anIntervalThatIsShorterThanThePauseStands() {
        var looks = RequestLooks(every: .milliseconds(4), from: start)
        _ = looks.begin(start)
        looks.end()
        #expect(looks.ask(after(1)) == false)
        #expect(looks.due == after(4))
    }
}
