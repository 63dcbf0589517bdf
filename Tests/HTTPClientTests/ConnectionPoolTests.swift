import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import PluginFakes
import Testing

@testable import HTTPClient

@Suite("A pool of connections")
struct ConnectionPoolTests {
    private static let question = Request(
        .POST,
        "/",
        headers: ["Content-Type": "application/json"],
        body: Array(#"{"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}"#.utf8)
    )

    /// Runs a test with a server, which answers the question, and a pool for it.
    private func withPool(
        _ script: FakeScript = .none,
        maximum: Int = 8,
        longestIdleTime: TimeAmount = .seconds(60),
        largestAnswer: Int = 1000,
        _ body: (ConnectionPool, FakePlugin) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            let fake = try FakePlugin(.v05, at: "\(directory)/s", script: script)
            defer { fake.stop() }
            let pool = Self.pool("\(directory)/s", maximum, longestIdleTime, largestAnswer)
            try await body(pool, fake)
            pool.close()
            await pool.closed()
        }
    }

    private static func pool(_ path: String, _ maximum: Int, _ longest: TimeAmount, _ largest: Int) -> ConnectionPool {
        var settings = PoolSettings(
            maximumConnections: maximum,
            connectTimeout: .hours(1),
            largestAnswer: largest
        )
        settings.longestIdleTime = longest
        let group = MultiThreadedEventLoopGroup.singleton
        return ConnectionPool(.socket(path: path), authority: "test", settings: settings, on: group)
    }

    private func ask(_ pool: ConnectionPool) async -> Outcome {
        do throws(ExchangeError) {
            return .answer(String(decoding: try await pool.exchange(Self.question).body, as: UTF8.self))
        } catch {
            return Outcome(error)
        }
    }

