import GroupSPI
import NIOCore
import Synchronization
import Testing

@testable import PluginRPC

@Suite("All replies that nobody takes take no more memory than they may")
struct ServerReplyMemoryTests {
    private static let configuration: PluginServerConfiguration = {
        var configuration = PluginServerConfiguration()
        configuration.replyMemory = 8 << 20
        configuration.stalledReplyTimeout = .milliseconds(600)
        return configuration
    }()

    /// More than a socket takes by itself.
    private static let size = 2 << 20

    private static func group() -> ScriptedGroup {
        ScriptedGroup([
            GroupSpec(
                id: "large",
                properties: RawJSON(checked: Array("\"\(String(repeating: "x", count: size))\"".utf8))
            )
        ])
    }

    enum Question: CaseIterable { case groups, specs, objects, description }

    private static func request(_ question: Question, isStream: Bool) -> String {
        let (method, parameters) =
            switch question {
            case .groups: ("Group.InspectGroups", #"{"ID":""}"#)
            case .specs: ("Manager.Specs", "{}")
            case .objects: ("Manager.Inspect", "{}")
            case .description: ("Group.DescribeUpdate", #"{"Spec":{"ID":"large","Properties":{}}}"#)
            }
        return isStream
            ? #"{"method":"\#(method)","params":[\#(parameters)],"id":1}"# + "\n" : HTTPText.call(method, parameters)
    }

    /// A hundred clients ask, and read nothing; one more asks, and reads. It is answered, and what the others were to get never
    /// lies in memory at the same time.
    @Test("and who reads is answered", arguments: [Question.groups, .specs, .objects], [true, false])
    func staysBelow(question: Question, isStream: Bool) async throws {
        try await withPluginServer(Self.group(), configuration: Self.configuration) { fixture in
            let replies = fixture.server.replies
            let request = Self.request(question, isStream: isStream)
            var deaf: [RawClient] = []
            for _ in 0..<100 {
                let client = try await RawClient.connect(to: fixture.socketPath, reads: false)
                client.send(request)
                deaf.append(client)
            }
            try await eventually { replies.waitingCount > 50 }
            #expect(replies.used <= Self.configuration.replyMemory, "\(replies.used)")
            // What is short does not wait.
            let small = try await fixture.connect()
            small.send(#"{"method":"Group.DescribeGroup","params":[{"ID":"none"}],"id":1}"# + "\n")
            _ = try await small.lines(1)
            #expect(replies.waitingCount > 10)
            // What is long goes on: those that take nothing lose their place.
            let reader = try await fixture.connect()
            reader.send(request)
            _ = try await reader.text { $0.utf8.count > Self.size && $0.hasSuffix("\n") }
            #expect(replies.used <= Self.configuration.replyMemory, "\(replies.used)")
            #expect(replies.waitingCount > 10, "it waited for all the others")
            #expect(fixture.log.text.contains("others wait for the memory"))
            for client in deaf { client.close() }
            for client in [small, reader] { client.close() }
            try await eventually { replies.used == 0 && replies.waitingCount == 0 }
        }
    }

    /// Where there is room, nobody looks whether a client reads.
    @Test("and who is slow is left alone where nobody waits")
    func slowIsNotGreedy() async throws {
        try await withPluginServer(Self.group(), configuration: Self.configuration) { fixture in
            let slow = try await RawClient.connect(to: fixture.socketPath, reads: false)
            slow.send(Self.request(.groups, isStream: true))
            try await eventually { fixture.server.replies.used > 0 }
            for _ in 0..<40 {
                let reader = try await fixture.connect()
                reader.send(Self.request(.groups, isStream: true))
                _ = try await reader.text { $0.utf8.count > Self.size && $0.hasSuffix("\n") }
                reader.close()
            }
            #expect(!fixture.log.text.contains("others wait for the memory"))
            slow.close()
            try await eventually { fixture.server.replies.used == 0 }
        }
    }

    @Test("and one that is longer than there is room is given alone")
    func oneAlwaysFits() async throws {
        // All of them read, however slowly on a busy machine.
        let configuration = Self.configuration.with(\.replyMemory, 1 << 20).with(\.stalledReplyTimeout, .seconds(60))
        try await withPluginServer(Self.group(), configuration: configuration) { fixture in
            let clients = try await withThrowingTaskGroup(of: RawClient.self) { group in
                for question in Question.allCases {
                    group.addTask {
                        let client = try await fixture.connect()
                        client.send(Self.request(question, isStream: true))
                        return client
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            // All at once: each waits until the one before has been taken.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in clients {
                    group.addTask {
                        _ = try await client.text { $0.hasSuffix("\n") }
                        client.close()
                    }
                }
                try await group.waitForAll()
            }
            try await eventually { fixture.server.replies.used == 0 && fixture.server.replies.waitingCount == 0 }
        }
    }

    // MARK: - The rule alone

    @Test("the one that has least goes on first, and the newest is not behind all")
    func isFair() {
        let memory = ReplyMemory(limit: 100_000, largest: 40_000)
        let woken = Mutex<[Int]>([])
        func take(_ size: Int, _ number: Int) -> Bool {
            memory.take(size, of: UInt64(number)) { _ in woken.withLock { $0.append(number) } }
        }
        for number in 1...9 { memory.add(UInt64(number), uid: number == 9 ? 2 : 1) {} }
        #expect(take(50_000, 1) && take(50_000, 2))
        for number in [1, 3, 4, 5, 9] { #expect(!take(50_000, number)) }
        // Another user, who has nothing.
        memory.give(50_000, of: 1, isGone: false)
        #expect(woken.withLock { $0 } == [9])
        // Of one user those who have nothing: the newest and the oldest take turns.
        for number: UInt64 in [9, 2, 5, 1] { memory.give(50_000, of: number, isGone: false) }
        #expect(woken.withLock { $0 } == [9, 5, 1, 4, 3])
        for number: UInt64 in [4, 3] { memory.give(50_000, of: number, isGone: false) }
        #expect(memory.used == 0 && memory.waitingCount == 0)
    }

    /// A plugin that hangs at one kind of call holds up no other kind.
    @Test("and calls under way count only against their like")
    func kindsAreApart() {
        let memory = ReplyMemory(limit: 100_000, largest: 40_000)
        memory.add(1, uid: 1) {}
        let (first, second) = (memory.begin(.groups, of: 1) { _ in }, memory.begin(.groups, of: 1) { _ in })
        #expect(first == 40_000 && second == nil)
        #expect(memory.begin(.stored, of: 1) { _ in } == 40_000)
        #expect(memory.begin(.description("a"), of: 1) { _ in } == 0)
        // Once it is known that they are short, as many as there are go side by side.
        memory.end(.groups, expected: 40_000, size: 100)
        #expect(memory.waitingCount == 0)
        for _ in 0..<100 { #expect(memory.begin(.groups, of: 1) { _ in } == 0) }
    }
}
