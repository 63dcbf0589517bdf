public import GroupSPI

/// The file in which InfraKit's Go manager kept its groups, `global.config`.
///
/// Two shapes are known: an object `{"Groups": {id: {"Plugin", "Properties": {"ID", "Properties"}}}}`, and, since 2018,
/// an array of `{"Key": {"Kind", "Name"}, "Record": {"Handler", "Spec": {…, "properties"}}}`.
public enum GlobalConfig {
    public static let fileName = "global.config"

    /// One group of the file.
    public struct Entry: Hashable, Sendable {
        public let spec: GroupSpec
        public let plugin: Identifier

        public init(spec: GroupSpec, plugin: Identifier) {
            self.spec = spec
            self.plugin = plugin
        }
    }

    /// What a file holds.
    public struct Contents: Hashable, Sendable {
        public let entries: [Entry]
        /// What it holds beside groups, for people: `resource 'disk'`.
        public let others: [String]
    }

    /// The shapes, by the releases of the Go manager that write them.
    public enum Shape: String, CaseIterable, Sendable {
        /// The object, which every Go manager but the last reads.
        case v05
        /// The array, which the last one reads.
        case head
    }

    /// Reads either shape. An empty file holds no groups, as with the Go manager.
    ///
    /// - Returns: in the order of the groups' names. Properties keep their bytes.
    /// - Throws: ``StoreError`` `malformed`.
    public static func decode(_ bytes: [UInt8], limits: JSONLimits = .configuration) throws(StoreError) -> [Entry] {
        try contents(bytes, limits: limits).entries
    }

    /// The same, with what is left out.
    public static func contents(_ bytes: [UInt8], limits: JSONLimits = .configuration) throws(StoreError) -> Contents {
        let bytes = bytes.withoutByteOrderMark
        guard !bytes.allSatisfy({ [0x20, 0x0A, 0x0D, 0x09].contains($0) }) else {
            return Contents(entries: [], others: [])
        }
        let view: JSONView
        do {
            view = try JSONView(bytes, limits: limits)
        } catch {
            throw StoreError(.malformed, "the Go manager's configuration is \(error)")
        }
        let entries: [Entry]
        var others: [String] = []
        switch view.kind {
        case .object: entries = try decodeObject(view)
        case .array: (entries, others) = try decodeArray(view)
        default:
            throw StoreError(
                .malformed,
                "the Go manager's configuration is an object with Groups, or an array of records; this is "
                    + "\(view.kind.rawValue)"
            )
        }
        return Contents(entries: try unambiguous(entries), others: others)
    }

    /// Each group once, in the order of the names. Go would keep the last of two entries; which of two different ones
    /// is meant is for a person to say.
    private static func unambiguous(_ entries: [Entry]) throws(StoreError) -> [Entry] {
        var unique: [Identifier: Entry] = [:]
        for entry in entries {
            let name = entry.spec.id
            if let other = unique[name], other != entry {
                throw StoreError(
                    .malformed,
                    "the Go manager's configuration has two different groups '\(entry.spec.id)'. Remove one."
                )
            }
            unique[name] = entry
        }
        return unique.values.sorted { $0.spec.id < $1.spec.id }
    }

    private static func decodeObject(_ view: JSONView) throws(StoreError) -> [Entry] {
        guard let groups = view.member("Groups"), !groups.isNull else { return [] }
        guard view.members.count(where: { $0.name.text.lowercased() == "groups" }) == 1 else {
            throw StoreError(.malformed, "the Go manager's configuration has two members Groups. Remove one.")
        }
        guard groups.kind == .object else {
            throw StoreError(.malformed, "the Go manager's Groups are an object, not \(groups.kind.rawValue)")
        }
        var entries: [Entry] = []
        for (name, group) in groups.members {
            guard let properties = group.member("Properties"), properties.kind == .object else {
                throw StoreError(.malformed, "the Go manager's group '\(name)' has no Properties")
            }
            let spec: GroupSpec
            do {
                spec = try GroupSpec(properties)
            } catch {
                throw StoreError(.malformed, "the Go manager's group '\(name)': \(error.message)")
            }
            // Else what is the specification itself would be taken for one without Properties, and lost.
            guard properties.member("Properties") != nil else {
                throw StoreError(
                    .malformed,
                    "the group '\(name)' has no specification. It is {\"Plugin\": …, \"Properties\": "
                        + "{\"ID\": \"\(name)\", \"Properties\": {…}}}, with both Properties."
                )
            }
            // A spec that does not say its name is that of the key.
            guard spec.id.isEmpty || spec.id == name else {
                throw StoreError(.malformed, "the group '\(name)' has the ID '\(spec.id)'. Give it one name.")
            }
            let entry = Entry(
                spec: GroupSpec(id: name, properties: spec.properties),
                plugin: group.member("Plugin")?.identifier ?? ""
            )
            entries.append(entry)
        }
        return entries
    }

    private static func decodeArray(_ view: JSONView) throws(StoreError) -> ([Entry], [String]) {
        var entries: [Entry] = []
        var others: [String] = []
        for record in view.elements {
            let key = record.member("Key")
            // The Go manager of that time kept other kinds of objects beside groups; they are not ours.
            guard key?.member("Kind")?.string == "group" else {
                others.append("\(key?.member("Kind")?.string ?? "record") '\(key?.member("Name")?.string ?? "")'")
                continue
            }
            guard let name = key?.member("Name")?.identifier, let spec = record.member("Record")?.member("Spec") else {
                throw StoreError(
                    .malformed,
                    "a record of the Go manager's configuration has no Key.Name or Record.Spec"
                )
            }
            entries.append(
                Entry(
                    spec: GroupSpec(id: name, properties: spec.member("properties")?.raw ?? .null),
                    plugin: record.member("Record")?.member("Handler")?.identifier ?? ""
                )
            )
        }
        return (entries, others)
    }

    /// Writes the first shape, which every Go manager reads.
    public static func encode(_ entries: [Entry]) -> JSON {
        [
            "Groups": .object(
                entries.map { entry in
                    JSON.Member(entry.spec.id, ["Plugin": .string(entry.plugin), "Properties": entry.spec.json])
                }
            )
        ]
    }

    public static func encode(_ entries: [Entry], as shape: Shape) -> JSON {
        switch shape {
        case .v05: encode(entries)
        case .head:
            .array(
                entries.map { entry in
                    let name = JSON.string(entry.spec.id)
                    let spec: JSON = [
                        "kind": "group", "version": "", "metadata": ["name": name, "tags": nil],
                        "properties": .raw(entry.spec.properties),
                    ]
                    return [
                        "Key": ["Kind": "group", "Name": name],
                        "Record": ["Handler": .string(entry.plugin), "Spec": spec],
                    ]
                }
            )
        }
    }
}
