/// What a user declared for one group: `{"ID": …, "Properties": …}`.
public struct GroupSpec: Hashable, Sendable {
    /// The group's name. May be any string, also an empty one; the plugin decides what it accepts.
    public let id: Identifier
    /// The `Properties` member, byte for byte; `null` when the user gave none.
    public let properties: RawJSON

    public init(id: Identifier, properties: RawJSON) {
        self.id = id
        self.properties = properties
    }

    /// The shape on every wire and in every file.
    public var json: JSON { ["ID": .string(id), "Properties": .raw(properties)] }

    /// Reads `{"ID": …, "Properties": …}`; unknown members are ignored.
    ///
    /// - Throws: ``GroupError`` `badRequest` that names the member and its kind.
    public init(_ view: JSONView) throws(GroupError) {
        guard view.kind == .object else {
            throw GroupError(.badRequest, "a group spec is an object with ID and Properties, not \(view.kind.rawValue)")
        }
        let (id, properties) = view.members("ID", "Properties")
        guard id == nil || id?.isNull == true || id?.kind == .string else {
            throw GroupError(.badRequest, "a group spec's ID is a string, not \(id?.kind.rawValue ?? "")")
        }
        self.init(id: id?.identifier ?? "", properties: properties?.raw ?? .null)
    }
}
