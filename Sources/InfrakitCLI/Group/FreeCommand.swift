internal import ArgumentParser
internal import GroupSPI

/// `infrakit group free`
struct FreeCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "free",
        abstract: "free a group from active monitoring, nondestructive"
    )

    @Argument(help: "The group's ID")
    var groupID: Identifier

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        _ = try await session.call(.free(id: groupID), options)
        return .freed(id: groupID)
    }
}
