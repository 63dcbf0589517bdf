internal import GroupSPI

/// One call as it goes over the wire: a method and its arguments, without the dialect's envelope.
struct WireCall: Sendable, Hashable {
    /// With the service: `Group.CommitGroup`.
    let method: String
    let arguments: [JSON.Member]
    /// False for calls that only ask: they may be sent again when their answer is lost.
    let changesState: Bool

    /// Answered when it is done, however long that takes.
    var isRoll: Bool { method == "Group.UpdateGroup" }

    private init(_ method: String, _ arguments: [JSON.Member], changesState: Bool) {
        self.method = method
        self.arguments = arguments
        self.changesState = changesState
    }

    static let hello = WireCall("Handshake.Hello", [], changesState: false)
    static let managerStatus = WireCall("Manager.Status", [], changesState: false)
    static let lookForRequests = WireCall("Manager.LookForRequests", [], changesState: false)
    static let storeOutcomes = WireCall("Manager.StoreOutcomes", [], changesState: false)
    static func findLoop(_ managers: [Identifier]) -> WireCall {
        let members: [JSON.Member] = [.init("Managers", .array(managers.map { .string($0) }))]
        return WireCall("Manager.FindLoop", members, changesState: false)
    }
    static let inspect = group("InspectGroups", [id("")], changesState: false)

    static func watch(_ spec: GroupSpec) -> WireCall { group("WatchGroup", [Self.spec(spec)]) }
    static func update(_ spec: GroupSpec) -> WireCall { group("UpdateGroup", [Self.spec(spec)]) }
    static func unwatch(_ id: Identifier) -> WireCall { group("UnwatchGroup", [Self.id(id)]) }
    static func stopUpdate(_ id: Identifier) -> WireCall { group("StopUpdate", [Self.id(id)]) }
    static func free(_ id: Identifier) -> WireCall { group("FreeGroup", [Self.id(id)]) }
    static func destroy(_ id: Identifier) -> WireCall { group("DestroyGroup", [Self.id(id)]) }

    static func describeUpdate(_ spec: GroupSpec) -> WireCall {
        group("DescribeUpdate", [Self.spec(spec)], changesState: false)
    }

    static func commit(_ spec: GroupSpec, pretend: Bool) -> WireCall {
        group("CommitGroup", [Self.spec(spec), .init("Pretend", .bool(pretend))], changesState: !pretend)
    }

    static func describe(_ id: Identifier) -> WireCall {
        group("DescribeGroup", [Self.id(id)], changesState: false)
    }

    static func size(_ id: Identifier) -> WireCall {
        group("Size", [Self.id(id)], changesState: false)
    }

    static func setSize(_ id: Identifier, _ size: Int) -> WireCall {
        group("SetSize", [Self.id(id), .init("Size", .int(size))])
    }

    static func destroyInstances(_ id: Identifier, _ instances: [Identifier]) -> WireCall {
        group("DestroyInstances", [Self.id(id), .init("Instances", .array(instances.map { .string($0) }))])
    }

    private static func group(_ method: String, _ arguments: [JSON.Member], changesState: Bool = true) -> WireCall {
        WireCall("Group." + method, arguments, changesState: changesState)
    }

    private static func id(_ id: Identifier) -> JSON.Member { .init("ID", .string(id)) }
    private static func spec(_ spec: GroupSpec) -> JSON.Member { .init("Spec", spec.json) }
}
