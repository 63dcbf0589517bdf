internal import GroupSPI

/// Which methods exist, and how the arguments of each are read.
enum MethodTable {
    typealias Entry = (ArgumentSource) throws(RPCFailure) -> Call

    /// Services' names are compared with regard to case, unlike members'.
    static func serves(_ service: Substring, manager: Bool) -> Bool {
        switch service {
        case "Group", "Handshake", "Plugin": true
        case "Controller", "Manager", "Metadata", "Updatable": manager
        default: false
        }
    }

    static func entry(_ service: Substring, _ method: Substring) -> Entry? {
        switch service {
        case "Group": group(method)
        case "Handshake": handshake(method)
        case "Plugin": method == "Implements" ? { _ in .handshake(.plugin) } : nil
        case "Manager": manager(method)
        case "Metadata", "Updatable": metadata(service, method)
        case "Controller": controller(method)
        default: nil
        }
    }

    // MARK: - Group

    private static func group(_ method: Substring) -> Entry? {
        switch method {
        case "InspectGroups": byID("InspectGroupsRequest") { _, _ in .inspect }
        case "DescribeGroup": byID("DescribeGroupRequest") { id, _ in .describe(id: id) }
        case "CommitGroup":
            bySpec("CommitGroupRequest") { spec, arguments throws(RPCFailure) in
                .commit(spec, pretend: try arguments.bool("Pretend"))
            }
        case "FreeGroup": byID("FreeGroupRequest") { id, _ in .free(id: id) }
        case "DestroyGroup": byID("DestroyGroupRequest") { id, _ in .destroy(id: id) }
        case "WatchGroup": bySpec("WatchGroupRequest") { spec, _ in .watch(spec) }
        case "UpdateGroup": bySpec("UpdateGroupRequest") { spec, _ in .update(spec) }
        case "DescribeUpdate": bySpec("DescribeUpdateRequest") { spec, _ in .describeUpdate(spec) }
        case "StopUpdate": byID("StopUpdateRequest") { id, _ in .stopUpdate(id: id) }
        case "UnwatchGroup": byID("UnwatchGroupRequest") { id, _ in .unwatch(id: id) }
        case "Size": byID("SizeRequest") { id, _ in .size(id: id) }
        case "SetSize":
            byID("SetSizeRequest") { id, arguments throws(RPCFailure) in
                .setSize(id: id, try arguments.int("Size"))
            }
        case "DestroyInstances":
            byID("DestroyInstancesRequest") { id, arguments throws(RPCFailure) in
                .destroyInstances(id: id, try arguments.identifiers("Instances", of: "instance.ID"))
            }
        default: nil
        }
    }

    /// A call about a group's `ID`; when that is empty, the group that `Name` points at is meant.
    private static func byID(
        _ type: String,
        _ make: @escaping (Identifier, Arguments) throws(RPCFailure) -> GroupRequest
    ) -> Entry {
        { source throws(RPCFailure) in
            try source.read(as: "group.\(type)") { arguments throws(RPCFailure) in
                let id = try arguments.identifier("ID", of: "group.ID")
                let address = try address(arguments, id: id)
                let meant = id.isEmpty && address?.namesOneGroup == true ? address?.subtype ?? id : id
                return .group(try make(meant, arguments), address)
            }
        }
    }

    /// A call that brings a group's spec.
    private static func bySpec(
        _ type: String,
        _ make: @escaping (GroupSpec, Arguments) throws(RPCFailure) -> GroupRequest
    ) -> Entry {
        { source throws(RPCFailure) in
            try source.read(as: "group.\(type)") { arguments throws(RPCFailure) in
                let members = try arguments.object("Spec", of: "group.Spec")
                let id = try members.identifier("ID", of: "group.ID")
                let spec = GroupSpec(id: id, properties: members.raw("Properties"))
                return .group(try make(spec, arguments), try address(arguments, id: id))
            }
        }
    }

    /// Only the head generation sends a `Name`; whoever sends one wants it back.
    private static func address(_ arguments: Arguments, id: Identifier) throws(RPCFailure) -> Address? {
        guard arguments.has("Name") else { return nil }
        return Address(name: try arguments.identifier("Name", of: "plugin.Name"), id: id)
    }

