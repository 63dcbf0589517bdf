import GroupSPI
import NIOCore
import Testing

@testable import PluginRPC

@Suite struct ServerReplyWriterTests {
    private func text(_ wireProtocol: WireProtocol, _ answer: Response, id: RawJSON? = RawJSON(checked: [0x31]))
        -> String
    {
        String(buffer: ReplyWriter(wireProtocol: wireProtocol).reply(to: id, .success(answer)))
    }

    private func result(_ reply: GroupReply, name: Identifier? = nil, id: Identifier = "") -> String {
        let address = name.map { Address(name: $0, id: id) }
        let whole = text(.stream, .group(reply, address))
        let start = #"{"id":1,"result":"#
        let end = ",\"error\":null}\n"
        #expect(whole.hasPrefix(start) && whole.hasSuffix(end))
        return String(whole.dropFirst(start.count).dropLast(end.count))
    }

    @Test func writesEveryResultInTheShapeOfTheGenerationThatAsks() throws {
        #expect(result(.ok) == #"{"OK":true}"#)
        #expect(result(.ok, name: "group/a", id: "a") == #"{"Name":"group/a","ID":"a"}"#)
        #expect(result(.details("a \"b\"\n")) == #"{"Details":"a \"b\"\n"}"#)
        #expect(result(.details(""), name: "g", id: "x") == #"{"Name":"g","ID":"x","Details":""}"#)
        #expect(result(.plan("p")) == #"{"Plan":"p"}"#)
        #expect(result(.size(-3)) == #"{"Size":-3}"#)
        #expect(result(.size(3), name: "", id: "") == #"{"Name":"","ID":"","Size":3}"#)
        #expect(result(.groups([])) == #"{"Groups":null}"#)
        let two = [GroupSpec.sample("a\u{1}"), GroupSpec(id: "é", properties: .null)]
        let groups =
            #"[{"ID":"a\u0001","Properties":{"z":1.0,"a":12345678901234567890123}},{"ID":"é","Properties":null}]"#
        #expect(result(.groups(two)) == #"{"Groups":\#(groups)}"#)
        let stored = #""Stored":{"Revision":12,"Epoch":3,"AgeMilliseconds":840}"#
        let stamp = ReadStamp(revision: 12, epoch: 3, age: 840)
        #expect(result(.storedGroups(two, stamp)) == #"{"Groups":\#(groups),\#(stored)}"#)
    }

    @Test func saysWhetherAGroupHasConvergedOnlyInHTTPAndOnlyWhenItIsKnown() throws {
        let instances = try RawJSON(#"[{"ID":"i", "Extra":1.0}]"#)
        func descriptions(_ isConverged: Bool?) -> (stream: String, http: String) {
            let answer = Response.group(
                .description(GroupDescription(instances: instances, isConverged: isConverged)),
                nil
            )
            return (text(.stream, answer), text(.http, answer))
        }
        let plain = #""Description":{"Instances":[{"ID":"i", "Extra":1.0}]}"#
        #expect(descriptions(nil).stream.contains(plain))
        #expect(descriptions(nil).http.contains(plain))
        #expect(descriptions(true).stream.contains(plain))
        #expect(descriptions(true).http.contains(#"[{"ID":"i", "Extra":1.0}],"Converged":true}"#))
        #expect(descriptions(false).http.contains(#""Converged":false}"#))
    }

    @Test func writesErrorsInTheDialectsWords() {
        let failure = RPCFailure(.invalidRequest, "bad \\ thing", data: RawJSON(checked: Array("[5]".utf8)))
        let stream = ReplyWriter(wireProtocol: .stream).reply(
            to: RawJSON(checked: Array(#""x""#.utf8)),
            .failure(failure)
        )
        #expect(String(buffer: stream) == "{\"id\":\"x\",\"result\":null,\"error\":\"bad \\\\ thing\"}\n")
        let http = ReplyWriter(wireProtocol: .http).reply(to: RawJSON(checked: Array(#""x""#.utf8)), .failure(failure))
        let expected =
            #"{"jsonrpc":"2.0","error":{"code":-32600,"message":"bad \\ thing","data":[5]},"id":"x"}"# + "\n"
        #expect(String(buffer: http) == expected)
    }

    /// A manager in front of this one must not take it for a refusal.
    @Test func whatIsNoRefusalSaysSo() throws {
        let id = RawJSON(checked: Array("7".utf8))
        for (code, expected) in [
            (.rejected, .rejected), (.pending, .unknownOutcome), (.notLeader, .unreachable),
            (.notRunning, .unreachable),
            (.storeUnavailable, .unknownOutcome), (.unknownOutcome, .unknownOutcome), (.badRequest, .rejected),
        ] as [(GroupError.Code, GroupError.Code)] {
            for wireProtocol in [WireProtocol.stream, .http] {
                let failure = RPCFailure(GroupError(code, "words"))
                let reply = ReplyWriter(wireProtocol: wireProtocol).reply(to: id, .failure(failure))
                let decoded = try ReplyDecoder(limits: .standard).decode(Array(reply.readableBytesView))
                guard case .error("words", let kind) = decoded.outcome else {
                    Issue.record("\(String(buffer: reply))")
                    return
                }
                #expect((kind?.ofPlugin ?? .rejected) == expected, "\(code)")
            }
        }
    }

    @Test func anHTTPRequestWithoutIDGetsAnEmptyBody() {
        let reply = ReplyWriter(wireProtocol: .http).reply(to: nil, .success(.group(.ok, nil)))
        #expect(reply.readableBytes == 0)
    }

    @Test func headAndBodyAreOneBuffer() {
        var body = ReplyWriter(wireProtocol: .http).reply(to: .null, .success(.group(.ok, nil)))
        let length = body.readableBytes
        let storage = body.storageCapacity
        let head = HTTPResponseHead(status: "200 OK", connection: .close)
        head.prepend(to: &body, date: "Sun, 22 Nov 2026 15:16:54 GMT")
        let text = String(buffer: body)
        #expect(
            text.hasPrefix("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 15:16:54 GMT\r\nContent-Length: \(length)\r\n")
        )
        #expect(
            text.hasSuffix("\r\nConnection: close\r\n\r\n{\"jsonrpc\":\"2.0\",\"result\":{\"OK\":true},\"id\":null}\n")
        )
        #expect(body.storageCapacity == storage)
    }

    @Test func writesDatesAsHTTPWantsThem() {
        #expect(HTTPDate.format(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.format(1_795_360_614) == "Sun, 22 Nov 2026 15:16:54 GMT")
    }
}
