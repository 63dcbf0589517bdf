import GroupSPI

/// Specifications as a user writes them.
enum Specs {
    /// Lives for a minute at most, so that nothing stays even when the test process is killed.
    static let sleeper = #"["sleep", "60"]"#

    static func sized(
        _ size: Int,
        id: Identifier = "cattle",
        command: String = sleeper,
        more: String = ""
    ) throws -> GroupSpec {
        try spec(id, allocation: #"{"Size": \#(size)}"#, command: command, more: more)
    }

    static func named(
        _ ids: [Identifier],
        id: Identifier = "pets",
        command: String = sleeper,
        more: String = ""
    ) throws -> GroupSpec {
        let list = JSON.array(ids.map { .string($0) }).raw
        return try spec(id, allocation: #"{"LogicalIDs": \#(list)}"#, command: command, more: more)
    }

    /// - Parameter more: further members of `Instance.Properties`, each with a comma in front. A variable in the
    ///   environment is the simplest way to a new version.
    static func spec(_ id: Identifier, allocation: String, command: String, more: String) throws -> GroupSpec {
        let properties = """
            {"Allocation": \(allocation),
             "Instance": {"Plugin": "process", "Properties": {"Command": \(command)\(more)}}}
            """
        return GroupSpec(id: id, properties: try RawJSON(properties))
    }

    static func version(_ number: Int) -> String { #", "Environment": {"VERSION": "\#(number)"}"# }
}
