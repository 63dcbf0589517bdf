import GroupSPI
import PluginRPC
import Testing

/// The stream dialect over a real socket.
@Suite struct ServerStreamTests {
    private func describe(_ id: Identifier, _ number: Int) -> String {
        #"{"method":"Group.DescribeGroup","params":[{"ID":"\#(id)"}],"id":\#(number)}"#
    }

    private let inspect = #"{"method":"Group.InspectGroups","params":[{}],"id":"i"}"#
    private let inspected = #"{"id":"i","result":{"Groups":null},"error":null}"#

    @Test func aSlowRequestDelaysNoOther() async throws {
        let group = ScriptedGroup([.sample("slow"), .sample("quick")], holding: ["slow"])
        try await withPluginServer(group) { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            client.send(describe("slow", 1) + describe("quick", 2))
            let first = try await client.lines(1)
            #expect(first[0].hasPrefix(#"{"id":2,"result":{"Description""#))
            // Nor on another connection.
            let other = try await fixture.exchange(describe("quick", 7)) { $0.hasSuffix("\n") }
            #expect(other.hasPrefix(#"{"id":7,"#))
            group.open("slow")
            #expect(try await client.lines(2).last?.hasPrefix(#"{"id":1,"#) == true)
        }
    }

    @Test func answersAfterTheClientHasClosedItsHalf() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        try await withPluginServer(group) { fixture in
            let client = try await fixture.connect()
            client.send(describe("slow", 1))
            client.closeOutput()
            await group.arrival(of: 1)
            group.open("slow")
            #expect(try await client.textUntilEnd().hasPrefix(#"{"id":1,"result":{"Description""#))
        }
    }

    @Test func aCallGoesOnAfterItsClientHasLeft() async throws {
        let group = ScriptedGroup(holding: ["slow"])
        try await withPluginServer(group, configuration: .with(\.maximumConnections, 1)) { fixture in
            let client = try await fixture.connect()
            client.send(describe("slow", 1))
            await group.arrival(of: 1)
            client.close()
            // The place is kept until the call has ended, so calls cannot pile up behind clients that leave.
            let refused = try await fixture.connect()
            #expect(try await refused.textUntilEnd() == "")
            group.open("slow")
            try await eventually {
                let client = try await fixture.connect()
                defer { client.close() }
                client.send(inspect)
                // Either answered, or refused and closed at once because the place is not free yet.
                return try await client.textOrEnd { $0.hasSuffix("\n") } == inspected + "\n"
            }
        }
    }

    @Test func earlierRequestsAreAnsweredBeforeMalformedBytesEndTheConnection() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        try await withPluginServer(group) { fixture in
            let client = try await fixture.connect()
            client.send(describe("slow", 1) + #"{"method": oops}"# + inspect)
            await group.arrival(of: 1)
            group.open("slow")
            let lines = try await client.textUntilEnd().split(separator: "\n")
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix(#"{"id":1,"#) == true)
            #expect(fixture.log.text.contains("malformed request"))
            #expect(fixture.log.text.contains("invalid JSON at byte 11"))
        }
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]

        init(_ name: String, _ bytes: [UInt8]) {
            self.testDescription = name
            self.bytes = bytes
        }
    }

    static let bad = [
        Bad("not UTF-8", Array(#"{"method":""#.utf8) + [0xFF, 0xC0] + Array(#"","params":[{}],"id":1}"#.utf8)),
        Bad("overlong UTF-8", Array(#"{"id":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8)),
        Bad("too deep", Array(String(repeating: #"{"a":"#, count: 600).utf8)),
        Bad("too large, without end", Array(#"{"a":""#.utf8) + [UInt8](repeating: 0x61, count: 70_000)),
        Bad("too large", Array(#"{"a":""#.utf8) + [UInt8](repeating: 0x61, count: 70_000) + Array(#""}"#.utf8)),
        Bad("control character", Array("{\"a\":\"\u{1}\"}".utf8)),
        Bad("zero byte", [0]),
        Bad("method of a wrong type", Array(#"{"method":7,"params":[{}],"id":1}"#.utf8)),
        Bad("a value that is no object", Array(#"{"method":"A.B","id":1}7"#.utf8)),
    ]

    @Test(arguments: bad)
    func badBytesEndTheirConnectionAndNoOther(_ bad: Bad) async throws {
        try await withPluginServer(configuration: .with(\.limits.maximumBytes, 65_536)) { fixture in
            let other = try await fixture.connect()
            defer { other.close() }
            let client = try await fixture.connect()
            client.send(bad.bytes)
            let text = try await client.textUntilEnd()
            #expect(text.isEmpty || text.hasPrefix(#"{"id":1,"result":null,"error":"rpc: can't find service A.B""#))
            other.send(inspect)
            #expect(try await other.lines(1) == [inspected])
        }
    }

    @Test func aMessageOfExactlyTheLimitIsAnswered() async throws {
        try await withPluginServer(configuration: .with(\.limits.maximumBytes, 1_000_000)) { fixture in
            let start = #"{"method":"Group.CommitGroup","id":1,"params":[{"Spec":{"ID":"g","Properties":""#
            let end = #""}}]}"#
            let filler = String(repeating: "x", count: 1_000_000 - start.utf8.count - end.utf8.count)
            let text = try await fixture.exchange(start + filler + end) { $0.hasSuffix("\n") }
            #expect(text == "{\"id\":1,\"result\":{\"Details\":\"Managing g\"},\"error\":null}\n")
            #expect(fixture.group.groups.first?.properties.bytes.count == filler.utf8.count + 2)
        }
    }

    @Test func aSlowSenderIsCutOff() async throws {
        try await withPluginServer(configuration: .with(\.requestTimeout, .milliseconds(300))) { fixture in
            let client = try await fixture.connect()
            client.send(#"{"method":"#)
            // Single bytes buy no time: they come more often than the timeout.
            let trickle = Task {
                while !Task.isCancelled {
                    client.send(" ")
                    try await Task.sleep(for: .milliseconds(20), clock: .suspending)
                }
            }
            defer { trickle.cancel() }
            #expect(try await client.textUntilEnd() == "")
            #expect(fixture.log.text.contains("not complete in time"))
        }
    }

    @Test func aConnectionThatAsksNothingIsClosed() async throws {
        // Long enough for a request that was sent at once to be read, also on a busy machine.
        try await withPluginServer(configuration: .with(\.idleTimeout, .seconds(4))) { fixture in
            let silent = try await fixture.connect()
            try await silent.textUntilEnd()
            let client = try await fixture.connect()
            client.send(inspect)
            #expect(try await client.textUntilEnd() == inspected + "\n")
        }
    }

    @Test func waitingForAnAnswerIsNotIdleness() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        let shortened = PluginServerConfiguration.with(\.idleTimeout, .seconds(1)).with(
            \.requestTimeout,
            .seconds(1)
        )
        try await withPluginServer(group, configuration: shortened) { fixture in
            var client = try await fixture.connect()
            defer { client.close() }
            client.send(describe("slow", 1))
            try await eventually {
                // On a host under load, more than the second may pass before the request is there: then once more.
                if client.isOver {
                    client = try await fixture.connect()
                    client.send(describe("slow", 1))
                }
                return !group.received.isEmpty
            }
            // A second connection comes and goes by its timeout, twice.
            for _ in 0..<2 { try await fixture.connect().textUntilEnd() }
            group.open("slow")
            #expect(try await client.lines(1)[0].hasPrefix(#"{"id":1,"#))
        }
    }

    @Test func takesNoMoreRequestsThanItMayHaveInFlight() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        try await withPluginServer(group, configuration: .with(\.maximumRequestsInFlight, 4)) { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            client.send((1...50).map { describe("slow", $0) }.joined())
            await group.arrival(of: 4)
            // Another connection is served meanwhile; what it takes is time enough for a fifth request to come through.
            for _ in 0..<20 { _ = try await fixture.exchange(inspect) { $0.hasSuffix("\n") } }
            #expect(group.requests.count(where: { $0 == .describe(id: "slow") }) == 4)
            group.open("slow")
            #expect(try await client.lines(50).count == 50)
        }
    }

    @Test func aClientThatNeverReadsIsStoppedAndThenClosed() async throws {
        let properties = RawJSON(checked: Array("\"\(String(repeating: "x", count: 100_000))\"".utf8))
        let group = ScriptedGroup([GroupSpec(id: "large", properties: properties)])
        try await withPluginServer(group, configuration: .with(\.replyTimeout, .milliseconds(500))) { fixture in
            let deaf = try await RawClient.connect(to: fixture.socketPath, reads: false)
            defer { deaf.close() }
            await deaf.sendAll(Array(String(repeating: inspect, count: 500).utf8))
            try await eventually { fixture.log.text.contains("does not read its replies") }
            // Far fewer than 500 replies of 100 kB were made for somebody who reads none.
            #expect(group.requests.count < 100)
        }
    }

    @Test func manySmallRequestsInOnePieceAreAllAnswered() async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            let count = 5_000
            client.send((1...count).map { describe("none", $0) }.joined(separator: "\n"))
            let lines = try await client.lines(count)
            #expect(Set(lines).count == count)
            #expect(lines.contains(#"{"id":77,"result":null,"error":"Group 'none' is not being watched"}"#))
        }
    }

    @Test func aRequestMayArriveByteByByte() async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            for byte in Array(" \(inspect)\n\(inspect)".utf8) { await client.sendAll([byte]) }
            #expect(try await client.lines(2) == [inspected, inspected])
        }
    }
}
