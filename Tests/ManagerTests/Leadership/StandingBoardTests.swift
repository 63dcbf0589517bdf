import Store
import Testing

@testable import Manager

struct StandingBoardTests {
    private func standing(_ reason: String) -> Standing { Standing(role: .follower, reason: reason, lease: nil) }

    @Test func tellsNothingBeforeTheFirstLook() async {
        let board = StandingBoard()
        var standings = board.standings.makeAsyncIterator()
        board.post(standing("waits"), hasLooked: false)
        board.post(standing("has looked"))
        #expect(await standings.next()?.reason == "has looked")
    }

    @Test func theFirstLookIsNewsAlsoWhenNothingElseIs() async {
        let board = StandingBoard()
        var standings = board.standings.makeAsyncIterator()
        board.post(board.current)
        #expect(await standings.next() == board.current)
    }

    @Test func aLateReaderGetsTheStandingOfNow() async {
        let board = StandingBoard()
        board.post(standing("first"))
        board.post(standing("second"))
        var standings = board.standings.makeAsyncIterator()
        #expect(await standings.next()?.reason == "second")
        board.post(standing("second"))
        board.post(standing("third"))
        #expect(await standings.next()?.reason == "third")
    }

    /// Of what was known once, its age is known now.
    @Test func aLeaderIsNamedForAsLongAsItsLeaseLasts() {
        let clock = TestClock()
        let board = StandingBoard(clock: clock)
        let lease = Lease.held(epoch: 3, by: "two", ttl: 9000)
        let follower = Standing(role: .follower, reason: Standing.naming(lease), lease: lease)
        board.post(follower, since: clock.now())
        clock.advance(by: .milliseconds(8999))
        #expect(board.refusal == "this replica is not the leader: two leads (epoch 3); send the change to it")
        #expect(board.refusal(of: .question) == "this replica is not the leader: two leads (epoch 3); ask it")
        clock.advance(by: .milliseconds(25_001))
        let old = "two led in epoch 3, and its lease was last seen to be renewed 34s ago"
        for wish in [StandingBoard.Wish.change, .question] {
            #expect(board.refusal(of: wish) == "this replica is not the leader, and no leader is known: \(old)")
        }
        #expect(board.leader == nil && board.reason == old)
        // The store is away: that is said too.
        board.post(Standing(role: .unknown, reason: "cannot read the lease: no answer", lease: lease), since: nil)
        #expect(board.reason == "cannot read the lease: no answer; \(old)")
        // It is back, and the leader lives.
        let renewed = Lease.held(epoch: 3, sequence: 9, by: "two", ttl: 9000)
        board.post(Standing(role: .follower, reason: Standing.naming(renewed), lease: renewed), since: clock.now())
        #expect(board.leader == renewed && board.reason == "two leads in epoch 3")
    }
}