    // MARK: - Handshakes, manager, metadata

    private static func handshake(_ method: Substring) -> Entry? {
        switch method {
        case "Implements": { _ in .handshake(.implements) }
        case "Types": { _ in .handshake(.types) }
        case "Hello": { _ in .handshake(.hello) }
        default: nil
        }
    }

    private static func manager(_ method: Substring) -> Entry? {
        switch method {
        case "IsLeader": { _ in .manager(.isLeader) }
        case "LeaderLocation": { _ in .manager(.leaderLocation) }
        case "Specs": { _ in .manager(.specs) }
        case "Inspect": { _ in .manager(.inspect) }
        case "Status": { _ in .manager(.status) }
        case "LookForRequests": { _ in .manager(.lookForRequests) }
        case "FindLoop":
            { source throws(RPCFailure) in
                try source.read(as: "manager.FindLoopRequest") { arguments throws(RPCFailure) in
                    .manager(.findLoop(try arguments.identifiers("Managers", of: "string")))
                }
            }
        case "StoreOutcomes": { _ in .manager(.storeOutcomes) }
        case "Enforce": { _ in .manager(.enforce) }
        case "Terminate": { _ in .manager(.terminate) }
        default: nil
        }
    }

    private static func metadata(_ service: Substring, _ method: Substring) -> Entry? {
        switch method {
        case "List": byPath("metadata.ListRequest") { .list(path: $0) }
        case "Get": byPath("metadata.GetRequest") { .get(path: $0) }
        case "Changes", "Commit": service == "Updatable" ? { _ in .metadata(.change) } : nil
        default: nil
        }
    }

    private static func byPath(_ type: String, _ make: @escaping (String) -> MetadataCall) -> Entry {
        { source throws(RPCFailure) in
            try source.read(as: type) { arguments throws(RPCFailure) in
                .metadata(make(try arguments.string("Path", of: "types.Path")))
            }
        }
    }

    // MARK: - Controller

    private static func controller(_ method: Substring) -> Entry? {
        switch method {
        case "Commit": byChange { .commit($0) }
        case "Plan": byChange { .plan($0) }
        case "Describe": byMetadata { .describe(name: $0) }
        case "Free": byMetadata { .free(name: $0) }
        default: nil
        }
    }

    private static func byChange(_ make: @escaping (ControllerChange) -> ControllerCall) -> Entry {
        { source throws(RPCFailure) in
            try source.read(as: "controller.ChangeRequest") { arguments throws(RPCFailure) in
                let operation = try arguments.int("Operation", of: "controller.Operation")
                guard operation == 0 || operation == 1 else {
                    throw RPCFailure(.server, "unknown operation \(operation): 0 enforces a spec, 1 destroys")
                }
                let spec = try arguments.object("Spec", of: "types.Spec")
                let metadata = try spec.object("metadata", of: "types.Metadata")
                let change = ControllerChange(
                    operation: operation == 0 ? .enforce : .destroy,
                    kind: try spec.string("kind"),
                    version: try spec.string("version"),
                    metadata: spec.raw("metadata"),
                    spec: GroupSpec(
                        id: try metadata.identifier("name", of: "string"),
                        properties: spec.raw("properties")
                    )
                )
                let name = try arguments.identifier("Name", of: "plugin.Name")
                return .controller(make(change), Address(name: name, id: change.spec.id))
            }
        }
    }

    private static func byMetadata(_ make: @escaping (Identifier?) -> ControllerCall) -> Entry {
        { source throws(RPCFailure) in
            try source.read(as: "controller.FindRequest") { arguments throws(RPCFailure) in
                let name = try arguments.object("Metadata", of: "types.Metadata")
                    .identifier("name", of: "string")
                let address = Address(name: try arguments.identifier("Name", of: "plugin.Name"), id: name)
                if !name.isEmpty { return .controller(make(name), address) }
                return .controller(make(address.namesOneGroup ? address.subtype : nil), address)
            }
        }
    }
}
