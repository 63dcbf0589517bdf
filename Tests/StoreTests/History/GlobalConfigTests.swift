import GroupSPI
import Testing

@testable import Store

@Suite struct GlobalConfigTests {
    private func decode(_ text: String) throws -> [GlobalConfig.Entry] { try GlobalConfig.decode(Array(text.utf8)) }

    private func entry(_ id: Identifier, _ properties: String, _ plugin: Identifier) throws -> GlobalConfig.Entry {
        GlobalConfig.Entry(spec: GroupSpec(id: id, properties: try RawJSON(properties)), plugin: plugin)
    }

    @Test func theObjectShape() throws {
        let text = #"""
            {"Groups": {
              "pets": {"Plugin": "group-stateful", "Properties": {"ID": "pets", "Properties": { "z":1.0, "a":[ 1e2 ] }}},
              "cattle": {"Plugin": "group", "Properties": {"Properties": {"x":"\u00e9"}}}
            }}
            """#
        #expect(
            try decode(text) == [
                entry("cattle", #"{"x":"\u00e9"}"#, "group"),
                entry("pets", #"{ "z":1.0, "a":[ 1e2 ] }"#, "group-stateful"),
            ]
        )
    }

    @Test func theArrayShape() throws {
        let text = #"""
            [ {"Key": {"Kind": "group", "Name": "pets"},
               "Record": {"Handler": "group-stateful", "Spec": {"kind": "group", "properties": { "b":2.50 }}}},
              {"Key": {"Kind": "simulator/compute", "Name": "disk"}, "Record": {"Handler": "x", "Spec": {}}},
              {"Key": {"Kind": "group", "Name": "cattle"}, "Record": {"Spec": {"kind": "group"}}} ]
            """#
        #expect(try decode(text) == [entry("cattle", "null", ""), entry("pets", #"{ "b":2.50 }"#, "group-stateful")])
    }

    @Test(arguments: ["", " \n\t", "{}", "[]", #"{"Groups": null}"#, #"{"Groups": {}}"#, #"{"Other": 1}"#])
    func noGroups(_ text: String) throws {
        #expect(try decode(text).isEmpty)
    }

    @Test(arguments: [
        ("{", "invalid JSON"), ("7", "number"), (#"{"Groups": []}"#, "array"), (#"{"Groups": "a"}"#, "string"),
        (#"{"Groups": {"a": {"Plugin": "p"}}}"#, "'a'"), (#"{"Groups": {"a": 3}}"#, "'a'"),
        (#"{"Groups": {"a": {"Properties": {"ID": 3}}}}"#, "'a'"),
        (#"[{"Key": {"Kind": "group"}, "Record": {"Spec": {}}}]"#, "Key.Name"),
        (#"[{"Key": {"Kind": "group", "Name": "a"}}]"#, "Record.Spec"),
        (
            #"{"Groups": {"g": {"Properties": {"Properties": null}}, "g": {"Properties": {"ID": "g", "Properties": 1}}}}"#,
            "two different groups 'g'"
        ),
        // A specification in the place of what holds one.
        (#"{"Groups": {"a": {"ID": "a", "Properties": {"Allocation": {"Size": 3}}}}}"#, "no specification"),
        (#"{"Groups": {"a": {"Properties": {"Allocation": {"Size": 3}}}}}"#, "no specification"),
        (#"{"Groups": {"a": {"Properties": {"ID": "b", "Properties": 1}}}}"#, "the group 'a' has the ID 'b'"),
        (#"{"Groups": {}, "groups": {"a": {"Properties": {"Properties": 1}}}}"#, "two members Groups"),
    ])
    func malformed(_ text: String, _ words: String) throws {
        let error = #expect(throws: StoreError.self) { try decode(text) }
        #expect(error?.code == .malformed && error?.message.contains(words) == true, "\(String(describing: error))")
    }

    /// Two ids that Unicode holds for equal, as in every other program.
    @Test func twoSpellingsAreTwoGroups() throws {
        let entries = try decode(
            #"{"Groups": {"\u00e9": {"Properties": {"Properties": null}}, "e\u0301": {"Properties": {"Properties": null}}}}"#
        )
        #expect(entries.map(\.spec.id) == ["e\u{301}", "\u{E9}"])
        #expect(try decode(String(decoding: GlobalConfig.encode(entries).bytes, as: UTF8.self)) == entries)
    }

    /// The same twice is no contradiction; a history could not take it twice.
    @Test func aRepeatedGroupIsImportedOnce() throws {
        let group = #"{"Plugin": "p", "Properties": {"ID": "a", "Properties": 1}}"#
        #expect(try decode(#"{"Groups": {"a": \#(group), "a": \#(group)}}"#) == [entry("a", "1", "p")])
    }

    @Test func whatIsWrittenReadsTheSame() throws {
        let entries = try [entry("a\"b", #"{"x":1.0}"#, "p"), entry("é", "null", "")]
        #expect(try GlobalConfig.decode(GlobalConfig.encode(entries).bytes) == entries)
        #expect(try GlobalConfig.decode(GlobalConfig.encode([]).bytes).isEmpty)
    }
}
