internal import ArgumentParser
internal import GroupSPI

/// `infrakit group stop-update`
struct StopUpdateCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "stop-update",
        abstract: "stop updating a group"
    )

    @Argument(help: "The group's ID")
    var groupID: Identifier

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        _ = try await session.call(.stopUpdate(id: groupID), options)
        return .updateStopped(id: groupID)
    }
}
