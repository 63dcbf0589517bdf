import GroupSPI
import Testing

@testable import ProcessGroup

/// What is read from a specification, and in which words a bad one is refused.
struct ProcessGroupSpecTests {
    private func parse(_ properties: String, id: Identifier = "g") throws -> ProcessGroupSpec {
        try ProcessGroupSpec(GroupSpec(id: id, properties: try RawJSON(properties)))
    }

    private func refusal(_ properties: String, id: Identifier = "g") throws -> String {
        let error = try #require(throws: GroupError.self) { try parse(properties, id: id) }
        #expect(error.code == .rejected)
        return error.message
    }

    private static func instance(_ members: String) -> String {
        #"{"Allocation": {"Size": 1}, "Instance": {"Properties": {\#(members)}}}"#
    }

    @Test func readsEveryMember() throws {
        let spec = try parse(
            """
            {"Allocation": {"Size": 3, "LogicalIDs": null},
             "Instance": {"Plugin": "process", "Properties": {
               "Command": ["sh", "-c", "exec sleep 1"], "Environment": {"A": "b", "PORT": 8080, "ON": true},
               "Directory": "/tmp", "Unknown": [1]}},
             "Flavor": {"Plugin": "flavor-vanilla", "Properties": {}}}
            """
        )
        #expect(spec.allocation == .size(3))
        #expect(spec.command == ["sh", "-c", "exec sleep 1"])
        #expect(spec.environment == ["A": "b", "PORT": "8080", "ON": "true"])
        #expect(spec.directory == "/tmp")
    }

    @Test func comparesNamesWithoutRegardToCase() throws {
        let spec = try parse(
            #"{"allocation":{"SIZE":2},"INSTANCE":{"plugin":"","properties":{"command":"true","environment":["A=b=c"]}}}"#
        )
        #expect(spec.allocation == .size(2))
        #expect(spec.command == ["/bin/sh", "-c", "true"])
        #expect(spec.environment == ["A": "b=c"])
    }

