import GroupSPI
import PluginFakes
import Testing

@testable import PluginRPC

@Suite("The client finds out what a plugin speaks")
struct ClientDetectionTests {
    @Test("with calls that change nothing", arguments: FakeAPIVersion.released)
    func detects(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            #expect(await client.peer == nil)
            try await expect(client, .inspect, gives: .groups([]))
            let expected = PeerDescription(
                wireProtocol: apiVersion.wireProtocol == .stream ? .stream : .http,
                apiVersion: apiVersion.watches ? .watch : .commit
            )
            #expect(await client.peer == expected)
            #expect(Set(fake.methods) == ["InspectGroups"])
        }
    }

    @Test("and learns the generation from its answers", arguments: FakeAPIVersion.all)
    func learnsGeneration(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, _ in
            _ = try await client.reply(to: .commit(.text("cattle"), pretend: false))
            _ = try await client.reply(to: .unwatch(id: "cattle"))
            #expect(await client.peer?.apiVersion == (apiVersion.watches ? .watch : .commit))
        }
    }

    @Test("once, and keeps the connection")
    func remembers() async throws {
        try await withPlugin(.seed) { client, fake in
            for _ in 0..<10 { _ = try await client.reply(to: .inspect) }
            #expect(fake.acceptedConnections == 2)  // the question in HTTP, and the stream
        }
        try await withPlugin(.head) { client, fake in
            for _ in 0..<10 { _ = try await client.reply(to: .inspect) }
            #expect(fake.acceptedConnections == 1)
        }
    }

    @Test("and finds the groups of a manager of the last generation by itself")
    func groupsObject() async throws {
        // As it was recorded: the socket's own name stands for no group at all.
        let hello = FakeAnswer.result(
            #"{"Objects":{"Controller/0.1.1":[{"Name":"groups"}],"Group/0.1.1":[{"Name":"groups","ProxyFor":""}]}}"#
        )
        let script = FakeScript { request in
            if request.method == "Handshake.Hello" { return hello }
            let name = JSONView(request.params).member("Name")?.string ?? ""
            return .result(#"{"Name":"\#(name)","ID":"","Groups":[{"ID":"\#(name)","Properties":null}]}"#)
        }
        try await withPlugin(.head, script: script) { client, _ in
            try await expect(client, .inspect, gives: .groups([.text("group-stateless/groups", "null")]))
        }
        try await withClient(name: "group-stateless/cattle") { client, socket in
            let fake = try FakePlugin(.head, at: socket, script: script)
            defer { fake.stop() }
            try await expect(client, .inspect, gives: .groups([.text("group-stateless/cattle", "null")]))
        }
    }

    @Test("with one connection for a hundred first calls")
    func detectsOnce() async throws {
        try await withPlugin(.seed) { client, fake in
            try await withThrowingTaskGroup { group in
                for _ in 0..<100 {
                    group.addTask { try await client.reply(to: .inspect) }
                }
                while let reply = try await group.next() { #expect(reply == .groups([])) }
            }
            #expect(fake.acceptedConnections == 2)
        }
    }

    @Test("also when an HTTP plugin is too slow for the first question")
    func slowPeer() async throws {
        try await withPlugin(.head, script: .on("Handshake.Hello", .silence)) { client, fake in
            // It never answers Hello, but answers the question in the stream protocol with HTTP's 400.
            try await expect(client, .inspect, gives: .groups([]), within: .seconds(120))
            #expect(await client.peer?.wireProtocol == .http)
            #expect(fake.methods == ["InspectGroups"])
        }
    }

    /// The question hangs, on a connection of its own or on all: what lets a group go is sent all the same, in time. What changes
    /// something else is not sent to a plugin that has not said what it speaks.
    @Test("but lets groups go also when it does not say", arguments: [FakeAPIVersion.seed, .head], [true, false])
    func letsGoWithoutHello(apiVersion: FakeAPIVersion, isHeldUp: Bool) async throws {
        try await withPlugin(apiVersion, script: .on("Handshake.Hello", .silence)) { client, fake in
            // Somebody else's call waits for the answer all the time.
            let other = Task {
                guard isHeldUp else { return }
                _ = try? await client.call(.commit(.text("b"), pretend: false), within: .seconds(60))
            }
            if isHeldUp { try await eventually { fake.acceptedConnections >= 1 } }
            let calls = (0..<100).map { number in
                Task { try await client.call(.free(id: Identifier("g\(number)")), within: .seconds(20)) }
            }
            for call in calls {
                do {
                    _ = try await call.value
                } catch let error as GroupError {
                    #expect(error.saysNotWatched, "\(error)")
                }
            }
            #expect(fake.methods.contains { $0 == "FreeGroup" || $0 == "UnwatchGroup" })
            other.cancel()
            await other.value
            // It has answered: so it is known what it speaks, and the other's call may have been sent as well.
            _ = try await client.call(.inspect, within: .seconds(20))
        }
        try await withPlugin(.seed, script: .on("Handshake.Hello", .silence)) { client, fake in
            let error = try await failure(client, .commit(.text("cattle"), pretend: false), within: .seconds(1))
            #expect(error.code == .unreachable, "\(error)")
            #expect(fake.methods == [])
        }
    }

    @Test("and says so when it speaks neither")
    func neither() async throws {
        try await withPlugin(.seed, script: .always(.hangUp)) { client, fake in
            let error = try await failure(client, .commit(.text("cattle"), pretend: false))
            #expect(error.code == .unreachable)
            #expect(error.message.contains("answers neither in HTTP nor in the stream protocol"))
            #expect(fake.methods == [])
        }
        try await withPlugin(.seed, script: .always(.raw("hello\r\n"))) { client, _ in
            let error = try await failure(client, .commit(.text("cattle"), pretend: false))
            #expect(error.code == .unreachable)
            #expect(
                error.message.contains(
                    "is not a group plugin: it answered with something that is not a JSON object: hello"
                )
            )
        }
    }

    @Test("unless it was told", arguments: [(FakeAPIVersion.seed, PluginProtocol.stream), (.v05, .http)])
    func told(apiVersion: FakeAPIVersion, plugin: PluginProtocol) async throws {
        try await withPlugin(apiVersion, plugin) { client, fake in
            _ = try await client.reply(to: .inspect)
            #expect(fake.acceptedConnections == 1)
        }
    }
}
