import Swarm
import Testing

@Suite("One look at the Engine")
struct SwarmObserverTests {
    private static func look(
        within limit: Duration = .seconds(600),
        _ behaviour: @escaping StubEngine.Behaviour
    ) async throws -> (SwarmObservation.Answer, [String]) {
        try await withEngine(behaviour) { stub, client in
            let before = ContinuousClock.now
            let observation = await SwarmObserver(client, within: limit).observe()
            #expect(before <= observation.askedAt && observation.askedAt <= observation.answeredAt)
            return (observation.answer, stub.requests.map(\.path))
        }
    }

    /// What a node of the lab answered, with other answers in place of some.
    private static func node(_ name: String, _ others: [String: StubReply] = [:]) throws -> StubEngine.Behaviour {
        let info = try StubReply.recorded("\(name)-info")
        let nodes = try StubReply.recorded("\(name)-nodes")
        let node = (try? StubReply.recorded("\(name)-node")) ?? nodes
        return { request in
            let kind = request.path.hasPrefix("/nodes/") ? "/node" : request.path
            return others[kind] ?? (kind == "/info" ? info : kind == "/nodes" ? nodes : node)
        }
    }

    @Test func `A leader`() async throws {
        let (answer, paths) = try await Self.look(try Self.node("leader"))
        #expect(answer == .leader(canSeeMajority: true))
        #expect(paths == ["/info", "/nodes/r1omavcl3cqzy6k56wxx8vjer", "/nodes"])
    }

    @Test func `A leader that sees itself alone`() async throws {
        #expect(try await Self.look(try Self.node("minority")).0 == .leader(canSeeMajority: false))
    }

    @Test func `A follower tells who leads, and follows also when it cannot`() async throws {
        let (answer, paths) = try await Self.look(try Self.node("follower"))
        #expect(answer == .follower)
        #expect(paths.last == "/nodes")
        #expect(try await Self.look(try Self.node("follower", ["/nodes": .drop])).0 == .follower)
    }

    @Test func `An office that moves between two requests`() async throws {
        let nodes = "[{\"ID\":\"r1omavcl3cqzy6k56wxx8vjer\",\"ManagerStatus\":{\"Reachability\":\"reachable\"}}]"
        #expect(try await Self.look(try Self.node("leader", ["/nodes": .answer(200, nodes)])).0 == .follower)
        #expect(try await Self.look(try Self.node("leader", ["/nodes": .answer(200, "[]")])).0 == .follower)
    }

    @Test(arguments: [("spare", "not in a swarm"), ("locked", "has been locked"), ("worker", "a swarm worker")])
    func `Who certainly does not lead`(_ name: String, _ reason: String) async throws {
        let (answer, paths) = try await Self.look(try Self.node(name))
        guard case .excluded(let words) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(words.contains(reason))
        #expect(paths == ["/info"])
    }

    @Test func `A manager that was made a worker between two requests`() async throws {
        let refusal = try StubReply.recorded("worker-nodes")
        for path in ["/node", "/nodes"] {
            guard case .excluded = try await Self.look(try Self.node("leader", [path: refusal])).0 else {
                Issue.record("\(path)")
                continue
            }
        }
    }

    @Test func `What does not tell`() async throws {
        let refusal = try StubReply.recorded("no-quorum-nodes")
        let pending = "{\"Swarm\":{\"NodeID\":\"x\",\"LocalNodeState\":\"pending\",\"ControlAvailable\":true}}"
        let error =
            "{\"Swarm\":{\"NodeID\":\"x\",\"LocalNodeState\":\"error\",\"ControlAvailable\":true,\"Error\":\"bad\"}}"
        let behaviours: [StubEngine.Behaviour] = [
            try Self.node("no-quorum"), try Self.node("leader", ["/node": refusal]),
            try Self.node("leader", ["/nodes": refusal]), try Self.node("leader", ["/nodes": .drop]),
            try Self.node("leader", ["/info": .answer(200, pending)]),
            try Self.node("leader", ["/info": .answer(200, error)]),
            try Self.node("leader", ["/info": .noise]),
        ]
        for (index, behaviour) in behaviours.enumerated() {
            guard case .unknown(let reason) = try await Self.look(behaviour).0 else {
                Issue.record("\(index)")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test func `The Engine's complaint counts, whatever its list of nodes says`() async throws {
        let info = try StubReply.recorded("no-quorum-info")
        guard case .unknown(let reason) = try await Self.look(try Self.node("leader", ["/info": info])).0 else {
            Issue.record("no unknown")
            return
        }
        #expect(reason.contains("does not have a leader"))
    }

    @Test(arguments: ["/info", "/node", "/nodes"])
    func `All requests of a look share its limit`(_ path: String) async throws {
        guard case .unknown = try await Self.look(within: .milliseconds(200), try Self.node("leader", [path: .hang])).0
        else {
            Issue.record("no unknown")
            return
        }
    }
}
