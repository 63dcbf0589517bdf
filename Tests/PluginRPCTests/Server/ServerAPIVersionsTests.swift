import GroupSPI
import Testing

/// Handshakes and the methods that only some generations have, over the wire.
@Suite struct ServerAPIVersionsTests {
    /// The JSON text of the reply to one HTTP call, without its envelope.
    private func answer(
        _ fixture: ServerFixture,
        _ method: String,
        _ params: String = "{}",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let text = try await fixture.exchange(HTTPText.call(method, params)) { !HTTPText.all($0).isEmpty }
        let body = try #require(HTTPText.all(text).first?.body, sourceLocation: sourceLocation)
        let prefix = #"{"jsonrpc":"2.0","#
        let suffix = ",\"id\":1}\n"
        #expect(body.hasPrefix(prefix) && body.hasSuffix(suffix), sourceLocation: sourceLocation)
        return String(body.dropFirst(prefix.count).dropLast(suffix.count))
    }

    private func failure(_ message: String) -> String {
        #""error":{"code":-32000,"message":"\#(message)","data":null}"#
    }

    private let watched = ScriptedGroup([.sample("a"), .sample("b")])
    private let spec = #"{"z":1.0,"a":12345678901234567890123}"#

    @Test func aManagerShakesHandsWithEveryGeneration() async throws {
        try await withPluginServer(watched) { fixture in
            let v01 = try await answer(fixture, "Plugin.Implements")
            #expect(v01 == #""result":{"APIs":[{"Name":"Group","Version":"0.1.0"}]}"#)
            let v05 = try await answer(fixture, "Handshake.Implements")
            let names = ["Group", "Manager", "Metadata"].map { #"{"Name":"\#($0)","Version":"0.1.0"}"# }
            #expect(v05 == #""result":{"APIs":[\#(names.joined(separator: ","))]}"#)
            let types = try await answer(fixture, "Handshake.Types")
            #expect(
                types == #""result":{"Types":{"Group/0.1.0":["."],"Manager/0.1.0":["."],"Metadata/0.1.0":["."]}}"#
            )
            let hello = try await answer(fixture, "Handshake.Hello")
            let objects = ["groups", "a", "b"].map { #"{"Name":"\#($0)","ProxyFor":""}"# }.joined(separator: ",")
            #expect(
                hello == #""result":{"Objects":{"Controller/0.1.1":[\#(objects)],"Group/0.1.1":[\#(objects)],"#
                    + #""Stack/0.1.1":[{"Name":".","ProxyFor":""}],"#
                    + #""Updatable/0.1.1":[{"Name":"status","ProxyFor":""},{"Name":"vars","ProxyFor":""}]}}"#
            )
        }
    }