    @Test(arguments: [
        (#"{"Size": 0}"#, Allocation.size(0)),
        (#"{"Size": 1000}"#, .size(1000)),
        (#"{"Size": 1, "Size": 2}"#, .size(2)),
        (#"{"Size": 2, "LogicalIDs": []}"#, .size(2)),
        (#"{"LogicalIDs": ["a", "b"]}"#, .logicalIDs(["a", "b"])),
        (#"{"Size": 0, "LogicalIDs": ["a"]}"#, .logicalIDs(["a"])),
    ])
    func allocations(text: String, expected: Allocation) throws {
        let spec = try parse(#"{"Allocation": \#(text), "Instance": {"Properties": {"Command": "x"}}}"#)
        #expect(spec.allocation == expected)
    }

    @Test(arguments: [
        (nil, "Allocation is missing"),
        ("null", "Allocation is missing"),
        ("3", "Allocation must be an object"),
        ("{}", "names neither Size nor LogicalIDs"),
        (#"{"LogicalIDs": []}"#, "names neither Size nor LogicalIDs"),
        (#"{"Size": -1}"#, "a whole number from 0 to 1000, not -1"),
        (#"{"Size": 1001}"#, "a whole number from 0 to 1000, not 1001"),
        (#"{"Size": 99999999999999999999999}"#, "not 99999999999999999999999"),
        (#"{"Size": 1.5}"#, "not 1.5"),
        (#"{"Size": "3"}"#, #"not "3""#),
        (#"{"Size": 2, "LogicalIDs": ["a"]}"#, "only one of the two"),
        (#"{"LogicalIDs": "a"}"#, "must be a list of strings, not string"),
        (#"{"LogicalIDs": ["a", 1]}"#, "not 1"),
        (#"{"LogicalIDs": [""]}"#, #"not """#),
        (#"{"LogicalIDs": ["a", "b", "a"]}"#, "names 'a' twice"),
    ])
    func refusesAllocation(text: String?, expected: String) throws {
        let member = text.map { #""Allocation": \#($0),"# } ?? ""
        let message = try refusal(#"{\#(member) "Instance": {"Properties": {"Command": "x"}}}"#)
        #expect(message.hasPrefix("Invalid properties of group 'g': "))
        #expect(message.contains(expected), "\(message)")
        #expect(!message.contains("\n"))
    }

    @Test(arguments: [
        ("", "Instance is missing"),
        (#", "Instance": []"#, "Instance must be an object"),
        (#", "Instance": {}"#, "Instance.Properties is missing"),
        (#", "Instance": {"Plugin": 3}"#, "Instance.Plugin must be a string"),
        (#", "Instance": {"Plugin": "instance-file"}"#, "unknown Instance.Plugin 'instance-file'"),
        (#", "Instance": {"Properties": "x"}"#, "Instance.Properties must be an object"),
    ])
    func refusesInstance(member: String, expected: String) throws {
        let message = try refusal(#"{"Allocation": {"Size": 1}\#(member)}"#)
        #expect(message.contains(expected), "\(message)")
    }

    @Test(arguments: [
        ("", "Command is missing"),
        (#""Command": null"#, "Command is missing"),
        (#""Command": """#, "Command is empty"),
        (#""Command": "  ""#, "Command is empty"),
        (#""Command": []"#, "Command is empty"),
        (#""Command": [""]"#, "Command is empty"),
        (#""Command": ["a", 1]"#, "it holds 1"),
        (#""Command": {"a": 1}"#, "not object"),
        (#""Command": ["a\u0000b"]"#, "NUL"),
        (#""Command": "x", "Environment": "A=b""#, "must be an object"),
        (#""Command": "x", "Environment": {"A": null}"#, "Environment 'A' must be a string, not null"),
        (#""Command": "x", "Environment": {"": "b"}"#, "not a valid name of an environment variable"),
        (#""Command": "x", "Environment": {"A=B": "c"}"#, "not a valid name of an environment variable"),
        (#""Command": "x", "Environment": ["A"]"#, #"strings "NAME=value", not "A""#),
        (#""Command": "x", "Environment": ["=b"]"#, "not a valid name of an environment variable"),
        (#""Command": "x", "Environment": {"A": "b\u0000"}"#, "NUL"),
        (#""Command": "x", "Directory": 1"#, "Directory must be a string"),
        (#""Command": "x", "Directory": "tmp""#, "must be an absolute path, not 'tmp'"),
    ])
    func refusesInstanceProperties(members: String, expected: String) throws {
        let message = try refusal(Self.instance(members))
        #expect(message.contains(expected), "\(message)")
    }

    @Test(arguments: ["null", "[]", "3", #""x""#])
    func refusesPropertiesThatAreNoObject(properties: String) throws {
        #expect(try refusal(properties).contains("Properties must be an object with Allocation and Instance"))
    }

    @Test(arguments: ["", " ", "\t\n"])
    func refusesBlankID(id: Identifier) throws {
        #expect(try refusal(Self.instance(#""Command": "x""#), id: id) == "Group ID must not be blank")
    }

    @Test func cutsLongTextsInMessages() throws {
        let long = String(repeating: "x", count: 10_000)
        let message = try refusal(#"{"Allocation": {"Size": "\#(long)"}}"#)
        #expect(message.count < 250)
    }

    // MARK: - What makes a new version

    @Test(arguments: [
        #""command":"x","environment":{"B":"2","A":"1"}"#,
        #""Command" : ["/bin/sh", "-c", "x"], "Environment": ["A=1", "B=2"]"#,
        #""Command":"x","Environment":{"A":1,"B":"2"},"Comment":"new""#,
    ])
    func spellingIsNoNewVersion(members: String) throws {
        let reference = try parse(Self.instance(#""Command": "x", "Environment": {"A": "1", "B": "2"}"#))
        #expect(try parse(Self.instance(members)).configSHA == reference.configSHA)
    }

    @Test(arguments: [
        #""Command": "y""#,
        #""Command": ["x"]"#,
        #""Command": "x", "Directory": "/""#,
        #""Command": "x", "Environment": {"A": ""}"#,
    ])
    func whatRunsIsANewVersion(members: String) throws {
        #expect(try parse(Self.instance(members)).configSHA != parse(Self.instance(#""Command": "x""#)).configSHA)
    }

    @Test func sizeIsNoNewVersion() throws {
        #expect(try ProcessGroupSpec(Specs.sized(1)).configSHA == ProcessGroupSpec(Specs.sized(9)).configSHA)
    }
}
