import Glibc
import GroupSPI
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import PluginRPC

/// Many connections, callers, and the end.
@Suite struct ServerLifecycleTests {
    private let inspect = #"{"method":"Group.InspectGroups","params":[{}],"id":1}"#
    private let describe = #"{"method":"Group.DescribeGroup","params":[{"ID":"slow"}],"id":1}"#

    @Test func knowsWhoCalls() async throws {
        try await withPluginServer(configuration: .with(\.allowedUIDs, [])) { fixture in
            _ = try await fixture.exchange(inspect) { $0.hasSuffix("\n") }
            _ = try await fixture.exchange(HTTPText.call("Group.InspectGroups")) { !HTTPText.all($0).isEmpty }
            let callers = fixture.group.received.map(\.caller)
            #expect(callers.count == 2)
            var name = [CChar](repeating: 0, count: 256)
            gethostname(&name, 255)
            let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let user = getpwuid(getuid()).map { Identifier(String(cString: $0.pointee.pw_name)) }
            #expect(callers.allSatisfy { $0 == Caller(user: user, uid: Int(getuid()), host: Identifier(host)) })
        }
    }

    @Test func stopLetsARequestInFlightBeAnswered() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        try await withPluginServer(group) { fixture in
            let stream = try await fixture.connect()
            stream.send(describe)
            let http = try await fixture.connect()
            http.send(HTTPText.call("Group.DescribeGroup", #"{"ID":"slow"}"#))
            let idle = try await fixture.connect()
            let halfway = try await fixture.connect()
            halfway.send(#"{"method":"Gro"#)
            await group.arrival(of: 2)

            let stopped = Task { await fixture.server.stop(grace: .seconds(60)) }
            // Who has asked for nothing is closed at once; the name is free already.
            #expect(try await idle.textUntilEnd() == "")
            #expect(try await halfway.textUntilEnd() == "")
            #expect(permissions(fixture.socketPath) == nil)
            await #expect(throws: (any Error).self) { try await fixture.connect() }
            #expect(stream.received == "" && http.received == "")

            group.open("slow")
            #expect(try await stream.textUntilEnd().hasPrefix(#"{"id":1,"result":{"Description""#))
            #expect(try await http.textUntilEnd().hasSuffix("\"id\":1}\n"))
            await stopped.value
        }
    }

    @Test func stopEndsWhatIsNotAnsweredInTime() async throws {
        let group = ScriptedGroup([.sample("slow"), .sample("slower")], holding: ["slow", "slower"])
        try await withPluginServer(group) { fixture in
            let stream = try await fixture.connect()
            stream.send(describe)
            let http = try await fixture.connect()
            http.send(HTTPText.call("Group.DescribeGroup", #"{"ID":"slower"}"#))
            await group.arrival(of: 2)
            await fixture.server.stop(grace: .milliseconds(50))
            #expect(try await stream.textUntilEnd() == "")
            #expect(try await http.textUntilEnd() == "")
            #expect(fixture.log.text.contains("not answered in time"))
        }
    }

    /// One user has half of the places.
    @Test func oneConnectionTooManyIsClosedAndTheNextAfterARoomIsNot() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        try await withPluginServer(group, configuration: .with(\.maximumConnections, 6)) { fixture in
            var clients: [RawClient] = []
            for count in 1...3 {
                let client = try await fixture.connect()
                client.send(describe)
                await group.arrival(of: count)
                clients.append(client)
            }
            for _ in 0..<5 { #expect(try await fixture.connect().textUntilEnd() == "") }
            let refusals = fixture.log.text.split(separator: "there are too many").count - 1
            #expect(refusals == 1, "a flood of connections must not become a flood of log lines")
            group.open("slow")
            _ = try await clients[0].lines(1)
            clients.removeLast().close()
            try await eventually {
                let client = try await fixture.connect()
                defer { client.close() }
                client.send(inspect)
                return try await client.textOrEnd { $0.hasSuffix("\n") }.hasSuffix("\n")
            }
            for client in clients { client.close() }
        }
    }

    /// A change of thread costs more than all the rest of a read.
    @Test func aCallThatHasWaitedGoesOnOnItsConnectionsEventLoop() async throws {
        let group = WaitingGroup()
        try await withServerDirectory { directory in
            let server = try await PluginServer.start(
                ServedPlugin(name: "group", group: group, manager: nil),
                at: "\(directory)/group",
                configuration: .init(),
                group: MultiThreadedEventLoopGroup.singleton,
                logger: LogKeeper().logger
            )
            for text in [inspect, HTTPText.call("Group.InspectGroups")] {
                let client = try await RawClient.connect(to: "\(directory)/group")
                client.send(text)
                _ = try await client.text { $0.hasSuffix("\n") && $0.contains("Groups") }
                client.close()
            }
            await server.stop(grace: .zero)
            #expect(group.places == [true, true])
        }
    }

    /// While the loop is at something else, connections wait in the kernel; there has to be room for them.
    @Test func connectionsWaitUntilTheyAreAccepted() async throws {
        try await withServerDirectory { directory in
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let path = "\(directory)/group"
            let server = try await PluginServer.start(
                ServedPlugin(name: "group", group: WaitingGroup(), manager: nil),
                at: path,
                configuration: .init(),
                group: group,
                logger: LogKeeper().logger
            )
            let isBusy = Atomic(false)
            let isOver = Atomic(false)
            group.next().execute {
                isBusy.store(true, ordering: .relaxed)
                while !isOver.load(ordering: .relaxed) { usleep(1000) }
            }
            try await eventually { isBusy.load(ordering: .relaxed) }
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
            let clients = (0..<1000).map { _ in socket(AF_UNIX, kind, 0) }
            let connected = clients.map { client in withUnixAddress(path) { connect(client, $0, $1) } == 0 }
            isOver.store(true, ordering: .relaxed)
            #expect(connected.allSatisfy { $0 }, "\(connected.count { $0 })")
            for client in clients { close(client) }
            await server.stop(grace: .zero)
            try await group.shutdownGracefully()
        }
    }

    @Test func thousandsOfIdleConnectionsDisturbNobody() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try #require(limit.rlim_cur > 6_000, "needs descriptors for both ends of 2,000 connections")
        try await withPluginServer { fixture in
            var idle: [RawClient] = []
            for _ in 0..<2_000 { idle.append(try await fixture.connect()) }
            for text in [inspect, HTTPText.call("Group.InspectGroups")] {
                let reply = try await fixture.exchange(text) { $0.hasSuffix("\n") && $0.contains("Groups") }
                #expect(reply.contains(#""Groups":null"#))
            }
            // The last one to come is as good as any.
            idle.last?.send(inspect)
            #expect(try await idle.last?.lines(1).count == 1)
            for client in idle { client.close() }
        }
    }
}
