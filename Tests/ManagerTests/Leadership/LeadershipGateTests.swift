import GroupSPI
import Store
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

    @Test func refusalNamesTheLeader() {
        let board = StandingBoard()
        #expect(board.refusal.contains("no leader is known"))
        board.post(Standing(role: .follower, reason: "", lease: .held(epoch: 3, by: "two")))
        #expect(board.refusal == "this replica is not the leader: two leads (epoch 3); send the change to it")
        board.post(Standing(role: .candidate, reason: "nobody leads", lease: .released(epoch: 3)))
        #expect(board.refusal == "this replica is not the leader, and no leader is known: nobody leads")
        board.post(Standing(role: .leader, reason: "", lease: .held(epoch: 3, by: "one")))
        #expect(board.refusal.contains("try again"))
    }
}
