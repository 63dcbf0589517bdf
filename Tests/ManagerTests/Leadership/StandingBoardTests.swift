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
}
