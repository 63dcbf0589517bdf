import GroupSPI
import PluginRPC
import Testing

/// HTTP over a real socket, where it is more than one request and one reply.
@Suite struct ServerHTTPTests {
    private func describe(_ id: Identifier, _ number: Int) -> String {
        HTTPText.call("Group.DescribeGroup", #"{"ID":"\#(id)"}"#, id: "\(number)")
    }

    private func ids(_ responses: [HTTPText]) -> [String] {
        responses.map { $0.body.split(separator: #""id":"#).last.map { String($0.dropLast(2)) } ?? "" }
    }

    @Test func pipelinedRequestsAreAnsweredInTheirOrder() async throws {
        let group = ScriptedGroup([.sample("slow"), .sample("quick")], holding: ["slow"])
        try await withPluginServer(group) { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            client.send(
                describe("slow", 1) + describe("quick", 2) + "GET /nope HTTP/1.1\r\nHost: h\r\n\r\n"
                    + describe("quick", 3)
            )
            await group.arrival(of: 1)
            let other = try await fixture.exchange(describe("quick", 9)) { !HTTPText.all($0).isEmpty }
            #expect(ids(HTTPText.all(other)) == ["9"])
            #expect(client.received == "")
            group.open("slow")
            let responses = HTTPText.all(try await client.text { HTTPText.all($0).count == 4 })
            #expect(ids([responses[0], responses[1], responses[3]]) == ["1", "2", "3"])
            #expect(responses[2].statusLine == "HTTP/1.1 404 Not Found")
        }
    }

    @Test(arguments: [1, 2, 3, 5, 17])
    func requestsMayArriveInPieces(size: Int) async throws {
        let body = #"{"jsonrpc":"2.0","method":"Group.InspectGroups","id":5}"#
        let chunked =
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            + body.map { "1\r\n\($0)\r\n" }.joined() + "0\r\nTrailer: x\r\n\r\n"
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            let bytes = Array((HTTPText.post(body) + chunked).utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                await client.sendAll(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            let responses = HTTPText.all(try await client.text { HTTPText.all($0).count == 2 })
            #expect(ids(responses) == ["5", "5"])
        }
    }

    @Test func answersAfterTheClientHasClosedItsHalf() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        try await withPluginServer(group) { fixture in
            let client = try await fixture.connect()
            client.send(describe("slow", 1) + describe("slow", 2))
            client.closeOutput()
            await group.arrival(of: 1)
            group.open("slow")
            #expect(ids(HTTPText.all(try await client.textUntilEnd())) == ["1", "2"])
        }
    }

    @Test func aNotificationIsCarriedOutAndAnsweredWithNothing() async throws {
        try await withPluginServer { fixture in
            let params = #"{"Spec":{"ID":"g","Properties":null}}"#
            let text = try await fixture.exchange(HTTPText.call("Group.CommitGroup", params, id: "null")) {
                !HTTPText.all($0).isEmpty
            }
            #expect(HTTPText.all(text).first?.statusLine == "HTTP/1.1 200 OK")
            #expect(HTTPText.all(text).first?.body == "")
            #expect(fixture.group.groups.map(\.id) == ["g"])
        }
    }

    @Test func oldClientsMayKeepTheConnection() async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            let body = #"{"jsonrpc":"2.0","method":"Group.InspectGroups","id":1}"#
            let head = "POST / HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n"
            client.send(head + "Connection: keep-alive\r\n\r\n" + body)
            let first = HTTPText.all(try await client.text { !HTTPText.all($0).isEmpty })
            #expect(first.first?.header["connection"] == "keep-alive")
            client.send(head + "\r\n" + body)
            let all = HTTPText.all(try await client.textUntilEnd())
            #expect(all.map(\.statusLine) == ["HTTP/1.0 200 OK", "HTTP/1.0 200 OK"])
            #expect(all.last?.header["connection"] == "close")
        }
    }

    @Test func leaveToSendTheBodyIsGivenWhenItIsTheRequestsTurn() async throws {
        let group = ScriptedGroup([.sample("slow")], holding: ["slow"])
        try await withPluginServer(group) { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            let body = #"{"jsonrpc":"2.0","method":"Group.InspectGroups","id":2}"#
            let head = HTTPText.post(body, header: "Expect: 100-continue\r\n").dropLast(body.count)
            client.send(describe("slow", 1) + head)
            await group.arrival(of: 1)
            group.open("slow")
            let before = HTTPText.all(try await client.text { HTTPText.all($0).count == 2 })
            #expect(before[0].body.contains(#""id":1"#))
            #expect(before[1].statusLine == "HTTP/1.1 100 Continue")
            client.send(body)
            let after = HTTPText.all(try await client.text { HTTPText.all($0).count == 3 })
            #expect(after[2].body.hasSuffix("\"id\":2}\n"))
        }
    }

    @Test func aRefusalInPlaceOfLeaveEndsTheConnection() async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            client.send("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
            let responses = HTTPText.all(try await client.textUntilEnd())
            #expect(responses.map(\.statusLine) == ["HTTP/1.1 405 Method Not Allowed"])
            #expect(responses.first?.header["connection"] == "close")
        }
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let status: String

        init(_ name: String, _ text: String, _ status: String) {
            (testDescription, self.text, self.status) = (name, text, status)
        }
    }

