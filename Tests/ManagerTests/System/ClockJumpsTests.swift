import Testing

@testable import Manager

struct ClockJumpsTests {
    @Test func aClockThatIsSetIsNoticedOnceAndOneThatIsKeptRightIsNot() {
        var jumps = ClockJumps()
        var (now, wall) = (BootInstant(nanoseconds: 5_000_000_000), 1_700_000_000_000)
        func look(after seconds: Int, setBy milliseconds: Int = 0) -> Duration? {
            now = now + .seconds(seconds)
            wall += seconds * 1000 + milliseconds
            return jumps.look(now, wall: wall)
        }
        #expect(look(after: 1) == nil)
        #expect(look(after: 1, setBy: 500) == nil)
        #expect(look(after: 40_000, setBy: -900) == nil, "the host was suspended")
        #expect(look(after: 1, setBy: 3_600_000) == .seconds(3600))
        #expect(look(after: 1) == nil)
        #expect(look(after: 1, setBy: -315_360_000_000) == .seconds(-315_360_000))
        #expect(look(after: 0) == nil)
    }
}
