import Store
import Testing

@testable import Manager

struct ElectionSettingsTests {
    @Test func defaultsHoldTogether() throws {
        let settings = try ElectionSettings()
        #expect(settings.ttl == .seconds(9))
        #expect(settings.renewDeadline == .seconds(6))
        #expect(settings.busyTimeout < settings.pollInterval)
        let short = try ElectionSettings(
            ttl: .seconds(1),
            renewDeadline: .milliseconds(667),
            pollInterval: .milliseconds(167)
        )
        #expect(short.busyTimeout < short.pollInterval)
    }

    @Test(
        arguments: [
            (ttl: 999, deadline: 600, poll: 100, flags: ["--lease-ttl"]),
            (ttl: 9000, deadline: 6000, poll: 0, flags: ["--poll-interval"]),
            (ttl: 9000, deadline: 9000, poll: 1500, flags: ["--lease-ttl", "--renew-deadline"]),
            (ttl: 9000, deadline: 9001, poll: 1500, flags: ["--lease-ttl", "--renew-deadline"]),
            (ttl: 9000, deadline: 3000, poll: 1500, flags: ["--renew-deadline", "--poll-interval"]),
        ]
    )
    func wrongRatiosAreRefusedByTheNamesOfTheirFlags(_ ttl: Int, _ deadline: Int, _ poll: Int, _ flags: [String]) throws
    {
        let error = try #require(throws: SettingsError.self) {
            try ElectionSettings(
                ttl: .milliseconds(ttl),
                renewDeadline: .milliseconds(deadline),
                pollInterval: .milliseconds(poll)
            )
        }
        for flag in flags { #expect(error.message.contains(flag)) }
    }

    @Test func jitterShortensByATenthAtMostAndDiffers() {
        var jitter = Jitter(7)
        let values = (0..<2000).map { _ in jitter.shorten(.milliseconds(1000)) }
        #expect(values.allSatisfy { $0 >= .milliseconds(900) && $0 <= .milliseconds(1000) })
        #expect(Set(values).count > 50)
        var other = Jitter(8)
        #expect(other.shorten(.milliseconds(1000)) != values[0])
    }
}
