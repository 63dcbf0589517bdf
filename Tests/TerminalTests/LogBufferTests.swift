import Glibc
import Logging
import Synchronization
import Testing

@testable import Terminal

/// A stream that takes lines only while it is let.
private final class Valve: Sendable {
    private let taken = Mutex("")
    private let semaphore = Mutex(false)

    var text: String { taken.withLock { $0 } }
    func open() { semaphore.withLock { $0 = true } }

    func write(_ text: String) {
        while !semaphore.withLock({ $0 }) { usleep(500) }
        taken.withLock { $0 += text }
    }
}

@Suite struct LogBufferTests {
    private func eventually(_ what: String, _ condition: () -> Bool) async throws {
        for _ in 0..<20_000 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(1), clock: .suspending)
        }
        Issue.record("\(what) did not come true")
    }

    @Test func linesComeInTheirOrder() {
        let taken = Mutex("")
        let buffer = LogBuffer { text in taken.withLock { $0 += text } }
        #expect(!buffer.isInUse)
        for number in 1...2000 { buffer.put("line \(number)\n") }
        buffer.flush(within: .seconds(20))
        #expect(taken.withLock { $0 } == (1...2000).map { "line \($0)\n" }.joined())
        #expect(buffer.isInUse)
    }

    /// Whoever logs goes on; what does not fit is counted, and the count stands where the lines are missing.
    @Test func aStreamThatStandsStillHoldsNobodyUp() async throws {
        let valve = Valve()
        let buffer = LogBuffer(capacity: 1000) { valve.write($0) }
        buffer.tellDropped { "\($0) dropped\n" }
        for number in 1...500 { buffer.put("line \(100 + number)\n") }
        // It would wait for ever.
        buffer.flush(within: .milliseconds(10))
        #expect(valve.text == "")
        valve.open()
        try await eventually("it goes on") { valve.text.hasSuffix("dropped\n") }
        buffer.put("after\n")
        buffer.flush(within: .seconds(20))
        let lines = valve.text.split(separator: "\n").map(String.init)
        // Nine bytes each.
        #expect(lines == (101...211).map { "line \($0)" } + ["389 dropped", "after"])
    }

    @Test func aLoggerWritesIntoIt() {
        let taken = Mutex("")
        let buffer = LogBuffer { text in taken.withLock { $0 += text } }
        let logger = Logger(label: "x") { _ in
            LineLogHandler(
                level: .info,
                format: .text,
                now: { Timestamp(milliseconds: 0) },
                write: { buffer.put($0) }
            )
        }
        logger.info("it happened", metadata: ["a": "b"])
        buffer.flush(within: .seconds(20))
        #expect(taken.withLock { $0 } == "time=\"1970-01-01T00:00:00.000Z\" level=info msg=\"it happened\" a=b\n")
        let dropped = LogLine.dropped(7, time: Timestamp(milliseconds: 0)).text(.json)
        let expected =
            #"{"time":"1970-01-01T00:00:00.000Z","level":"warning","msg":"log lines dropped","lines":"7"}"#
        #expect(dropped == expected + "\n")
    }
}
