import Testing

@testable import Manager

struct LeaseValidityTests {
    private let clock = TestClock()

    private func lease(_ epoch: Int = 4) -> LeaseValidity {
        LeaseValidity(epoch: epoch, until: clock.now() + .seconds(6), clock: clock)
    }

    /// The clock ends it, not somebody who has to remember.
    @Test func endsByTheClock() {
        let lease = lease()
        #expect(lease.isValid && lease.ending == nil)
        clock.advance(by: .milliseconds(5999))
        #expect(lease.isValid)
        clock.advance(by: .milliseconds(1))
        #expect(!lease.isValid && lease.ending == nil)
    }

    @Test func lastsAsLongAsItIsRenewed() {
        let lease = lease()
        clock.advance(by: .seconds(5))
        lease.extend(until: clock.now() + .seconds(6))
        clock.advance(by: .seconds(5))
        #expect(lease.isValid)
    }

    /// Whatever is said of it later: the next acquisition has another one.
    @Test(arguments: [LeaseValidity.Ending.orderly, .immediate])
    func whatIsOverStaysOver(_ ending: LeaseValidity.Ending) {
        let lease = lease()
        lease.end(ending)
        lease.extend(until: clock.now() + .seconds(60))
        #expect(!lease.isValid && lease.ending == ending)
    }

    /// What was cancelled is not waited for later; what is waited for may be cancelled.
    @Test func endingsOnlyHurry() {
        let seen = Shared<[LeaseValidity.Ending]>([])
        let (first, second) = (lease(), lease())
        for lease in [first, second] { lease.whenEnded { ending in seen.update { $0.append(ending) } } }
        first.end(.orderly)
        first.end(.orderly)
        first.end(.immediate)
        first.end(.orderly)
        #expect(seen.value == [.orderly, .immediate] && first.ending == .immediate)
        second.end(.immediate)
        second.end(.orderly)
        #expect(seen.value == [.orderly, .immediate, .immediate] && second.ending == .immediate)
    }

    @Test func whoComesLateHearsOfItAtOnce() {
        let lease = lease()
        lease.end(.orderly)
        let seen = Shared<[LeaseValidity.Ending]>([])
        lease.whenEnded { ending in seen.update { $0.append(ending) } }
        #expect(seen.value == [.orderly])
        lease.end(.immediate)
        #expect(seen.value == [.orderly, .immediate])
    }

    @Test func isRevokedWhenNothingIsWaitedFor() async {
        let (first, second) = (lease(), lease())
        first.end(.immediate)
        await first.revoked()
        let revoked = Task { await second.revoked() }
        second.end(.orderly)
        second.end(.immediate)
        await revoked.value
        let third = lease()
        let cancelled = Task { await third.revoked() }
        cancelled.cancel()
        await cancelled.value
        #expect(third.isValid)
    }
}
