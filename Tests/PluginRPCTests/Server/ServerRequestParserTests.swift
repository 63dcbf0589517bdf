import GroupSPI
import Testing

@testable import PluginRPC

@Suite struct ServerRequestParserTests {
    private func parse(_ wireProtocol: WireProtocol, _ text: String, manager: Bool = true) throws -> RPCRequest {
        try RequestParser(wireProtocol: wireProtocol, limits: .standard, servesManager: manager).parse(Array(text.utf8))
    }

    private func request(_ wireProtocol: WireProtocol, _ method: String, _ argument: String) throws -> GroupRequest? {
        let text = #"{"jsonrpc":"2.0","method":"Group.\#(method)","params":[\#(argument)],"id":1}"#
        guard case .group(let request, _) = try parse(wireProtocol, text).call.get() else { return nil }
        return request
    }

    @Test(arguments: [WireProtocol.stream, .http])
    func readsEveryGroupMethod(_ wireProtocol: WireProtocol) throws {
        let spec = GroupSpec(id: "g", properties: try RawJSON(#"{"b": 1.0, "a":[ ]}"#))
        let argument = #"{"Spec":{"ID":"g","Properties":{"b": 1.0, "a":[ ]}},"Pretend":true}"#
        #expect(try request(wireProtocol, "WatchGroup", argument) == .watch(spec))
        #expect(try request(wireProtocol, "UpdateGroup", argument) == .update(spec))
        #expect(try request(wireProtocol, "DescribeUpdate", argument) == .describeUpdate(spec))
        #expect(try request(wireProtocol, "CommitGroup", argument) == .commit(spec, pretend: true))
        #expect(try request(wireProtocol, "UnwatchGroup", #"{"ID":"g"}"#) == .unwatch(id: "g"))
        #expect(try request(wireProtocol, "StopUpdate", #"{"ID":"g"}"#) == .stopUpdate(id: "g"))
        #expect(try request(wireProtocol, "FreeGroup", #"{"ID":"g"}"#) == .free(id: "g"))
        #expect(try request(wireProtocol, "DestroyGroup", #"{"ID":"g"}"#) == .destroy(id: "g"))
        #expect(try request(wireProtocol, "DescribeGroup", #"{"ID":"g"}"#) == .describe(id: "g"))
        #expect(try request(wireProtocol, "InspectGroups", #"{"ID":""}"#) == .inspect)
        #expect(try request(wireProtocol, "Size", #"{"ID":"g"}"#) == .size(id: "g"))
        #expect(try request(wireProtocol, "SetSize", #"{"ID":"g","Size":7}"#) == .setSize(id: "g", 7))
        let instances = #"{"ID":"g","Instances":["i-1","i-2"]}"#
        #expect(try request(wireProtocol, "DestroyInstances", instances) == .destroyInstances(id: "g", ["i-1", "i-2"]))
        #expect(
            try request(wireProtocol, "DestroyInstances", #"{"ID":"g","Instances":null}"#)
                == .destroyInstances(id: "g", [])
        )
    }

    @Test func findsMembersWithoutRegardToCaseAndTakesTheLast() throws {
        #expect(try request(.stream, "DescribeGroup", #"{"ID":"a","Id":"b","iD":"c","IDs":"d"}"#) == .describe(id: "c"))
        #expect(try request(.http, "DescribeGroup", #"{"\u0049d":"x"}"#) == .describe(id: "x"))
        let text = #"{"method":"Group.Nope","METHOD":"Group.InspectGroups","params":[{}],"ID":1,"id":[2 ]}"#
        let request = try parse(.stream, text)
        #expect(request.id?.text == "[2 ]")
        #expect(throws: Never.self) { try request.call.get() }
    }

    @Test(arguments: ["0", #""é\u0000""#, "9223372036854775807", "-1.50e+3", #"{"a": 1,"a":2}"#, "[null ,1]", "false"])
    func keepsTheIDByteForByte(id: String) throws {
        let text = #"{"jsonrpc":"2.0","method":"Group.InspectGroups","params":[{}],"id": \#(id) }"#
        #expect(try parse(.stream, text).id?.text == id)
        #expect(try parse(.http, text).id?.text == id)
    }

    @Test func aMissingIDIsNullInTheStreamAndWantsNoAnswerInHTTP() throws {
        for text in [#"{"jsonrpc":"2.0","method":"A.B"}"#, #"{"jsonrpc":"2.0","method":"A.B","id":null}"#] {
            #expect(try parse(.stream, text).id?.text == "null")
            #expect(try parse(.http, text).id == nil)
        }
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let method: String
        let argument: String
        let message: String
        var testDescription: String { "\(method) \(argument)" }
    }

    static let wrongArguments = [
        Wrong(
            method: "DescribeGroup",
            argument: #"{"ID":5}"#,
            message: "json: cannot unmarshal number into Go struct field DescribeGroupRequest.ID of type group.ID"
        ),
        Wrong(
            method: "InspectGroups",
            argument: #"{"Name":{}}"#,
            message: "json: cannot unmarshal object into Go struct field InspectGroupsRequest.Name of type plugin.Name"
        ),
        Wrong(
            method: "CommitGroup",
            argument: #"{"Spec":"x"}"#,
            message: "json: cannot unmarshal string into Go struct field CommitGroupRequest.Spec of type group.Spec"
        ),
        Wrong(
            method: "WatchGroup",
            argument: #"{"Spec":{"ID":true}}"#,
            message: "json: cannot unmarshal bool into Go struct field WatchGroupRequest.Spec.ID of type group.ID"
        ),
        Wrong(
            method: "CommitGroup",
            argument: #"{"Pretend":"yes"}"#,
            message: "json: cannot unmarshal string into Go struct field CommitGroupRequest.Pretend of type bool"
        ),
        Wrong(
            method: "SetSize",
            argument: #"{"Size":1.5}"#,
            message: "json: cannot unmarshal number 1.5 into Go struct field SetSizeRequest.Size of type int"
        ),
        Wrong(
            method: "DestroyInstances",
            argument: #"{"Instances":["a",1]}"#,
            message:
                "json: cannot unmarshal number into Go struct field DestroyInstancesRequest.Instances of type instance.ID"
        ),
        Wrong(
            method: "FreeGroup",
            argument: "5",
            message: "json: cannot unmarshal number into Go value of type group.FreeGroupRequest"
        ),
    ]

    @Test(arguments: wrongArguments)
    func namesTheMemberOfTheWrongType(_ wrong: Wrong) throws {
        let text = #"{"jsonrpc":"2.0","method":"Group.\#(wrong.method)","params":[\#(wrong.argument)],"id":1}"#
        for wireProtocol in [WireProtocol.stream, .http] {
            let request = try parse(wireProtocol, text)
            let failure = #expect(throws: RPCFailure.self) { try request.call.get() }
            #expect(failure?.message == wrong.message)
            #expect(failure?.code == .invalidRequest)
            #expect(failure?.data.text == "[\(wrong.argument)]")
        }
    }

    @Test func aManagersServicesDoNotExistOnABarePlugin() throws {
        for method in ["Manager.IsLeader", "Metadata.List", "Updatable.Get", "Controller.Describe"] {
            let text = #"{"jsonrpc":"2.0","method":"\#(method)","id":1}"#
            #expect(throws: Never.self) { try parse(.http, text).call.get() }
            let failure = #expect(throws: RPCFailure.self) { try parse(.http, text, manager: false).call.get() }
            #expect(failure?.message == "rpc: can't find service \"\(method)\"")
        }
    }

    @Test(arguments: ["", "A", "A.B.C", ".", "Group.", "é.ü"])
    func oddMethodsAreRefusedUnderTheirID(method: String) throws {
        for wireProtocol in [WireProtocol.stream, .http] {
            let request = try parse(wireProtocol, #"{"jsonrpc":"2.0","method":"\#(method)","params":[{}],"id":1}"#)
            let failure = #expect(throws: RPCFailure.self) { try request.call.get() }
            #expect(failure?.code == .server)
            #expect(failure?.message.hasPrefix("rpc: ") == true)
        }
    }

    @Test func anEnvelopeOfWrongTypesIsMalformedInTheStreamAndAParseErrorInHTTP() throws {
        let text = #"{"jsonrpc":"2.0","method":5,"params":[{}],"id":1}"#
        #expect(throws: RequestParser.Malformed.self) { try parse(.stream, text) }
        let request = try parse(.http, text)
        let failure = #expect(throws: RPCFailure.self) { try request.call.get() }
        #expect(failure?.code == .parse)
    }

    @Test(arguments: ["", "{", "[]", "7", "{\"a\":\"\u{1}\"}", "{\"a\":01}", "{]"])
    func whatIsNoRequestIsMalformed(text: String) {
        #expect(throws: RequestParser.Malformed.self) { try parse(.stream, text) }
        #expect(throws: RequestParser.Malformed.self) { try parse(.http, text) }
    }

    @Test func whatFollowsTheFirstValueDoesNotCountInHTTP() throws {
        let text = #"{"jsonrpc":"2.0","method":"Group.InspectGroups","id":1}"#
        for rest in ["xxx", "{", "\u{0}", "  ]"] {
            #expect(throws: Never.self) { try parse(.http, text + rest).call.get() }
        }
    }
}
