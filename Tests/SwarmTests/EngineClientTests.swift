import Glibc
import GroupSPI
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Swarm

@Suite("The client of the Engine")
struct EngineClientTests {
    /// Answers as a node of the lab did.
    private static func node(_ name: String) throws -> StubEngine.Behaviour {
        let info = try StubReply.recorded("\(name)-info")
        let nodes = try StubReply.recorded("\(name)-nodes")
        let node = (try? StubReply.recorded("\(name)-node")) ?? nodes
        let swarm = (try? StubReply.recorded("\(name)-swarm")) ?? .drop
        return { request in
            switch request.path {
            case "/info": info
            case "/nodes": nodes
            case "/swarm": swarm
            default: node
            }
        }
    }

    @Test func `Reads what a leader tells`() async throws {
        try await withEngine(try Self.node("leader")) { stub, client in
            let info = try await client.info()
            #expect(
                info == EngineInfo(nodeID: "r1omavcl3cqzy6k56wxx8vjer", state: .active, isManager: true, trouble: "")
            )
            let node = try await client.node(info.nodeID)
            #expect(node.manager == SwarmNode.ManagerStatus(isLeader: true, isReachable: true))
            #expect(node.hostName == "n1")
            let nodes = try await client.nodes()
            #expect(nodes.count == 4 && nodes.compactMap(\.manager).count == 3 && nodes.hasReachableMajority)
            let swarm = try await client.swarm()
            #expect(swarm.version == 10 && swarm.spec.label("infrakit") == nil)
            #expect(swarm.spec.raw.text.hasPrefix("{\"Name\":\"default\",\"Labels\":{},"))
            #expect(stub.requests.allSatisfy { $0.uri.hasPrefix("/v1.24/") && $0.method == "GET" })
            #expect(stub.requests.allSatisfy { $0.headers["Content-Type"] == ["application/json"] })
            #expect(stub.requests.allSatisfy { $0.headers["Host"] == ["docker"] })
        }
    }

    @Test func `Reads what others tell`() async throws {
        try await withEngine(try Self.node("follower")) { _, client async throws in
            #expect(try await client.node("uxwdnr92ycbwj4bo5goa26r0c").manager?.isLeader == false)
        }
        try await withEngine(try Self.node("spare")) { _, client async throws in
            #expect(try await client.info() == EngineInfo(nodeID: "", state: .inactive, isManager: false, trouble: ""))
        }
        try await withEngine(try Self.node("worker")) { _, client in
            let info = try await client.info()
            #expect(info.state == .active && !info.isManager && !info.nodeID.isEmpty)
            #expect(try await client.node(info.nodeID).manager == nil)
        }
        try await withEngine(try Self.node("locked")) { _, client in
            let info = try await client.info()
            #expect(info.state == .locked && info.trouble.contains("unlock"))
        }
        try await withEngine(try Self.node("no-quorum")) { _, client in
            let info = try await client.info()
            #expect(info.state == .active && info.isManager && info.trouble.contains("does not have a leader"))
            let error = await #expect(throws: EngineError.self) { try await client.swarm() }
            #expect(error?.code == .noQuorum && error?.status == 500)
        }
        try await withEngine(try Self.node("minority")) { _, client async throws in
            #expect(try await !client.nodes().hasReachableMajority)
        }
    }

    @Test(arguments: [
        (["reachable"], true), (["unreachable"], false), ([], false), (["reachable", "unreachable"], false),
        (["reachable", "reachable", "unreachable"], true), (["reachable", "unreachable", "unknown"], false),
        (["reachable", "reachable", "unreachable", "unreachable"], false),
        (["reachable", "reachable", "reachable", "unreachable", "unreachable"], true),
    ])
    func `A majority is more than half of the managers`(_ managers: [String], _ has: Bool) async throws {
        var list = managers.enumerated().map {
            "{\"ID\":\"m\($0.offset)\",\"ManagerStatus\":{\"Reachability\":\"\($0.element)\"}}"
        }
        list.append("{\"ID\":\"w\"}")
        list.append("{\"ID\":\"v\",\"ManagerStatus\":null}")
        let answer = StubReply.answer(200, "[\(list.joined(separator: ","))]")
        try await withEngine(answering(answer)) { _, client async throws in
            #expect(try await client.nodes().hasReachableMajority == has)
        }
    }

    @Test func `Sends the whole specification with the version`() async throws {
        let swarm = try StubSwarm()
        try await withEngine(swarm.answer) { stub, client in
            let object = try await client.swarm()
            try await client.update(object.spec, version: object.version)
            let sent = try #require(stub.requests.last)
            #expect(sent.method == "POST" && sent.uri == "/v1.24/swarm/update?version=10")
            #expect(sent.body == object.spec.raw.bytes)
            #expect(sent.headers["Content-Type"] == ["application/json"])
            let error = await #expect(throws: EngineError.self) {
                try await client.update(object.spec, version: object.version)
            }
            #expect(error?.code == .lostRace)
        }
    }

    @Test(arguments: [StubReply.drop, .half, .noise])
    func `A broken exchange`(_ reply: StubReply) async throws {
        try await withEngine(answering(reply)) { _, client in
            let error = await #expect(throws: EngineError.self) { try await client.swarm() }
            #expect([.lost, .malformed].contains(error?.code), "\(String(describing: error))")
            #expect(error?.leavesOutcomeOpen == true)
        }
    }

    @Test(arguments: [
        "", "null", "[]", "{}", "{\"Version\":{\"Index\":1}}", "{\"Version\":{\"Index\":\"1\"},\"Spec\":{}}",
        "{\"Version\":{\"Index\":-1},\"Spec\":{}}", "{\"Version\":{\"Index\":1},\"Spec\":[]}",
        "{\"Version\":{\"Index\":1},\"Spec\":{\"Labels\":[]}}",
        "{\"Version\":{\"Index\":1},\"Spec\":{\"Labels\":{\"a\":1}}}",
        "{\"Version\":{\"Index\":1},\"Spec\":{}", "<html>",
    ])
    func `An answer that makes no sense`(_ body: String) async throws {
        try await withEngine(answering(.answer(200, body))) { _, client in
            for ask in [
                { _ = try await client.swarm() }, { _ = try await client.info() }, { _ = try await client.node("x") },
            ] {
                let error = await #expect(throws: EngineError.self) { try await ask() }
                #expect(error?.code == .malformed)
            }
        }
    }

    @Test func `An answer that is too large`() async throws {
        let body = "[" + String(repeating: " ", count: 5000) + "]"
        try await withEngine(largestAnswer: 5002, answering(.answer(200, body))) { _, client async throws in
            #expect(try await client.nodes().isEmpty)
        }
        try await withEngine(largestAnswer: 5001, answering(.answer(200, body))) { _, client in
            let error = await #expect(throws: EngineError.self) { try await client.nodes() }
            #expect(error?.code == .malformed && error?.message.contains("5001 bytes") == true)
        }
    }

    @Test func `An Engine that never answers`() async throws {
        try await withEngine(answering(.hang)) { _, client in
            let error = await #expect(throws: EngineError.self) { try await client.info(within: .milliseconds(50)) }
            #expect(error?.code == .timeout && error?.message.contains("50 ms") == true)
        }
    }

    @Test func `Giving up`() async throws {
        try await withEngine(answering(.hang)) { stub, client in
            let task = Task { try await client.info(within: .seconds(3600)) }
            try await eventually("a request") { !stub.requests.isEmpty }
            task.cancel()
            let error = await #expect(throws: EngineError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func `A client that nobody shuts down does no harm`() async throws {
        let endpoint = EngineEndpoint(try EngineAddress("unix:///nowhere", isSecure: false))
        for _ in 0..<20 { _ = try EngineClient(endpoint, on: loops) }
        let used = try EngineClient(endpoint, on: loops)
        await #expect(throws: EngineError.self) { try await used.info() }
    }

    @Test func `No Engine`() async throws {
        func code(_ path: String) async throws -> EngineError? {
            let endpoint = EngineEndpoint(try EngineAddress("unix://\(path)", isSecure: false))
            let client = try EngineClient(endpoint, on: loops)
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            await client.shutdown()
            return error
        }
        #expect(try await code("/nowhere/docker.sock")?.code == .notRunning)
        #expect(try await code("/dev/null/docker.sock")?.code == .notRunning)
        // A socket that nobody listens at any more.
        let path = "/tmp/ik-swarm-\(UInt64.random(in: 0 ... .max))"
        let server = try await ServerBootstrap(group: loops).bind(unixDomainSocketPath: path).get()
        try await server.close()
        if access(path, F_OK) == 0 { #expect(try await code(path)?.code == .notRunning) }
        unlink(path)
        let file = try #require(fopen(path, "we"))
        fclose(file)
        #expect(try await code(path)?.code == .notRunning)
        unlink(path)
    }

    @Test(arguments: [
        (EACCES, EngineError.Code.noRights), (EPERM, .noRights), (ECONNREFUSED, .notRunning), (ENOENT, .notRunning),
        (ECONNRESET, .lost), (EPIPE, .lost), (EHOSTUNREACH, .unreachable), (ETIMEDOUT, .unreachable),
    ])
    func `System errors`(_ number: Int32, _ code: EngineError.Code) throws {
        let address = try EngineAddress("unix:///x", isSecure: false)
        let error = EngineError(IOError(errnoCode: number, reason: "connect"), at: address, longest: 1)
        #expect(error.code == code)
        #expect(error.message.contains("unix:///x"))
    }

    @Test func `An unknown host`() async throws {
        let endpoint = EngineEndpoint(try EngineAddress("tcp://engine.invalid", isSecure: false))
        let client = try EngineClient(endpoint, on: loops)
        let error = await #expect(throws: EngineError.self) { try await client.info(within: .seconds(300)) }
        await client.shutdown()
        #expect(error?.code == .unreachable, "\(String(describing: error))")
    }

    // MARK: - Versions

    private static func refusal(_ minimum: String) -> StubReply {
        .answer(
            400,
            "{\"message\":\"client version 1.24 is too old. Minimum supported API version is \(minimum), please upgrade\"}"
        )
    }

    @Test func `An Engine that has given the usual version up is asked which it speaks`() async throws {
        let info = try StubReply.recorded("leader-info")
        let behaviour: StubEngine.Behaviour = { request in
            switch request.uri {
            case "/version": .answer(200, "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}")
            case let uri where uri.hasPrefix("/v1.44/"): info
            default: Self.refusal("1.44")
            }
        }
        try await withEngine(behaviour) { stub, client async throws in
            #expect(try await client.info().isManager)
            #expect(try await client.info().isManager)
            #expect(stub.requests.map(\.uri) == ["/v1.24/info", "/version", "/v1.44/info", "/v1.44/info"])
        }
    }

    @Test func `An Engine that is too old`() async throws {
        let refusal = try StubReply.recorded("version-too-new")
        let behaviour: StubEngine.Behaviour = { request in
            request.uri == "/version" ? .answer(200, "{\"ApiVersion\":\"1.23\"}") : refusal
        }
        try await withEngine(behaviour) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tooOld && error?.message.contains("1.23") == true)
            #expect(stub.requests.count == 2)
        }
    }

    @Test func `An Engine that contradicts itself does not keep us busy`() async throws {
        let behaviour: StubEngine.Behaviour = { request in
            request.uri == "/version"
                ? .answer(200, "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}") : Self.refusal("?")
        }
        try await withEngine(behaviour) { stub, client in
            let error = await #expect(throws: EngineError.self) { try await client.info() }
            #expect(error?.code == .tooOld)
            #expect(stub.requests.count == 2)
        }
    }
}
