import Store
import Testing

@testable import Replication

/// What becomes of a request that is neither asked nor settled any more.
@Suite("A request that is missing")
struct RequestSightingsTests {
    private static let start = ContinuousClock.now
    private static let rules = ReplicationRules()
    private static let request = Request(
        id: "r",
        kind: .stepDown,
        author: .tester,
        message: "m",
        time: 9,
        patience: 5000
    )

    private static func sight(_ seconds: Int = 0, epoch: Int = 3) -> RequestSightings.Sight {
        RequestSightings.Sight(at: start + .seconds(seconds), epoch: epoch)
    }

    private static func fate(
        _ sightings: RequestSightings,
        cancelled: Bool = false,
        settledFrom: Int = 0,
        after seconds: Int
    ) -> Request.State {
        sightings.fate(
            of: request,
            isCancelled: cancelled,
            settledFrom: settledFrom,
            at: start + .seconds(seconds)
        )
    }

    @Test func `It is asked again only where it was seen open, and what was settled since is known`() {
        var sightings = RequestSightings()
        // Never seen: nobody knows.
        #expect(Self.fate(sightings, after: 0) == .lost)
        sightings.see("r", Self.sight())
        #expect(Self.fate(sightings, after: 1) == .waiting)
        #expect(Self.fate(sightings, cancelled: true, after: 1) == .cancelled)
        // Its own patience, and a third of how long a leader remembers.
        #expect(Self.fate(sightings, after: 65) == .waiting && Self.fate(sightings, after: 66) == .lost)
        // A register that was written again from a replica has forgotten what was settled before that epoch.
        #expect(Self.fate(sightings, settledFrom: 3, after: 1) == .waiting)
        #expect(Self.fate(sightings, settledFrom: 4, after: 1) == .lost)
        sightings.see("r", Self.sight(60, epoch: 4))
        #expect(Self.fate(sightings, settledFrom: 4, after: 66) == .waiting)
        sightings.forgetAll(but: ["other"])
        #expect(Self.fate(sightings, after: 61) == .lost)
    }

    @Test func `A write that hung may bring it until the version has passed`() {
        var sightings = RequestSightings()
        let first = [10, 10, 11].map { sightings.isGone("r", at: $0, Self.rules) }
        #expect(first == [false, false, true])
        // From then on it counts anew.
        let again = [11, 12].map { sightings.isGone("r", at: $0, Self.rules) }
        #expect(again == [false, true])
        // What was certainly not written is missing for good.
        sightings.notWritten(["s"])
        let isGone = sightings.isGone("s", at: 10, Self.rules)
        #expect(isGone)
        // What was taken back over a version may still be there in it.
        sightings.takenBack(["t"], over: 12)
        let returned = [12, 13].map { sightings.isGone("t", at: $0, Self.rules) }
        #expect(returned == [false, true])
    }

    @Test func `What a write under way settles is left alone`() {
        var sightings = RequestSightings()
        sightings.resolve("r", Self.sight())
        #expect(sightings.resolving == ["r"])
        sightings.endResolving("r")
        #expect(sightings.resolving.isEmpty && Self.fate(sightings, after: 1) == .waiting)
    }
}