    static let bad = [
        Bad("announced body too large", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n", "413"),
        Bad(
            "body too large in chunks",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: "400\r\n\(String(repeating: "x", count: 1024))\r\n", count: 70),
            "413"
        ),
        Bad("one header too large", "POST / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "x", count: 70_000))", "431"),
        Bad(
            "header too large",
            "POST / HTTP/1.1\r\nHost: h\r\n"
                + String(repeating: "X-Y: \(String(repeating: "x", count: 100))\r\n", count: 700),
            "431"
        ),
        Bad("target too long", "POST /\(String(repeating: "x", count: 200_000))", "431"),
        Bad("no HTTP", "HELO example.org\r\n\r\n", "400"),
        Bad("negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n", "400"),
        Bad("two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "400"),
        Bad(
            "length and chunks",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "400"
        ),
        Bad("chunk of nonsense", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        Bad("two hosts", "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        Bad("upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "400"),
        Bad("tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ]

    @Test(arguments: bad)
    func badRequestsEndTheirConnectionWithAReason(_ bad: Bad) async throws {
        try await withPluginServer(configuration: .with(\.limits.maximumBytes, 65_536)) { fixture in
            let client = try await fixture.connect()
            client.send(bad.text)
            let responses = HTTPText.all(try await client.textUntilEnd())
            #expect(responses.map { $0.statusLine.split(separator: " ")[1] } == [Substring(bad.status)])
            #expect(responses.first?.header["connection"] == "close")
            let after = try await fixture.exchange(HTTPText.call("Group.InspectGroups")) { !HTTPText.all($0).isEmpty }
            #expect(after.hasSuffix("{\"Groups\":null},\"id\":1}\n"))
        }
    }

    @Test func aBodyThatIsNoJSONIsAnsweredWithNothingAndTheConnectionGoesOn() async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            let deep = String(repeating: "[", count: 100_000)
            client.send(HTTPText.post(deep) + HTTPText.post("{\"a\":\"\u{2}\"}") + HTTPText.call("Group.InspectGroups"))
            let responses = HTTPText.all(try await client.text { HTTPText.all($0).count == 3 })
            #expect(responses.map(\.statusLine) == [String](repeating: "HTTP/1.1 200 OK", count: 3))
            #expect(responses.map(\.body.isEmpty) == [true, true, false])
            #expect(fixture.log.text.contains("nested deeper than 512 levels"))
        }
    }

    @Test(arguments: [
        "POST /", "POST / HTTP/1.1\r\nHost", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n{",
    ])
    func aSlowSenderIsCutOff(start: String) async throws {
        try await withPluginServer(configuration: .with(\.requestTimeout, .milliseconds(300))) { fixture in
            let client = try await fixture.connect()
            client.send(start)
            let trickle = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: .milliseconds(100), clock: .suspending)
                    client.send("x")
                }
            }
            defer { trickle.cancel() }
            #expect(try await client.textUntilEnd() == "")
            #expect(fixture.log.text.contains("not complete in time"))
        }
    }

    @Test func aHeaderThatTricklesInAfterAnAnswerIsCutOffToo() async throws {
        let shortened = PluginServerConfiguration.with(\.requestTimeout, .milliseconds(300))
        try await withPluginServer(configuration: shortened) { fixture in
            let client = try await fixture.connect()
            client.send(HTTPText.call("Group.InspectGroups"))
            _ = try await client.text { !HTTPText.all($0).isEmpty }
            client.send("POST / HTTP/1.1\r\n")
            _ = try await client.textUntilEnd()
            #expect(fixture.log.text.contains("not complete in time"))
        }
    }

    @Test func aClientThatNeverReadsIsStoppedAndThenClosed() async throws {
        let properties = RawJSON(checked: Array("\"\(String(repeating: "x", count: 100_000))\"".utf8))
        let group = ScriptedGroup([GroupSpec(id: "large", properties: properties)])
        try await withPluginServer(group, configuration: .with(\.replyTimeout, .milliseconds(500))) { fixture in
            let deaf = try await RawClient.connect(to: fixture.socketPath, reads: false)
            defer { deaf.close() }
            await deaf.sendAll(Array(String(repeating: HTTPText.call("Group.InspectGroups"), count: 500).utf8))
            try await eventually { fixture.log.text.contains("does not read its replies") }
            #expect(group.requests.count < 100)
        }
    }

    @Test func manyPipelinedRequestsAreAllAnswered() async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            client.send((1...1000).map { describe("none", $0) }.joined())
            let text = try await client.text { $0.contains(#""id":1000}"#) }
            #expect(ids(HTTPText.all(text)) == (1...1000).map(String.init))
        }
    }

    @Test func headHasNoBody() async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            client.send("HEAD /nope HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let text = try await client.textUntilEnd()
            #expect(text.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
            #expect(text.contains("Content-Length: 19\r\n"))
            #expect(text.hasSuffix("\r\n\r\n"))
        }
    }
}