    private static func ok(_ body: String, _ headers: String = "") -> FakeAnswer {
        .raw("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    @Test func `Uses a connection again`() async throws {
        try await withPool { pool, fake in
            for _ in 0..<20 { #expect(await ask(pool).isAnswer) }
            #expect(fake.acceptedConnections == 1)
        }
    }

    @Test(arguments: [
        Request(.GET, "/\r\nX: y"), Request(.GET, "/ HTTP/1.1"),
        Request(.POST, "/", headers: ["Content-Type": "a\r\nX: y"], body: [1]),
        Request(.GET, "/", headers: ["X: y\n": ""]),
    ])
    func `Sends nothing of a head that would be more than one`(_ request: Request) async throws {
        try await withPool { pool, fake in
            await #expect { try await pool.exchange(request) } throws: { error in
                guard case .notSent? = error as? ExchangeError else { return false }
                return true
            }
            // Nor anything of it with the next one.
            #expect(await ask(pool).isAnswer)
            #expect(fake.acceptedConnections == 2)
        }
    }

    @Test func `Not when the server says that it closes it`() async throws {
        try await withPool(.always(Self.ok("a", "Connection: close\r\n"))) { pool, fake in
            for _ in 0..<5 { #expect(await ask(pool) == .answer("a")) }
            #expect(fake.acceptedConnections == 5)
            #expect(await comesTrue { fake.openConnections == 0 })
        }
    }

    @Test(arguments: [
        FakeAnswer.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
        .raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        .rawAndHangUp("HTTP/1.1 200 OK\r\n\r\nabc"), .rawAndHangUp("HTTP/1.0 200 OK\r\n\r\nabc"),
    ])
    func `Takes every form of an answer`(_ answer: FakeAnswer) async throws {
        try await withPool(.always(answer)) { pool, _ in
            for _ in 0..<3 { #expect(await ask(pool) == .answer("abc")) }
        }
    }

    @Test(arguments: [
        FakeAnswer.hangUp, .rawAndHangUp("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"), .rawAndHangUp("HTTP/1.1 20"),
        .raw("SSH-2.0\r\n\r\n"),
    ])
    func `Leaves a request open that was sent and not answered`(_ answer: FakeAnswer) async throws {
        try await withPool(.always(answer)) { pool, fake in
            #expect(await ask(pool) == .lost)
            #expect(fake.requests.count == 1)
            #expect(await comesTrue { fake.openConnections == 0 })
        }
    }

    @Test func `Never sends a request twice, and knows when it was not sent`() async throws {
        try await withPool { pool, fake in
            var answered = 0
            for _ in 0..<200 {
                fake.dropConnections()
                let outcome = await ask(pool)
                #expect(outcome.isAnswer || outcome == .notSent)
                if outcome.isAnswer { answered += 1 }
            }
            #expect(fake.requests.count == answered)
        }
    }

    @Test func `Lets requests beyond its connections wait`() async throws {
        try await withPool(.always(.hold("{}")), maximum: 3) { pool, fake in
            await withTaskGroup(of: Outcome.self) { tasks in
                for _ in 0..<9 { tasks.addTask { await ask(pool) } }
                for _ in 0..<3 {
                    #expect(await comesTrue { fake.heldReplies == 3 })
                    fake.releaseHeld()
                }
                for await outcome in tasks { #expect(outcome.isAnswer) }
            }
            #expect(fake.acceptedConnections == 3)
        }
    }

    @Test func `Gives a lost connection's place to those that wait`() async throws {
        try await withPool(.always(.hangUp), maximum: 1) { pool, fake in
            await withTaskGroup(of: Void.self) { tasks in
                for _ in 0..<5 { tasks.addTask { _ = await ask(pool) } }
            }
            #expect(fake.requests.count == 5)
        }
    }

    @Test func `Forgets requests that are given up, wherever they are`() async throws {
        try await withPool(.always(.hold("{}")), maximum: 1) { pool, fake in
            let (sent, waiting) = (Task { await ask(pool) }, Task { await ask(pool) })
            #expect(await comesTrue { fake.heldReplies == 1 })
            for task in [waiting, sent] {
                task.cancel()
                #expect(await task.value == .cancelled)
            }
            #expect(await comesTrue { fake.openConnections == 0 })
            let other = Task { await ask(pool) }
            #expect(await comesTrue { fake.heldReplies == 2 })
            fake.releaseHeld()
            #expect(await other.value.isAnswer)
            #expect(fake.requests.count == 2)
        }
    }

    @Test func `Closes a connection that nobody needs`() async throws {
        try await withPool(longestIdleTime: .milliseconds(50)) { pool, fake in
            for _ in 0..<3 {
                #expect(await ask(pool).isAnswer)
                #expect(await comesTrue { fake.openConnections == 0 })
            }
            #expect(fake.acceptedConnections == 3)
        }
    }

    @Test func `Ends what is under way when it is closed`() async throws {
        try await withPool(.always(.silence), maximum: 1) { pool, fake in
            async let sent = ask(pool)
            #expect(await comesTrue { fake.requests.count == 1 })
            async let waiting = ask(pool)
            #expect(await comesTrue { (try? await pool.waitingCount) == 1 })
            pool.close()
            await pool.closed()
            #expect(await sent == .poolClosed(wasSent: true))
            #expect(await waiting == .poolClosed(wasSent: false))
            #expect(await ask(pool) == .poolClosed(wasSent: false))
            #expect(await comesTrue { fake.openConnections == 0 })
        }
    }

    @Test(arguments: [(1000, true), (1001, false)])
    func `Takes answers up to its limit`(_ size: Int, _ fits: Bool) async throws {
        let text = String(repeating: "a", count: size)
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let chunked = "\(head)\(String(size, radix: 16))\r\n\(text)\r\n0\r\n\r\n"
        for answer in [Self.ok(text), .raw(chunked)] {
            try await withPool(.always(answer)) { pool, _ in
                #expect(await ask(pool) == (fits ? .answer(text) : .tooLarge))
            }
        }
    }

    @Test func `Says that there is no connection`() async throws {
        let pool = Self.pool("/nowhere/s", 1, .seconds(1), 1000)
        for _ in 0..<3 {
            #expect(await ask(pool) == .noConnection(ENOENT))
        }
        pool.close()
        await pool.closed()
    }
}

/// What becomes of a request, as tests compare it.
private enum Outcome: Equatable {
    case answer(String)
    case cancelled
    case poolClosed(wasSent: Bool)
    /// With the system's number of the error.
    case noConnection(Int32?)
    case notSent
    /// Sent, and not answered.
    case lost
    case tooLarge

    init(_ error: ExchangeError) {
        self =
            switch error {
            case .cancelled: .cancelled
            case .poolClosed(let wasSent): .poolClosed(wasSent: wasSent)
            case .noConnection(let cause): .noConnection((cause as? IOError)?.errnoCode)
            case .notSent: .notSent
            case .closedByServer, .broken: .lost
            case .tooLarge: .tooLarge
            }
    }

    var isAnswer: Bool {
        if case .answer = self { true } else { false }
    }
}