    @Test func aBarePluginShakesHandsAsOne() async throws {
        try await withPluginServer(watched, manager: nil) { (fixture) async throws in
            let group = #"{"Name":"Group","Version":"0.1.0"}"#
            #expect(try await answer(fixture, "Plugin.Implements") == #""result":{"APIs":[\#(group)]}"#)
            #expect(try await answer(fixture, "Handshake.Implements") == #""result":{"APIs":[\#(group)]}"#)
            #expect(try await answer(fixture, "Handshake.Types") == #""result":{"Types":{"Group/0.1.0":["."]}}"#)
            #expect(
                try await answer(fixture, "Handshake.Hello")
                    == #""result":{"Objects":{"Group/0.1.1":[{"Name":".","ProxyFor":""}]}}"#
            )
            #expect(
                try await answer(fixture, "Manager.IsLeader")
                    == failure(#"rpc: can't find service \"Manager.IsLeader\""#)
            )
        }
    }

    @Test func aManagerWhoseStoreCannotBeReadStillShakesHands() async throws {
        let broken = { @Sendable (group: ScriptedGroup) in
            ScriptedManager(group: group, storeFailure: GroupError(.storeUnavailable, "disk gone"))
        }
        try await withPluginServer(watched, manager: broken) { fixture in
            let hello = try await answer(fixture, "Handshake.Hello")
            #expect(hello.contains(#""Group/0.1.1":[{"Name":"groups","ProxyFor":""}]"#))
            #expect(
                try await answer(fixture, "Manager.Specs")
                    == #""error":{"code":-32000,"message":"disk gone","data":{"kind":"storeUnavailable"}}"#
            )
        }
    }

    /// Clients begin with this question, and give up on it after a while.
    @Test func aManagerWhoseStoreHangsStillShakesHands() async throws {
        let hanging = { @Sendable (group: ScriptedGroup) in ScriptedManager(group: group, storeHangs: true) }
        try await withPluginServer(watched, manager: hanging) { fixture in
            let hello = try await answer(fixture, "Handshake.Hello")
            #expect(hello.contains(#""Group/0.1.1":[{"Name":"groups","ProxyFor":""}]"#))
        }
    }

    @Test func tellsWhoLeads() async throws {
        let follower = { @Sendable (group: ScriptedGroup) in
            ScriptedManager(group: group, leads: false, location: "tcp://b.example:2377/x")
        }
        try await withPluginServer(watched, manager: follower) { fixture in
            #expect(try await answer(fixture, "Manager.IsLeader") == #""result":{"Leader":false}"#)
            #expect(try await answer(fixture, "Manager.LookForRequests") == #""result":{"Leader":false}"#)
            #expect(try await answer(fixture, "Manager.StoreOutcomes") == #""result":{"Stored":false}"#)
            let location = try await answer(fixture, "Manager.LeaderLocation")
            #expect(location.contains(#""Scheme":"tcp","Opaque":"","User":null,"Host":"b.example:2377","Path":"/x""#))
        }
        try await withPluginServer(watched) { (fixture) async throws in
            #expect(try await answer(fixture, "Manager.IsLeader") == #""result":{"Leader":true}"#)
            #expect(try await answer(fixture, "Manager.LookForRequests") == #""result":{"Leader":true}"#)
            #expect(try await answer(fixture, "Manager.StoreOutcomes") == #""result":{"Stored":true}"#)
            #expect(try await answer(fixture, "Manager.LeaderLocation") == #""result":{"Location":null}"#)
        }
    }

    @Test func showsSpecsAndRefusesWhatTheRecordedManagerRefuses() async throws {
        try await withPluginServer(watched) { fixture in
            func object(_ id: Identifier) -> String {
                #"{"kind":"group","version":"","metadata":{"name":"\#(id)","tags":null},"properties":\#(spec)}"#
            }
            #expect(
                try await answer(fixture, "Manager.Specs") == #""result":{"Specs":[\#(object("a")),\#(object("b"))]}"#
            )
            let inspected = try await answer(fixture, "Manager.Inspect")
            // An object has an identity, and a spec has none.
            let identified = object("a").replacing(#"{"name""#, with: #"{"id":"a","name""#)
            #expect(inspected.hasPrefix(#""result":{"Objects":[\#(identified.dropLast()),"state":null}"#))
            #expect(
                try await answer(fixture, "Manager.Status") == #""result":{"Status":{"role":"leader"}}"#
            )
            #expect(
                try await answer(fixture, "Manager.Enforce", #"{"Specs":[]}"#)
                    == failure("not implemented -- commit to individual plugins")
            )
            #expect(
                try await answer(fixture, "Manager.Terminate", #"{"Specs":[]}"#)
                    == failure("not implemented -- destroy via direct calls to plugins")
            )
        }
    }

    @Test(arguments: ["Metadata", "Updatable"])
    func hasATreeToRead(service: String) async throws {
        try await withPluginServer(watched) { (fixture) async throws in
            func nodes(_ path: String) async throws -> String {
                try await answer(fixture, "\(service).List", #"{"Path":"\#(path)"}"#)
            }
            func value(_ path: String) async throws -> String {
                try await answer(fixture, "\(service).Get", #"{"Path":"\#(path)"}"#)
            }
            #expect(try await nodes(".") == #""result":{"Nodes":["configs","leader"]}"#)
            #expect(try await nodes("") == #""result":{"Nodes":["configs","leader"]}"#)
            #expect(try await nodes("configs") == #""result":{"Nodes":["a","b"]}"#)
            #expect(try await nodes("leader") == #""result":{"Nodes":null}"#)
            #expect(try await value("leader") == #""result":{"Value":true}"#)
            #expect(try await value("./configs/b") == #""result":{"Value":{"ID":"b","Properties":\#(spec)}}"#)
            #expect(try await value("configs/c") == failure("not found: configs/c"))
            #expect(try await nodes("nope") == failure("not found: nope"))
        }
    }

    // MARK: - The head generation's names

    @Test func resultsCarryTheNameAndIDOfTheRequest() async throws {
        try await withPluginServer(watched) { fixture in
            let described = try await answer(fixture, "Group.DescribeGroup", #"{"Name":"group/groups","ID":"a"}"#)
            #expect(described.hasPrefix(#""result":{"Name":"group/groups","ID":"a","Description":{"Instances":[{"ID""#))
            let committed = try await answer(
                fixture,
                "Group.CommitGroup",
                #"{"Name":"group/groups","Spec":{"ID":"c","Properties":{}},"Pretend":false}"#
            )
            #expect(committed == #""result":{"Name":"group/groups","ID":"c","Details":"Managing c"}"#)
            let freed = try await answer(fixture, "Group.FreeGroup", #"{"Name":"group/groups","ID":"b"}"#)
            #expect(freed == #""result":{"Name":"group/groups","ID":"b"}"#)
            let size = try await answer(fixture, "Group.Size", #"{"Name":"group","ID":"a"}"#)
            #expect(size == #""result":{"Name":"group","ID":"a","Size":3}"#)
            #expect(try await answer(fixture, "Group.FreeGroup", #"{"ID":"a"}"#) == #""result":{"OK":true}"#)
        }
    }

    @Test(arguments: [true, false])
    func aNameMayPointAtOneGroup(asManager: Bool) async throws {
        try await withPluginServer(watched, manager: asManager ? { ScriptedManager(group: $0) } : nil) { fixture in
            let described = try await answer(fixture, "Group.DescribeGroup", #"{"Name":"group/b","ID":""}"#)
            #expect(described.contains(#""infrakit.group":"b""#))
            #expect(fixture.group.requests.contains(.describe(id: "b")))
            let explicit = try await answer(fixture, "Group.DescribeGroup", #"{"Name":"group/b","ID":"a"}"#)
            #expect(explicit.contains(#""infrakit.group":"a""#))
            let unknown = try await answer(fixture, "Group.DescribeGroup", #"{"Name":"group/zzz","ID":"a"}"#)
            #expect(unknown == failure("not found: group/zzz (key=zzz)"))
        }
    }

    // MARK: - Controller

    private func change(_ id: Identifier, kind: String = "group", operation: Int = 0) -> String {
        #"{"Name":"group/groups","Operation":\#(operation),"Spec":{"kind":"\#(kind)","version":"v","#
            + #""metadata":{"name":"\#(id)","tags":{"x":"y"}},"properties":\#(spec)}}"#
    }

    @Test func aControllerCommitsPlansAndDestroysSpecsOfTheKindGroup() async throws {
        try await withPluginServer(watched) { fixture in
            let object =
                #""Object":{"kind":"group","version":"v","metadata":{"name":"n","tags":{"x":"y"}},"#
                + #""properties":\#(spec),"state":"#
            let planned = try await answer(fixture, "Controller.Plan", change("n"))
            #expect(planned.hasPrefix(#""result":{"Name":"group/groups",\#(object)null}"#))
            #expect(planned.hasSuffix(#""Plan":{"Message":["Would manage n"]}}"#))
            #expect(!fixture.group.groups.contains { $0.id == "n" })

            let committed = try await answer(fixture, "Controller.Commit", change("n"))
            #expect(committed.hasPrefix(#""result":{"Name":"group/groups",\#(object){"Instances":[{"ID":"i-1""#))
            #expect(committed.hasSuffix(#""Converged":true}}}"#))
            #expect(fixture.group.groups.last == .sample("n"))

            let destroyed = try await answer(fixture, "Controller.Commit", change("n", operation: 1))
            #expect(destroyed == #""result":{"Name":"group/groups",\#(object)null}}"#)
            #expect(!fixture.group.groups.contains { $0.id == "n" })
        }
    }

    @Test func aControllerRefusesWhatItCannotDo() async throws {
        try await withPluginServer(watched) { fixture in
            let kind = try await answer(fixture, "Controller.Commit", change("n", kind: "ingress"))
            #expect(kind == failure("specs of kind 'ingress' are not supported here, only of kind 'group'"))
            let nameless = try await answer(fixture, "Controller.Commit", change(""))
            #expect(nameless == failure("the spec has no metadata.name, which is the group's ID"))
            let operation = try await answer(fixture, "Controller.Plan", change("n", operation: 2))
            #expect(operation == failure("unknown operation 2: 0 enforces a spec, 1 destroys"))
            let rejected = try await answer(fixture, "Controller.Commit", change("unacceptable"))
            #expect(rejected == failure(#"no \"such\" size"#))
            #expect(fixture.group.groups.map(\.id) == ["a", "b"])
        }
    }

    @Test func aControllerDescribesAndFreesOneOrAll() async throws {
        try await withPluginServer(watched) { fixture in
            func objects(_ text: String) -> Int { text.split(separator: #""kind":"group""#).count - 1 }
            let all = try await answer(fixture, "Controller.Describe", #"{"Name":"group/groups","Metadata":null}"#)
            #expect(objects(all) == 2)
            #expect(all.contains(#""state":{"Instances":[{"ID":"i-1""#))
            let one = try await answer(fixture, "Controller.Describe", #"{"Name":"group","Metadata":{"name":"b"}}"#)
            #expect(objects(one) == 1)
            let byName = try await answer(fixture, "Controller.Describe", #"{"Name":"group/a"}"#)
            #expect(objects(byName) == 1)
            let none = try await answer(fixture, "Controller.Describe", #"{"Name":"group","Metadata":{"name":"q"}}"#)
            #expect(none == failure("Group 'q' is not being watched"))
            _ = try await answer(fixture, "Controller.Free", #"{"Name":"group","Metadata":{"name":"a"}}"#)
            #expect(fixture.group.groups.map(\.id) == ["b"])
        }
    }

    @Test func describesItsMethodsHonestly() async throws {
        for isManager in [true, false] {
            try await withPluginServer(watched, manager: isManager ? { ScriptedManager(group: $0) } : nil) { fixture in
                let get = "GET /info/api.json?x=1 HTTP/1.1\r\nHost: h\r\n\r\n"
                let text = try await fixture.exchange(get) { !HTTPText.all($0).isEmpty }
                let body = try JSONView(Array((HTTPText.all(text).first?.body ?? "").utf8))
                var methods: [(String, String)] = []
                for interface in body.member("Interfaces")?.elements ?? [] {
                    for method in interface.member("Methods")?.elements ?? [] {
                        let request = try #require(method.member("Request"))
                        let name = try #require(request.member("method")?.string)
                        methods.append((name, request.member("params")?.raw.text ?? ""))
                    }
                }
                #expect(methods.count == (isManager ? 27 : 13))
                for (name, params) in methods {
                    let reply = try await answer(fixture, name, params)
                    #expect(!reply.contains("can't find"), "\(name)")
                    #expect(!reply.contains("unmarshal"), "\(name)")
                }
            }
        }
    }
}
