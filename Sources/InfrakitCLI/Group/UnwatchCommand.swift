internal import ArgumentParser
internal import GroupSPI

/// `infrakit group unwatch`
struct UnwatchCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "unwatch",
        abstract: "unwatch a group"
    )

    @Argument(help: "The group's ID")
    var groupID: Identifier

    @OptionGroup var options: PluginOptions

    func run(in session: Session) async throws(Failure) -> Report {
        _ = try await session.call(.unwatch(id: groupID), options)
        return .unwatched(id: groupID)
    }
}
