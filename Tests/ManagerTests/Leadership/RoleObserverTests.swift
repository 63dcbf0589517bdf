import GroupSPI
import Store
import Testing

@testable import Manager

struct RoleObserverTests {
    private func standing(_ reason: String) -> ReplicaStatus {
        ReplicaStatus(role: .follower, reason: reason, lease: nil)
    }

    @Test func tellsNothingBeforeTheFirstLook() async {
        let board = RoleObserver()
        var standings = board.standings.makeAsyncIterator()
        board.post(standing("waits"), hasLooked: false)
        board.post(standing("has looked"))
        #expect(await standings.next()?.reason == "has looked")
    }

    @Test func theFirstLookIsNewsAlsoWhenNothingElseIs() async {
        let board = RoleObserver()
        var standings = board.standings.makeAsyncIterator()
        board.post(board.current)
        #expect(await standings.next() == board.current)
    }

    @Test func aLateReaderGetsTheStandingOfNow() async {
        let board = RoleObserver()
        board.post(standing("first"))
        board.post(standing("second"))
        var standings = board.standings.makeAsyncIterator()
        #expect(await standings.next()?.reason == "second")
        board.post(standing("second"))
        board.post(standing("third"))
        #expect(await standings.next()?.reason == "third")
    }

    /// Of what was known once, its age is known now.
    @Test func aLeaderIsNamedForAsLongAsItsLeaseLasts() async {
        let clock = TestClock()
        let board = RoleObserver(clock: clock)
        let lease = Lease.held(epoch: 3, by: "two", ttl: 9000)
        let follower = ReplicaStatus(role: .follower, reason: ReplicaStatus.naming(lease), lease: lease)
        board.post(follower, since: clock.now())
        clock.advance(by: .milliseconds(8999))
        let named = "this replica is not the leader: two leads (epoch 3)"
        #expect(await board.refusal(of: .change, looking: { .nobody(since: 3) }) == "\(named); send the change to it")
        #expect(await board.refusal(of: .question, looking: { .nobody(since: 3) }) == "\(named); ask it")
        clock.advance(by: .milliseconds(25_001))
        let old = "two led in epoch 3, and its lease was last seen renewed 34s ago"
        for wish in [RoleObserver.Wish.change, .question] {
            let refusal = await board.refusal(of: wish) { lease }
            #expect(refusal == "this replica is not the leader, and no leader is known: \(old)")
        }
        #expect(board.leader == nil && board.reason == old)
        // The store is away: that is said too.
        board.post(ReplicaStatus(role: .unknown, reason: "cannot read the lease: no answer", lease: lease), since: nil)
        #expect(board.reason == "cannot read the lease: no answer; \(old)")
        // It is back, and the leader lives.
        let renewed = Lease.held(epoch: 3, sequence: 9, by: "two", ttl: 9000)
        board.post(
            ReplicaStatus(role: .follower, reason: ReplicaStatus.naming(renewed), lease: renewed),
            since: clock.now()
        )
        #expect(board.leader == renewed && board.reason == "two leads in epoch 3")
    }

    /// Whatever the clock of the leader's host says: its times are not looked at.
    @Test func theAgeOfARowIsCountedByThisReplicasClock() {
        let clock = TestClock()
        let board = RoleObserver(clock: clock)
        let lease = Lease.held(epoch: 3, sequence: 5, by: "two", ttl: 9000)
        #expect(board.age(of: lease) == .zero)
        board.post(ReplicaStatus(role: .follower, reason: "", lease: lease), since: clock.now())
        clock.advance(by: .seconds(7))
        #expect(board.age(of: lease) == .seconds(7))
        #expect(board.age(of: lease.seen(at: 253_402_300_799_000, sequence: 5)) == .seconds(7))
        // The copy of a swarm's lease is written less often than it is looked at.
        #expect(board.age(of: .held(epoch: 3, sequence: 4, by: "two", ttl: 9000)) == .seconds(7))
        #expect(board.age(of: .held(epoch: 3, sequence: 6, by: "two", ttl: 9000)) == .zero)
        #expect(board.age(of: .held(epoch: 4, sequence: 1, by: "one", ttl: 9000)) == .zero)
    }

    /// Whatever this replica takes itself for: who leads is read before anybody is told that nobody does.
    @Test func thatNobodyLeadsIsReadFirst() async {
        let clock = TestClock()
        let other = Lease.held(epoch: 4, by: "two", ttl: 9000)
        let old = Lease.held(epoch: 3, by: "one", ttl: 9000)
        let standings = [
            ReplicaStatus(role: .unknown, reason: "has not read the lease yet", lease: nil),
            // It stood still: its deadline is over, and the election has not heard of that yet.
            ReplicaStatus(role: .leader, reason: "holds the lease in epoch 3", lease: old),
            ReplicaStatus(role: .leader, reason: "holds the lease in epoch 3", lease: nil),
            ReplicaStatus(role: .unknown, reason: "led in epoch 3", lease: nil),
            ReplicaStatus(role: .unknown, reason: "cannot read the lease: no answer", lease: old),
            ReplicaStatus(role: .candidate, reason: "nobody leads", lease: .released(epoch: 3)),
        ]
        for standing in standings {
            let board = RoleObserver(clock: clock, instance: old.instance)
            board.post(standing, since: clock.now())
            clock.advance(by: .seconds(10))
            let named = await board.refusal(of: .change) { other }
            #expect(
                named == "this replica is not the leader: two leads (epoch 4); send the change to it",
                "\(standing)"
            )
            let nobody = await board.refusal(of: .change) { .released(epoch: 4) }
            #expect(nobody.contains("nobody leads"), "\(standing)")
            var older = other
            older.suspension = Suspension(seen: Watermark(), lastEpoch: 0, lastNumber: 0, isExact: true)
            let suspended = await board.refusal(of: .change) { [older] in older }
            #expect(suspended.contains("nobody leads"), "\(standing)")
            let own = await board.refusal(of: .change) { old }
            #expect(own.contains(standing.role == .leader ? "try again" : "nobody else leads"), "\(standing)")
            let unread = await board.refusal(of: .change) { () throws(StoreError) in throw StoreError(.io, "gone") }
            #expect(unread.contains("the leader is not known: it cannot read the lease: gone"), "\(standing)")
        }
    }
}
