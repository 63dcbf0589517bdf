import GroupSPI
import Testing

/// What released InfraKit binaries of every generation answered to odd requests, this server answers too.
@Suite struct ServerRecordedWireTests {
    @Test(arguments: RecordedExchange.seed)
    func answersTheStreamAsRecorded(_ exchange: RecordedExchange) async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            client.send(exchange.request)
            let expected = exchange.reply.split(separator: "\n").map(String.init)
            if exchange.closes {
                if exchange.name.contains("half close") { client.closeOutput() }
                let text = try await client.textUntilEnd()
                #expect(text.split(separator: "\n").map(String.init) == expected)
            } else {
                // In the stream, replies may come in any order.
                #expect(try await client.lines(expected.count).sorted() == expected.sorted())
                // The connection is still there.
                client.send(#"{"method":"Group.InspectGroups","params":[{}],"id":"last"}"#)
                let next = try await client.lines(expected.count + 1).last
                #expect(next?.hasPrefix(#"{"id":"last","result":{"Groups":"#) == true)
            }
        }
    }

    @Test(arguments: RecordedExchange.v01 + RecordedExchange.v05 + RecordedExchange.head)
    func answersHTTPAsRecorded(_ exchange: RecordedExchange) async throws {
        try await withPluginServer { fixture in
            let client = try await fixture.connect()
            defer { client.close() }
            client.send(exchange.request)
            let expected = HTTPText.all(exchange.reply)
            let text =
                exchange.closes
                ? try await client.textUntilEnd()
                : try await client.text { HTTPText.all($0).count >= expected.count }
            let responses = HTTPText.all(text)
            #expect(responses.map(\.statusLine) == expected.map(\.statusLine))
            #expect(responses.map { compacted($0.body) } == expected.map(\.body))
            #expect(responses.map { $0.header["content-type"] } == expected.map { $0.header["content-type"] })
            #expect(responses.map { $0.header["date"] != nil || $0.body.isEmpty }.allSatisfy { $0 })
            if !exchange.closes {
                client.send(HTTPText.call("Group.InspectGroups", id: "99"))
                let next = try await client.text { HTTPText.all($0).count > expected.count }
                #expect(next.hasSuffix("{\"jsonrpc\":\"2.0\",\"result\":{\"Groups\":null},\"id\":99}\n"))
            }
        }
    }

    /// Go writes an object `id` without its white space, this server as it came.
    private func compacted(_ body: String) -> String {
        body.replacing(#""id":{"a": 1}"#, with: #""id":{"a":1}"#)
    }
}
