import Glibc
import GroupSPI
import NIOPosix
import PluginFakes
import PluginRPC
import Synchronization
import Testing

@Suite("The client and the server of this package understand each other")
struct ClientAndServerTests {
    @Test("in every dialect, in every call", arguments: PluginProtocol.allCases)
    func everyCall(plugin: PluginProtocol) async throws {
        try await withServedGroup { group, path in
            let client = PluginClient.of(.socket(path: path), plugin)
            let spec = GroupSpec.text("käse \"1\"", #"{"z":1.0,"a":12345678901234567890123,"\u0061":"\u003c"}"#)
            let instances = RawJSON(checked: Array(#"[{"ID":"i-1","LogicalID":null,"Tags":{},"X":1.0}]"#.utf8))
            let calls: [(GroupRequest, GroupReply)] = [
                (.watch(spec), .ok), (.update(spec), .ok), (.describeUpdate(spec), .plan("a\n\"plan\"")),
                (.stopUpdate(id: "x"), .ok), (.unwatch(id: "x"), .ok),
                (.commit(spec, pretend: true), .details("")), (.commit(spec, pretend: false), .details("Noop")),
                (.free(id: "x"), .ok), (.inspect, .groups([spec])), (.destroy(id: "x"), .ok),
                (.size(id: "x"), .size(3)), (.setSize(id: "x", 4), .ok), (.destroyInstances(id: "x", ["a", "b"]), .ok),
            ]
            for (request, reply) in calls {
                group.answer(with: .success(reply))
                try await expect(client, request, gives: reply)
                #expect(group.last == request)
            }
            group.answer(with: .success(.description(GroupDescription(instances: instances, isConverged: true))))
            let described = try await client.call(.describe(id: "x"), within: .seconds(120))
            // Over the stream the server answers as the first generation did, which did not know Converged. On a machine so
            // busy that HTTP is not answered in time, that is what is found to be spoken.
            let asHTTP = GroupReply.description(GroupDescription(instances: instances, isConverged: true))
            let asStream = GroupReply.description(GroupDescription(instances: instances, isConverged: nil))
            let expected = [PluginProtocol.http: [asHTTP], .stream: [asStream], .auto: [asHTTP, asStream]]
            #expect(expected[plugin]?.contains(described) == true, "\(described)")
            group.answer(with: .failure(.notWatched("x")))
            let error = try await failure(client, .free(id: "x"))
            #expect(error == .notWatched("x"))
            await client.shutdown()
        }
    }

    @Test("also about who has logged in", arguments: [PluginProtocol.auto, .http])
    func login(plugin: PluginProtocol) async throws {
        for (login, told) in [("alice", "alice"), ("eve (root)", nil), ("a\r\nX: y", nil), (nil, nil)]
            as [(Identifier?, Identifier?)]
        {
            try await withServedGroup { group, path in
                let client = PluginClient(
                    name: "group",
                    endpoint: .socket(path: path),
                    protocol: plugin,
                    login: login,
                    logger: .silent
                )
                group.answer(with: .success(.ok))
                try await expect(client, .free(id: "x"), gives: .ok)
                // Only HTTP tells it. On a machine so busy that HTTP is not answered in time, the stream is found to be spoken.
                let isHTTP = await client.peer?.wireProtocol == .http
                #expect(isHTTP || plugin == .auto)
                #expect(group.lastCaller?.login == (isHTTP ? told : nil))
                #expect(group.lastCaller?.uid == Int(getuid()))
                await client.shutdown()
            }
        }
    }

    @Test("with hundreds of calls at once", arguments: PluginProtocol.allCases)
    func manyCalls(plugin: PluginProtocol) async throws {
        try await withServedGroup { group, path in
            group.answer(with: .success(.ok))
            let client = PluginClient.of(.socket(path: path), plugin)
            try await withThrowingTaskGroup { tasks in
                for number in 0..<300 {
                    tasks.addTask { try await client.call(.destroy(id: "g\(number)"), within: .seconds(120)) }
                }
                while let reply = try await tasks.next() { #expect(reply == .ok) }
            }
            #expect(group.count == 300)
            await client.shutdown()
        }
    }
}

/// Answers every call with what it was told.
private final class ToldGroup: GroupEndpoint {
    private let state = Mutex<(answer: Result<GroupReply, GroupError>, requests: [GroupRequest], caller: Caller?)>(
        (.success(.ok), [], nil)
    )

    func answer(with answer: Result<GroupReply, GroupError>) {
        state.withLock { $0.answer = answer }
    }

    /// The detection's own question is not counted.
    var last: GroupRequest? { state.withLock { $0.requests.last } }
    var lastCaller: Caller? { state.withLock { $0.caller } }
    var count: Int { state.withLock { $0.requests.count { $0 != .inspect } } }

    func call(_ request: GroupRequest, from caller: Caller) async throws(GroupError) -> GroupReply {
        try state.withLock { state in
            state.requests.append(request)
            state.caller = caller
            return state.answer
        }.get()
    }
}

private func withServedGroup(_ body: (ToldGroup, String) async throws -> Void) async throws {
    try await withScratchDirectory { directory in
        let group = ToldGroup()
        let path = directory + "/group"
        let server = try await PluginServer.start(
            ServedPlugin(name: "group", group: group, manager: nil),
            at: path,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: .silent
        )
        do {
            try await body(group, path)
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }
}
