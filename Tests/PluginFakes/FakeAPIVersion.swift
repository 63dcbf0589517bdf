/// What a fake group plugin speaks: a dialect, a set of methods, a spelling of results. The four that were released,
/// and two crossings of them.
public struct FakeAPIVersion: Sendable, CustomStringConvertible {
    public enum WireProtocol: Sendable { case stream, http }

    public let name: String
    public let wireProtocol: WireProtocol
    public let methods: Set<String>
    /// Results carry `Name` and `ID` in place of `OK`.
    public let echoesNames: Bool
    public let saysConverged: Bool

    public var description: String { name }
    public var watches: Bool { methods.contains("Group.WatchGroup") }

    private static let watching: Set<String> = [
        "Group.WatchGroup", "Group.UpdateGroup", "Group.DescribeUpdate", "Group.StopUpdate", "Group.UnwatchGroup",
    ]
    private static let committing: Set<String> = ["Group.CommitGroup", "Group.FreeGroup"]
    private static let both: Set<String> = ["Group.DescribeGroup", "Group.InspectGroups", "Group.DestroyGroup"]
    private static let sizing: Set<String> = ["Group.Size", "Group.SetSize", "Group.DestroyInstances"]

    public static let seed = FakeAPIVersion(
        name: "seed",
        wireProtocol: .stream,
        methods: watching.union(both),
        echoesNames: false,
        saysConverged: false
    )
    public static let v01 = FakeAPIVersion(
        name: "v0.1",
        wireProtocol: .http,
        methods: committing.union(both).union(["Plugin.Implements"]),
        echoesNames: false,
        saysConverged: true
    )
    public static let v05 = FakeAPIVersion(
        name: "v0.5",
        wireProtocol: .http,
        methods: committing.union(both).union(["Handshake.Implements", "Handshake.Types"]),
        echoesNames: false,
        saysConverged: true
    )
    public static let head = FakeAPIVersion(
        name: "head",
        wireProtocol: .http,
        methods: committing.union(both).union(sizing).union(["Handshake.Hello"]),
        echoesNames: true,
        saysConverged: true
    )
    public static let watchOverHTTP = FakeAPIVersion(
        name: "watch over HTTP",
        wireProtocol: .http,
        methods: watching.union(both),
        echoesNames: false,
        saysConverged: false
    )
    public static let commitOverStream = FakeAPIVersion(
        name: "commit over stream",
        wireProtocol: .stream,
        methods: committing.union(both),
        echoesNames: false,
        saysConverged: true
    )

    public static let released: [FakeAPIVersion] = [.seed, .v01, .v05, .head]
    public static let all: [FakeAPIVersion] = released + [.watchOverHTTP, .commitOverStream]
}
