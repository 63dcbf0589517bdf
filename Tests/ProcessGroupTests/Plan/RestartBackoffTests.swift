import Testing

@testable import ProcessGroup

struct RestartBackoffTests {
    @Test func waitsLongerAfterEveryEarlyDeath() {
        var backoff = RestartBackoff(initial: .seconds(1), maximum: .seconds(10), longLife: .seconds(10))
        let waits = (0..<7).map { _ in backoff.delay(afterLife: .zero) }
        #expect(waits == [.zero, .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(10), .seconds(10)])
    }

    @Test func longLifeStartsAnew() {
        var backoff = RestartBackoff(initial: .seconds(1), maximum: .seconds(60), longLife: .seconds(10))
        for _ in 0..<5 { _ = backoff.delay(afterLife: .seconds(9)) }
        #expect(backoff.earlyDeaths == 5)
        #expect(backoff.delay(afterLife: .seconds(10)) == .zero)
        #expect(backoff.earlyDeaths == 0)
        #expect(backoff.delay(afterLife: .zero) == .zero)
        #expect(backoff.delay(afterLife: .zero) == .seconds(1))
    }

    @Test func neverOverflows() {
        var backoff = RestartBackoff(initial: .seconds(60), maximum: .seconds(3600), longLife: .seconds(10))
        for _ in 0..<10_000 { _ = backoff.delay(afterLife: .zero) }
        #expect(backoff.delay(afterLife: .zero) == .seconds(3600))
    }
}
