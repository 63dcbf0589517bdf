import GroupSPI
import PluginFakes
import Testing

@testable import PluginRPC

@Suite("Specifications pass byte for byte")
struct ClientBytesTests {
    static let properties =
        #"{"z":1.0,"a":12345678901234567890123,"e":1E+2, "\u0061":"\u003cb\u003e \/ \ud83d\ude00 é","a":null,"#
        + "\n\t\"deep\":[[],{}],\"Allocation\":{\"Size\":5,\"size\":6}}"

    @Test("out and in", arguments: FakeAPIVersion.all)
    func roundTrip(apiVersion: FakeAPIVersion) async throws {
        try await withPlugin(apiVersion) { client, fake in
            let spec = GroupSpec.text("käse/\"quoted\"\\", Self.properties)
            try await expect(client, .watch(spec), gives: .ok)
            #expect(fake.groups == [spec])
            try await expect(client, .inspect, gives: .groups([spec]))
            try await expect(client, .update(spec), gives: .ok)
            _ = try await client.reply(to: .commit(spec, pretend: false))
            #expect(fake.groups == [spec])
            try await expect(client, .free(id: spec.id), gives: .ok)
        }
    }

    @Test("Requests have the recorded shape")
    func requests() {
        let encoder = RequestEncoder(name: "group-stateless/type")
        let commit = WireCall.commit(.text("cattle", #"{"b": 1.0}"#), pretend: false)
        #expect(
            String(decoding: encoder.stream(commit, id: 7), as: UTF8.self)
                == #"{"method":"Group.CommitGroup","params":[{"Spec":{"ID":"cattle","Properties":{"b": 1.0}},"#
                + #""Pretend":false}],"id":7}"#
        )
        #expect(
            String(decoding: encoder.http(commit, id: .max), as: UTF8.self)
                == #"{"jsonrpc":"2.0","method":"Group.CommitGroup","params":{"Name":"group-stateless/type","#
                + #""Spec":{"ID":"cattle","Properties":{"b": 1.0}},"Pretend":false},"id":9223372036854775807}"#
        )
        #expect(
            String(decoding: encoder.http(.hello, id: 1), as: UTF8.self)
                == #"{"jsonrpc":"2.0","method":"Handshake.Hello","params":{},"id":1}"#
        )
        #expect(
            String(decoding: encoder.stream(.inspect, id: 0), as: UTF8.self)
                == #"{"method":"Group.InspectGroups","params":[{"ID":""}],"id":0}"#
        )
    }

    @Test("Replies are cut wherever the bytes are")
    func framing() throws {
        let text = #" {"id":0,"a":"}\"{\\"}"# + "\n\n" + #"{"id":1,"b":[{"c":{}}]}{"id":2}"# + "  \t"
        let expected = [#"{"id":0,"a":"}\"{\\"}"#, #"{"id":1,"b":[{"c":{}}]}"#, #"{"id":2}"#]
        for size in 1...text.utf8.count {
            var framer = ReplyFramer(limits: .standard)
            var found: [String] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                found += try framer.append(rest.prefix(size)).map { String(decoding: $0, as: UTF8.self) }
                rest = rest.dropFirst(size)
            }
            #expect(found == expected)
        }
    }

    @Test("The framer keeps nothing of endless white space")
    func whiteSpace() throws {
        var framer = ReplyFramer(limits: JSONLimits(maximumBytes: 64, maximumDepth: 8))
        for _ in 0..<1000 {
            let replies = try framer.append(Array("\n  \t\r\n".utf8))
            #expect(replies.isEmpty)
        }
        #expect(try framer.append(Array("{}".utf8)) == [Array("{}".utf8)])
    }

    @Test("The framer never panics and never grows, whatever comes", arguments: [UInt64(1), 2, 3, 4])
    func fuzz(seed: UInt64) {
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        let alphabet = Array(#"{}[]":,\ 1tfn"#.utf8) + [0x0A, 0xFF, 0xC3]
        let limits = JSONLimits(maximumBytes: 256, maximumDepth: 16)
        let decoder = ReplyDecoder(limits: limits)
        for _ in 0..<3000 {
            var framer = ReplyFramer(limits: limits)
            let text = [UInt8(ascii: "{")] + (0..<Int(next() % 400)).map { _ in alphabet[Int(next()) % alphabet.count] }
            if let replies = try? framer.append(text) {
                for reply in replies {
                    #expect(reply.count <= 256)
                    _ = try? decoder.decode(reply)
                }
            }
        }
    }
}
