import Logging
import Testing

@testable import Terminal

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (1_795_360_652_123, "2026-11-22T15:17:32.123Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
    ])
    func writesAndReadsRFC3339(_ milliseconds: Int, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).rfc3339 == text)
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        ("2026-11-22T15:17:32Z", 1_795_360_652_000), ("2026-11-22T16:17:32+01:00", 1_795_360_652_000),
        ("2026-11-22t10:47:32.5-04:30", 1_795_360_652_500), ("2026-11-22 15:17:32.1239Z", 1_795_360_652_123),
    ])
    func readsZonesAndFractions(_ text: String, _ milliseconds: Int) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "now", "2026-11-22", "2026-11-22T15:17:32", "2026-13-22T15:17:32Z", "2026-11-22T25:17:32Z",
        "2026-11-22T15:17:32.Z", "2026-11-22T15:17:32+1:00", "2026-11-22T15:17:32ZZ", "x026-11-22T15:17:32Z",
    ])
    func refusesWhatHasNoZoneOrNoSense(_ text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}

@Suite struct LogLineTests {
    private let time = Timestamp(milliseconds: 1_795_360_652_123)

    @Test func writesWords() {
        let line = LogLine(
            level: "info",
            message: "role changed",
            time: time,
            fields: [("lease.epoch", "3"), ("reason", "n1 \"leads\"\n"), ("empty", "")]
        )
        #expect(
            line.text(.text)
                == "time=\"2026-11-22T15:17:32.123Z\" level=info msg=\"role changed\" lease.epoch=3 "
                + "reason=\"n1 \\\"leads\\\"\\n\" empty=\"\"\n"
        )
        #expect(
            line.text(.json)
                == "{\"time\":\"2026-11-22T15:17:32.123Z\",\"level\":\"info\",\"msg\":\"role changed\","
                + "\"lease.epoch\":\"3\",\"reason\":\"n1 \\\"leads\\\"\\n\",\"empty\":\"\"}\n"
        )
    }

    @Test(arguments: [
        (0, Logger.Level.critical), (1, .critical), (2, .error), (3, .warning), (4, .info), (5, .debug),
    ])
    func levelsAreTheOriginals(_ verbosity: Int, _ level: Logger.Level) {
        #expect(Logger.Level(verbosity: verbosity) == level)
    }
}
