internal import GroupSPI

/// What `GET /info/api.json` tells: every method that the socket answers, with an empty request and its result.
struct APIDescription {
    let isManager: Bool

    var bytes: [UInt8] {
        let interfaces = isManager ? [group, controller, manager, metadata] : [group]
        let names = interfaces.map { JSON.object([.init("Name", .string($0.name)), version, .init("Sub", "")]) }
        let description: JSON = [
            "Vendor": nil, "Implements": .array(names), "Interfaces": .array(interfaces.map(\.json)),
        ]
        return description.bytes
    }

    private let version = JSON.Member("Version", "0.1.1")

    private struct Interface {
        let name: String
        let methods: [(name: String, params: JSON, result: JSON)]

        var json: JSON {
            let id: JSON = "1"
            let methods = methods.map { method -> JSON in
                [
                    "Request": [
                        "jsonrpc": "2.0", "method": .string("\(name).\(method.name)"), "params": method.params,
                        "id": id,
                    ],
                    "Response": ["result": method.result, "id": id],
                ]
            }
            return ["Name": .string(name), "Version": "0.1.1", "Sub": "", "Methods": .array(methods)]
        }
    }

    private var group: Interface {
        let spec: JSON = ["ID": "", "Properties": nil]
        let description: JSON = ["Instances": nil, "Converged": false]
        let byID: JSON = ["Name": "", "ID": ""]
        let bySpec: JSON = ["Name": "", "Spec": spec]
        return Interface(
            name: "Group",
            methods: [
                ("CommitGroup", ["Name": "", "Spec": spec, "Pretend": false], ["Name": "", "ID": "", "Details": ""]),
                ("DescribeGroup", byID, ["Name": "", "ID": "", "Description": description]),
                ("DescribeUpdate", bySpec, ["Name": "", "ID": "", "Plan": ""]),
                ("DestroyGroup", byID, byID),
                ("DestroyInstances", ["Name": "", "ID": "", "Instances": nil], byID),
                ("FreeGroup", byID, byID),
                ("InspectGroups", byID, ["Name": "", "ID": "", "Groups": nil]),
                ("SetSize", ["Name": "", "ID": "", "Size": 0], byID),
                ("Size", byID, ["Name": "", "ID": "", "Size": 0]),
                ("StopUpdate", byID, byID),
                ("UnwatchGroup", byID, byID),
                ("UpdateGroup", bySpec, byID),
                ("WatchGroup", bySpec, byID),
            ]
        )
    }

    private var controller: Interface {
        let metadata: JSON = ["name": "", "tags": nil]
        let spec: JSON = ["kind": "group", "version": "", "metadata": metadata, "properties": nil]
        let object: JSON = [
            "kind": "group", "version": "", "metadata": metadata, "properties": nil, "state": nil,
        ]
        let change: JSON = ["Name": "", "Operation": 0, "Spec": spec]
        let find: JSON = ["Name": "", "Metadata": nil]
        return Interface(
            name: "Controller",
            methods: [
                ("Commit", change, ["Name": "", "Object": object]),
                ("Describe", find, ["Name": "", "Objects": nil]),
                ("Free", find, ["Name": "", "Objects": nil]),
                ("Plan", change, ["Name": "", "Object": object, "Plan": ["Message": nil]]),
            ]
        )
    }

    private var manager: Interface {
        Interface(
            name: "Manager",
            methods: [
                ("FindLoop", ["Managers": nil], ["Loop": false]),
                ("Inspect", [:], ["Objects": nil]),
                ("IsLeader", [:], ["Leader": false]),
                ("LeaderLocation", [:], ["Location": nil]),
                ("LookForRequests", [:], ["Leader": false]),
                ("Specs", [:], ["Specs": nil]),
                ("Status", [:], ["Status": nil]),
                ("StoreOutcomes", [:], ["Stored": false]),
            ]
        )
    }

    private var metadata: Interface {
        Interface(
            name: "Metadata",
            methods: [
                ("Get", ["Path": "."], ["Value": nil]),
                ("List", ["Path": "."], ["Nodes": nil]),
            ]
        )
    }
}
