import Testing

@testable import Swarm

@Suite("What the Engine's refusals mean")
struct EngineErrorTests {
    static func read(_ status: Int, _ body: String) -> EngineError {
        EngineError(status: status, body: Array(body.utf8), engine: "unix:///x")
    }

    @Test(arguments: [
        ("spare-swarm", EngineError.Code.notInSwarm), ("spare-nodes", .notInSwarm), ("worker-swarm", .worker),
        ("worker-nodes", .worker), ("locked-swarm", .locked), ("locked-nodes", .locked), ("no-quorum-swarm", .noQuorum),
        ("no-quorum-node", .noQuorum), ("no-quorum-nodes", .noQuorum), ("no-quorum-update", .noQuorum),
        ("update-stale", .lostRace), ("update-too-large", .tooLarge), ("update-no-version", .other),
        ("no-such-node", .other), ("version-too-old", .tooOld), ("version-too-new", .tooOld),
    ])
    func `Recorded answers`(_ name: String, _ code: EngineError.Code) throws {
        let recorded = try Recorded(name)
        let error = EngineError(status: recorded.status, body: recorded.body, engine: "unix:///x")
        #expect(error.code == code)
        #expect(error.status == recorded.status)
        let words = try #require(error.words)
        #expect(String(decoding: recorded.body, as: UTF8.self).contains(words.prefix(20)))
        #expect(!error.message.isEmpty && error.message.count < 400)
    }

    @Test func `Each kind has its own sentence`() throws {
        let names = [
            "spare-swarm", "worker-swarm", "locked-swarm", "no-quorum-swarm", "update-stale", "update-too-large",
            "version-too-old", "update-no-version",
        ]
        let sentences = try names.map { name in
            let recorded = try Recorded(name)
            return EngineError(status: recorded.status, body: recorded.body, engine: "unix:///x").message
        }
        #expect(Set(sentences).count == names.count)
    }

    @Test func `Refusals that say little`() {
        #expect(Self.read(403, "").code == .noRights)
        #expect(Self.read(401, "{}").code == .noRights)
        let silent = Self.read(500, "")
        #expect(silent.code == .other && silent.words == nil && silent.message.contains("HTTP 500"))
        let long = Self.read(500, String(repeating: "x", count: 10_000))
        #expect(long.message.count < 700)
        #expect(Self.read(500, "{\"message\":\"two\\nlines\"}").words == "two lines")
        #expect(Self.read(502, "<html>\n<b>Bad gateway</b></html>").message.contains("Bad gateway"))
        #expect(Self.read(500, "{\"message\":\"rpc error: desc = node lost leader status\"}").code == .noQuorum)
        #expect(
            Self.read(500, "rpc error: code = ResourceExhausted desc = grpc: received message larger than max").code
                == .tooLarge
        )
    }

    @Test func `Only an error that is known to come before the write is a clear no`() {
        let open: [EngineError.Code] = [
            .timeout, .lost, .unreachable, .malformed, .noQuorum, .cancelled, .other,
        ]
        let closed: [EngineError.Code] = [
            .settings, .notInSwarm, .worker, .locked, .noRights, .notRunning, .lostRace, .tooLarge, .tooOld, .tls,
        ]
        for code in open { #expect(EngineError(code, "").leavesOutcomeOpen, "\(code)") }
        for code in closed { #expect(!EngineError(code, "", status: 500).leavesOutcomeOpen, "\(code)") }
        #expect(EngineError(.other, "", status: 500).leavesOutcomeOpen)
        #expect(!EngineError(.other, "", status: 400).leavesOutcomeOpen)
    }
}
