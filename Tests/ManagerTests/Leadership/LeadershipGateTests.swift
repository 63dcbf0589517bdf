import Testing

@testable import Manager

struct LeadershipGateTests {
    /// The clock shuts it, not somebody who has to remember.
    @Test func shutsByTheClock() {
        let clock = TestClock()
        let gate = LeadershipGate(clock: clock)
        #expect(gate.epoch == nil)
        gate.open(epoch: 4, until: clock.now() + .seconds(6))
        #expect(gate.isOpen(epoch: 4))
        #expect(!gate.isOpen(epoch: 3))
        clock.advance(by: .milliseconds(5999))
        #expect(gate.epoch == 4)
        clock.advance(by: .milliseconds(1))
        #expect(gate.epoch == nil)
        gate.open(epoch: 5, until: clock.now() + .seconds(6))
        gate.shut()
        #expect(gate.epoch == nil)
    }
}
