/// The live instances of one group, as the plugin reports them.
public struct GroupDescription: Hashable, Sendable {
    /// A JSON array of `{"ID", "LogicalID", "Tags"}`, or `null`. Kept as text: plugins add members of their own.
    public let instances: RawJSON
    /// True when the group has the shape that its spec asks for; nil when the plugin's generation does not say.
    public let isConverged: Bool?

    public init(instances: RawJSON, isConverged: Bool?) {
        self.instances = instances
        self.isConverged = isConverged
    }
}

/// One live instance.
public struct InstanceDescription: Hashable, Sendable {
    public let id: Identifier
    public let logicalID: Identifier?
    public let tags: [Identifier: String]

    public init(id: Identifier, logicalID: Identifier?, tags: [Identifier: String]) {
        self.id = id
        self.logicalID = logicalID
        self.tags = tags
    }

    /// The wire's shape, tags in the order of their names, as Go writes a map.
    public var json: JSON {
        [
            "ID": .string(id),
            "LogicalID": .string(logicalID),
            "Tags": .object(tags.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }),
        ]
    }
}

extension GroupDescription {
    public init(_ instances: [InstanceDescription], isConverged: Bool) {
        self.init(instances: JSON.array(instances.map(\.json)).raw, isConverged: isConverged)
    }

    /// The instances, decoded; an entry that is not an object with an `ID` is left out.
    public var decodedInstances: [InstanceDescription] {
        JSONView(instances).elements.compactMap { entry in
            guard let id = entry.member("ID")?.identifier else { return nil }
            let tags = entry.member("Tags")?.members.compactMap { tag in tag.value.string.map { (tag.name, $0) } } ?? []
            return InstanceDescription(
                id: id,
                logicalID: entry.member("LogicalID")?.identifier,
                tags: Dictionary(tags, uniquingKeysWith: { _, last in last })
            )
        }
    }
}
